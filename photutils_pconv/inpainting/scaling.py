# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How cutouts are scaled to numbers of order one, and back.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.medians import MAD_TO_STD, median

__all__ = [
    'NORMALISATIONS',
    'Normalisation',
    'Scaling',
    'compress',
    'normalise',
]

#: The accepted normalisations of cutouts.
NORMALISATIONS = ('minmax', 'robust')
# The defaults of 'robust', which the bundled models have: the circle, in pixels,
# and where arcsinh sets in, in scales. By choice (docs/development/model_search.rst).
_RADIUS = 24.0
_SOFTENING = 3.0
# Fewer pixels than this in the circle, and the whole cutout is taken; by choice.
_FEWEST = 16
# The scale of a cutout that is exactly flat, relative to its value: above the
# rounding of float32, by choice.
_FLAT = 1.0e-6
# The largest compressed value, in units of the softening, by choice.
_LARGEST = 50.0
# What stands for the value 0: too small for a map, large enough to divide by.
_SMALLEST = 1.0e-30


@dataclass(frozen=True)
class Scaling:
    """
    The scaling of a batch of cutouts, with its inverse.

    Parameters
    ----------
    centre, scale : `~numpy.ndarray`
        Of shape (N, 1, 1): a value v becomes ``(v - centre) / scale``.

    softening : float or `None`
        If given, the scaled value z is further compressed to
        ``softening * arcsinh(z / softening)``.
    """

    centre: np.ndarray
    scale: np.ndarray
    softening: float | None = None

    def apply(self, images):
        """
        Scale images.

        Parameters
        ----------
        images : `~numpy.ndarray`
            Values of shape (N, H, W), in the map's unit.

        Returns
        -------
        scaled : `~numpy.ndarray`
            The scaled values.
        """
        z = (images - self.centre) / self.scale
        return z if self.softening is None else compress(z, self.softening)

    def invert(self, scaled):
        """
        Undo the scaling.

        Parameters
        ----------
        scaled : `~numpy.ndarray`
            Scaled values of shape (N, H, W).

        Returns
        -------
        images : `~numpy.ndarray`
            Values in the map's unit.
        """
        z = scaled
        if self.softening is not None:
            z = _expand(z, self.softening)
        return z * self.scale + self.centre


def compress(values, softening):
    """
    Calculate ``softening * arcsinh(values / softening)``.

    It is good to 1e-15 of the softening, some times faster than `numpy.arcsinh`, which
    is that good relative to the result.

    Parameters
    ----------
    values : `~numpy.ndarray`
        The values, of order one; at most 1e150.

    softening : float
        Where the compression sets in.

    Returns
    -------
    compressed : `~numpy.ndarray`
        The compressed values.
    """
    z = np.abs(values) / softening
    root = np.square(z)
    root += 1.0
    z += np.sqrt(root, out=root)
    compressed = np.log(z, out=z)
    compressed *= softening
    return np.copysign(compressed, values, out=compressed)


def _expand(values, softening):
    """Undo `compress`, as well and as fast."""
    # A wild prediction must not overflow.
    z = np.clip(values / softening, -_LARGEST, _LARGEST)
    power = np.exp(z, out=z)
    power -= 1.0 / power
    power *= 0.5 * softening
    return power


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """
    How a model's cutouts are scaled, and what is made of them first.

    Parameters
    ----------
    name : {'robust', 'minmax'}, optional
        See `normalise`.

    radius, softening : float, optional
        See `normalise`; for 'robust' alone.

    wings, kriging : bool, optional
        Whether expected wings are taken off, and whether holes are filled
        by kriging first, for models that fill holes.
    """

    name: str = 'robust'
    radius: float = _RADIUS
    softening: float | None = _SOFTENING
    wings: bool = False
    kriging: bool = False

    @classmethod
    def from_dict(cls, values):
        """
        Take a normalisation from a model card.

        Parameters
        ----------
        values : dict
            The card's ``normalisation``.

        Returns
        -------
        normalisation : `Normalisation`
            The same.

        Raises
        ------
        TypeError
            If a key is not known.
        """
        return cls(**values)

    def scale(self, images, validity, missing):
        """
        Scale cutouts; see `normalise`.

        Parameters
        ----------
        images, validity, missing : (N, H, W) `~numpy.ndarray`
            The cutouts, the usable pixels, and the missing ones.

        Returns
        -------
        scaled : (N, H, W) `~numpy.ndarray`
            The scaled cutouts.

        scaling : `Scaling`
            The scaling.
        """
        return normalise(
            images,
            validity,
            name=self.name,
            radius=self.radius,
            softening=self.softening,
            missing=missing,
        )


def normalise(
    images,
    validity,
    *,
    name='robust',
    radius=_RADIUS,
    softening=_SOFTENING,
    missing=None,
):
    """
    Scale cutouts to numbers of order one.

    Parameters
    ----------
    images : `~numpy.ndarray`
        The cutouts, (N, H, W). Missing pixels may hold anything.

    validity : `~numpy.ndarray`
        True where a pixel is usable: not missing and not in a hole.

    name : {'robust', 'minmax'}, optional
        ``'minmax'`` maps the smallest and largest value of the whole
        cutout, source included, to -1 and 1 (section 2.4.2 of the
        paper). ``'robust'`` takes centre and scale from the median and
        the MAD of the usable pixels near the cutout's centre, then
        compresses with arcsinh: a bright source then leaves a faint
        background its precision. Where those pixels are all equal, the
        scale is 1e-6 of their value.

    radius : float, optional
        For 'robust': the circle around the cutout's centre, in pixels,
        whose pixels are used.

    softening : float or `None`, optional
        For 'robust': the number of scales where arcsinh starts to compress;
        `None` for no compression.

    missing : `~numpy.ndarray`, optional
        True where a pixel is missing; default: nowhere. Only 'minmax'
        looks at pixels that are not missing though in a hole.

    Returns
    -------
    scaled : `~numpy.ndarray`
        The scaled cutouts, 0 wherever ``missing``.

    scaling : `Scaling`
        The scaling, to be inverted after the prediction.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if name == 'minmax':
        scaling = _minmax(images, missing)
    elif name == 'robust':
        scaling = _robust(images, validity, radius, softening)
    else:
        msg = f'normalisation must be one of {NORMALISATIONS}, got {name!r}'
        raise ValueError(msg)
    if missing is None:
        return scaling.apply(images), scaling
    return np.where(missing, 0.0, scaling.apply(np.where(missing, 0.0, images))), (
        scaling
    )


def _minmax(images, missing):
    shape = (len(images), -1)
    low = images if missing is None else np.where(missing, np.inf, images)
    high = images if missing is None else np.where(missing, -np.inf, images)
    low = low.reshape(shape).min(axis=1)[:, None, None]
    high = high.reshape(shape).max(axis=1)[:, None, None]
    empty = ~np.isfinite(low)
    low, high = np.where(empty, 0.0, low), np.where(empty, 0.0, high)
    # (x - low) / (high - low + 1e-7) * 2 - 1, as one shift and one scale.
    width = 0.5 * (high - low + 1.0e-7)
    return Scaling(centre=low + width, scale=width)


def _robust(images, validity, radius, softening):
    n, ny, nx = images.shape
    yy, xx = np.indices((ny, nx))
    near = np.hypot(xx - nx // 2, yy - ny // 2) <= radius
    centre = np.zeros(n)
    scale = np.ones(n)
    for i, (image, valid) in enumerate(zip(images, validity, strict=True)):
        values = image[valid & near]
        if values.size < _FEWEST:
            values = image[valid]
        if values.size == 0:
            continue
        centre[i] = median(values)
        spread = MAD_TO_STD * median(np.abs(values - centre[i]))
        if spread == 0:
            spread = values.std()
        # Where there is no spread, any scale of order one in the map's unit
        # would turn the network's small offset into emission.
        scale[i] = spread if spread > 0 else _FLAT * max(abs(centre[i]), _SMALLEST)
    shape = (n, 1, 1)
    return Scaling(centre.reshape(shape), scale.reshape(shape), softening)
