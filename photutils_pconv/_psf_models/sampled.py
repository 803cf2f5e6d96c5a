# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A PSF given as an image. Its public home is `photutils_pconv.psf`.
"""

from functools import lru_cache, partial

import numpy as np
from scipy.interpolate import PchipInterpolator

from photutils_pconv._psf_models.images import (
    check_image_psf,
    check_kernel,
    read_psf_file,
    write_psf_file,
)
from photutils_pconv._psf_models.rendering import (
    DEFAULT_OVERSAMPLING,
    average_over_pixels,
    turn_and_stretch,
)
from photutils_pconv._psf_models.splines import (
    box_smooth,
    evaluate_spline,
    make_spline,
    radial_energy,
)
from photutils_pconv._utils.checks import to_bool, to_float

__all__ = ['SampledPSF']

# On maps coarser than the effective pixel by no more than this factor, the
# values are taken as they are (by choice: pixel scales that agree within 2
# percent count as equal, as those of a map and its setup).
_SAME_PIXEL = 1.02
# So close (in samples) to a whole number of samples a pixel counts as whole.
_ROUNDING = 1.0e-6


class SampledPSF:
    """
    PSF given as an image, centred on the image's central pixel.

    Between the samples a cubic spline is used; beyond the image the PSF
    is zero. Use one of the class methods to build it from data that need
    checking, and `get_psf` to find a bundled one.

    Parameters
    ----------
    data : 2D array_like
        The image, with odd sides: the flux in each sample. It is taken
        as it is; a sum of 1 means a source of flux 1.

    pixel_scale : float
        The side of a sample, in arcsec.

    effective_pixel : float, optional
        The side, in arcsec, of the map pixel whose average the image's
        values contain already, as in an effective PSF measured on a map.
        On maps of that pixel scale, or a finer one, `render` takes the
        values as they are; on coarser maps it averages over the pixel.
        Zero, the default, stands for a density on the sky, which is
        always averaged.

    meta : mapping, optional
        What is known of the PSF, such as the header of its file.
    """

    # The class is documented and pickled under its public name.
    __module__ = 'photutils_pconv.psf'

    def __init__(self, data, pixel_scale, *, effective_pixel=0.0, meta=None):
        self.pixel_scale = to_float(pixel_scale, 'pixel_scale')
        self.data = check_kernel(data, normalize=False, warn=False)
        self.effective_pixel = float(effective_pixel)
        if not (np.isfinite(self.effective_pixel) and self.effective_pixel >= 0):
            msg = (
                'effective_pixel must be a side in arcsec, or 0 for none, got '
                f'{effective_pixel!r}.'
            )
            raise ValueError(msg)
        self.meta = {} if meta is None else dict(meta)
        self.data.flags.writeable = False
        self._spline = make_spline(self.data)
        self._in_aperture = lru_cache(maxsize=4)(self._smooth_twice)
        self._energy = None

    def __repr__(self):
        ny, nx = self.data.shape
        return f'<SampledPSF({ny} x {nx} samples of {self.pixel_scale:g} arcsec)>'

    def __reduce__(self):
        # The spline is recalculated rather than carried along.
        return _rebuild, (
            self.data,
            self.pixel_scale,
            self.effective_pixel,
            self.meta,
        )

    @classmethod
    def from_array(cls, data, *, pixel_scale, normalize=True, effective_pixel=0.0):
        """
        Build a PSF from an image of your own.

        Parameters
        ----------
        data : 2D array_like
            The image, with odd sides and the source on its central
            pixel.

        pixel_scale : float
            The side of its pixels, in arcsec.

        normalize : bool, optional
            Whether to scale the image to a flux of 1, with a warning
            where it is more than 1 percent off. `False` is for an image
            that leaves out a known part of the wings.

        effective_pixel : float, optional
            The side of the map pixel that the image contains already,
            in arcsec (see the class).

        Returns
        -------
        psf : `SampledPSF`
            The PSF.
        """
        data = check_kernel(data, normalize=normalize)
        return cls(data, pixel_scale, effective_pixel=effective_pixel)

    @classmethod
    def from_fits(cls, path, *, pixel_scale=None, normalize=True, effective_pixel=None):
        """
        Read a PSF from a FITS file.

        Parameters
        ----------
        path : str or `~pathlib.Path`
            The file. Its first 2-D image is taken.

        pixel_scale : float, optional
            The side of its pixels, in arcsec. By default it is read from
            the header: from ``PIXSCALE``, ``PIXELSCL`` or a WCS.

        normalize : bool, optional
            See `from_array`.

        effective_pixel : float, optional
            See the class. By default it is read from the header's
            ``EFFPIX``, and is 0 where there is none.

        Returns
        -------
        psf : `SampledPSF`
            The PSF, with the header in its ``meta``.
        """
        normalize = to_bool(normalize, 'normalize')
        data, header, scale = read_psf_file(path)
        scale = scale if pixel_scale is None else pixel_scale
        if scale is None:
            msg = (
                f'The header of {str(path)!r} does not give the side of a '
                'pixel: give pixel_scale, in arcsec.'
            )
            raise ValueError(msg)
        if effective_pixel is None:
            effective_pixel = header.get('EFFPIX', 0.0)
        data = check_kernel(data, normalize=normalize)
        meta = {key: header[key] for key in header if key not in ('', 'COMMENT')}
        return cls(data, scale, effective_pixel=effective_pixel, meta=meta)

    @classmethod
    def from_image_psf(cls, model, *, pixel_scale, normalize=True):
        """
        Build a PSF from photutils' ``ImagePSF``.

        An ``ImagePSF`` is an effective PSF: its values contain the
        average over a map pixel, which `render` does not repeat.

        Parameters
        ----------
        model : `~photutils.psf.ImagePSF`
            The model. Its flux and position are not used.

        pixel_scale : float
            The side of the map's pixel (not of the oversampled one), in
            arcsec.

        normalize : bool, optional
            See `from_array`; an ``ImagePSF`` is normalised when its sum
            is the product of its oversampling factors.

        Returns
        -------
        psf : `SampledPSF`
            The PSF.
        """
        normalize = to_bool(normalize, 'normalize')
        pixel_scale = to_float(pixel_scale, 'pixel_scale')
        factor = check_image_psf(model)
        data = check_kernel(model.data, normalize=normalize, total=factor**2)
        return cls(data, pixel_scale / factor, effective_pixel=pixel_scale)

    @property
    def radius(self):
        """
        The radius of the largest circle inside the image, in arcsec.
        """
        return min(self.data.shape) / 2 * self.pixel_scale

    def density(self, dx, dy, *, angle=0.0, stretch=1.0):
        """
        Evaluate the surface density of a source of flux 1.

        Parameters
        ----------
        dx, dy : array_like
            Offsets from the source, in arcsec.

        angle : float, optional
            The rotation of the image, in radians, counter-clockwise.

        stretch : float, optional
            Stretch along the rotated x axis; the other axis shrinks by
            as much, so that the flux is kept.

        Returns
        -------
        density : `~numpy.ndarray`
            The density, per arcsec^2, with the shape of ``dx``.
        """
        dx, dy = np.asarray(dx, dtype=float), np.asarray(dy, dtype=float)
        u, v = turn_and_stretch(
            dx, dy, angle=angle, stretch=stretch, unit=self.pixel_scale
        )
        return evaluate_spline(self._spline, u, v) / self.pixel_scale**2

    def render(
        self, shape, x, y, *, pixel_scale, angle=0.0, stretch=1.0, oversampling=None
    ):
        """
        Render a source of flux 1 on a pixel grid.

        Parameters
        ----------
        shape : tuple of int
            The shape (ny, nx) of the image.

        x, y : float
            The source's position, 0-based, pixel centres at integers.

        pixel_scale : float
            The pixel's side, in arcsec.

        angle, stretch : float, optional
            See `density`.

        oversampling : int, optional
            Points a pixel side over which the density is averaged, where
            it is. By default 3, or more where the PSF's samples lie
            closer.

        Returns
        -------
        image : `~numpy.ndarray`
            The flux in each pixel; it sums to 1 on a large image.
        """
        pixel_scale = to_float(pixel_scale, 'pixel_scale')
        if oversampling is None:
            samples = int(np.ceil(pixel_scale / self.pixel_scale - _ROUNDING))
            oversampling = max(DEFAULT_OVERSAMPLING, samples)
        return average_over_pixels(
            partial(self.density, angle=angle, stretch=stretch),
            shape,
            x,
            y,
            pixel_scale=pixel_scale,
            oversampling=oversampling,
            box=self.pixel_average(pixel_scale),
        )

    def encircled_energy(self, radius, *, pixel_scale=None):
        """
        Calculate the share of the flux within a radius.

        Parameters
        ----------
        radius : array_like
            The radius, in arcsec.

        pixel_scale : float, optional
            The side of a map's pixel, in arcsec, for the fraction that
            aperture photometry finds on such a map: its pixels at an
            aperture's rim are shared by their area, as if their flux
            were spread evenly, which smooths the PSF. By default, the
            fraction of the PSF itself.

        Returns
        -------
        eef : `~numpy.ndarray`
            The encircled-energy fraction.
        """
        if pixel_scale is not None:
            scale = to_float(pixel_scale, 'pixel_scale')
            return self._in_aperture(scale).encircled_energy(radius)
        if self._energy is None:
            self._energy = PchipInterpolator(
                *radial_energy(self._spline), extrapolate=False
            )
        radius = np.asarray(radius, dtype=float) / self.pixel_scale
        return self._energy(np.clip(radius, 0.0, self._energy.x[-1]))

    def to_image_psf(self, *, pixel_scale, oversampling=4, angle=0.0):
        """
        Convert the PSF to photutils' ``ImagePSF``.

        Parameters
        ----------
        pixel_scale : float
            The side of the map's pixel, in arcsec.

        oversampling : int, optional
            The number of samples a map pixel.

        angle : float, optional
            The rotation of the image, in radians, counter-clockwise.

        Returns
        -------
        model : `~photutils.psf.ImagePSF`
            The effective PSF, which contains the average over a map
            pixel, normalised to the flux of this PSF.
        """
        from photutils.psf import ImagePSF

        pixel_scale = to_float(pixel_scale, 'pixel_scale')
        smoothed = self.on_pixels(pixel_scale)
        step = pixel_scale / oversampling
        reach = int(np.ceil(smoothed.radius * (np.sqrt(2) if angle else 1) / step))
        offset = np.arange(-reach, reach + 1) * step
        dx, dy = np.meshgrid(offset, offset)
        data = smoothed.density(dx, dy, angle=angle) * pixel_scale**2
        data *= self.data.sum() * oversampling**2 / data.sum()
        return ImagePSF(data, oversampling=oversampling)

    def to_fits(self, path, *, overwrite=False):
        """
        Write the PSF to a FITS file that `from_fits` reads.

        Parameters
        ----------
        path : str or `~pathlib.Path`
            The file.

        overwrite : bool, optional
            Whether to replace a file.
        """
        overwrite = to_bool(overwrite, 'overwrite')
        write_psf_file(
            path,
            self.data,
            pixel_scale=self.pixel_scale,
            effective_pixel=self.effective_pixel,
            overwrite=overwrite,
        )

    def pixel_average(self, pixel_scale):
        """
        Give the side of the square over which the PSF is averaged on a map.

        Parameters
        ----------
        pixel_scale : float
            The side of the map's pixel, in arcsec.

        Returns
        -------
        side : float
            The side, in arcsec: that of the pixel, or 0 where the image contains
            the average already.
        """
        # A part of the pixel would do on slightly coarser maps, but only
        # the whole of it keeps the flux at any position.
        return 0.0 if pixel_scale <= _SAME_PIXEL * self.effective_pixel else pixel_scale

    def on_pixels(self, pixel_scale):
        """
        Give the effective PSF on a map: averaged over its pixels.

        Parameters
        ----------
        pixel_scale : float
            The side of the map's pixel, in arcsec.

        Returns
        -------
        psf : `SampledPSF`
            The PSF; where it contains the average already, as it is.
        """
        return self._smooth(self.pixel_average(pixel_scale))

    def _smooth(self, width):
        """Return the PSF averaged over a square."""
        return SampledPSF(
            box_smooth(self.data, width / self.pixel_scale), self.pixel_scale
        )

    def _smooth_twice(self, pixel_scale):
        """
        Return the PSF as apertures see it on a map.
        """
        return self.on_pixels(pixel_scale)._smooth(pixel_scale)


def _rebuild(data, pixel_scale, effective_pixel, meta):
    """Build a PSF again from what was pickled."""
    return SampledPSF(data, pixel_scale, effective_pixel=effective_pixel, meta=meta)
