# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Which fields are for training, which for validation and tests.

The paper's section 2.3.2 sorts fields by eye into categories of similar
complexity, and has a field of every category in training, validation and
test. Here a number takes the eye's place: `complexity`.
"""

from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy.ndimage import convolve, gaussian_filter

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._checks import (
    as_fields,
    as_integer,
    as_number,
    check_mapping,
    make_rng,
)
from photutils_pconv.simulation._spectral import robust_std

__all__ = ['complexity', 'split_fields']

# The paper's Fig. 3 shows its six test fields, from plain to complex.
_MAXIMUM_CLASSES = 6

# The shares of the paper's Table 2, scan maps in blue: 29, 7 and 6 of 42.
_FRACTIONS = {'train': 0.69, 'valid': 0.17, 'test': 0.14}

# No plane and no curvature along an axis passes; of white noise of
# standard deviation 1 comes out 6 (Immerkaer 1996, CVIU 64, 300).
_NOISE_KERNEL = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
_NOISE_GAIN = 6.0


def complexity(data, *, setup, noise=None):
    """
    Measure how complex the emission of a field is.

    It is the robust scatter (1.4826 times the median absolute deviation)
    of the map, smoothed with a Gaussian of the beam's FWHM, over the
    noise a pixel. An empty field has what smoothing leaves of the noise,
    0.1 to 0.3; fields with structure of several times the noise have
    more than 1. Sources matter little, but are best not yet injected.

    Parameters
    ----------
    data : map
        The source-free map, in any form that `parse_map
        <photutils_pconv.inputs.parse_map>` takes.

    setup : `~photutils_pconv.setups.ObservingSetup` or str
        The observing setup, for the beam.

    noise : float or `~astropy.units.Quantity`, optional
        The standard deviation of the noise a pixel, in the map's unit.
        By default it is estimated from second differences in both
        directions between neighbouring pixels, which emission seen
        through the beam hardly has. The noise of map makers that
        correlate neighbours is underestimated then: give it, or compare
        fields from one map maker only.

    Returns
    -------
    complexity : float
        The measure; infinite for emission without noise.

    Raises
    ------
    ValueError
        If the noise is negative, not finite, or in another unit than
        the map, or cannot be estimated.
    """
    setup = get_setup(setup=setup)
    given = parse_map(data, pixel_scale=setup.pixel_scale)
    good = np.isfinite(given.data)
    if not good.any():
        msg = 'data must have pixels that are not missing, got none'
        raise ValueError(msg)
    values = np.where(good, given.data - np.median(given.data[good]), 0.0)
    pixel_scale = given.pixel_scale
    pixel_scale = setup.pixel_scale if pixel_scale is None else pixel_scale
    sigma = (setup.psf_fwhm / pixel_scale).to_value('') * gaussian_fwhm_to_sigma
    # Missing pixels neither contribute nor dilute.
    weight = gaussian_filter(good.astype(float), sigma)
    smooth = gaussian_filter(values, sigma)[good] / weight[good]
    scatter = robust_std(smooth)
    noise = _estimate_noise(values, good) if noise is None else _parse(noise, given)
    if noise == 0:
        return 0.0 if scatter == 0 else np.inf
    return float(scatter / noise)


def _estimate_noise(values, good):
    difference = convolve(values, _NOISE_KERNEL, mode='nearest')
    known = convolve(good.astype(int), np.ones((3, 3), dtype=int), mode='constant') == 9
    if not known.any():
        msg = 'the map has no 3 by 3 pixels without a missing one: give noise'
        raise ValueError(msg)
    return robust_std(difference[known]) / _NOISE_GAIN


def _parse(noise, given):
    if isinstance(noise, u.Quantity):
        if given.unit is None:
            msg = f'noise has the unit {noise.unit}, but the map has none'
            raise ValueError(msg)
        try:
            noise = noise.to_value(given.unit)
        except u.UnitConversionError as exc:
            msg = f"noise must be in the map's unit {given.unit}, got {noise.unit}"
            raise ValueError(msg) from exc
    return as_number(noise, 'noise', low=0)


def split_fields(fields, *, complexity, fractions=None, n_classes=None, seed=0):
    """
    Divide fields into training, validation and test, by complexity.

    The fields are ranked by complexity and cut into classes of nearly
    equal number. Every part gets one field of every class that has
    enough, and the rest such that the shares come out as asked for; by
    chance within a class.

    Parameters
    ----------
    fields : sequence of str
        The fields' names, each once. Maps of one piece of sky, in
        whatever band, must be one field: they hold the same structure.

    complexity : sequence of float or dict
        The complexity of each field, such as `complexity` measures it;
        for several bands their mean, say.

    fractions : dict, optional
        The share of each part, of sum 1; by default 'train', 'valid' and
        'test' with 0.69, 0.17 and 0.14, as in the paper's Table 2.

    n_classes : int, optional
        The number of classes; by default as many as the smallest part
        has fields, at most 6. More give every part a larger variety
        and leave the asked for shares.

    seed : int, optional
        The seed of the choice.

    Returns
    -------
    parts : dict of list of str
        The fields of each part, in the order given.

    Raises
    ------
    ValueError
        If there are fewer fields than parts, a name appears twice, a
        complexity is missing or NaN, or the fractions are not accepted.

    Warns
    -----
    `~astropy.utils.exceptions.AstropyUserWarning`
        If a class has too few fields for every part to get one.
    """
    fields = as_fields(fields, 'fields')
    fractions = _FRACTIONS if fractions is None else fractions
    check_mapping(fractions, 'fractions', 'part to share')
    fractions = dict(fractions)
    rng = make_rng(seed)
    values = _check_fields(fields, complexity, fractions)
    n_parts = len(fractions)
    if n_classes is None:
        fewest = max(1, round(min(fractions.values()) * len(fields)))
        n_classes = min(_MAXIMUM_CLASSES, fewest, len(fields) // n_parts)
    elif not 1 <= as_integer(n_classes, 'n_classes', low=-1) <= len(fields):
        msg = f'n_classes must be between 1 and {len(fields)}, got {n_classes}'
        raise ValueError(msg)

    order = np.argsort(values, kind='stable')
    names = list(fractions)
    share = np.array([fractions[name] for name in names])
    count = np.zeros(n_parts, dtype=int)
    part_of = np.empty(len(fields), dtype=int)
    done, scarce = 0, 0
    for members in np.array_split(order, n_classes):
        members = rng.permutation(members)
        done += len(members)
        # One for each part first, then whoever lacks most so far.
        wanted = list(range(n_parts)) if len(members) >= n_parts else []
        scarce += not wanted
        for i, member in enumerate(members):
            lack = share * done - count
            part = wanted[i] if i < len(wanted) else int(np.argmax(lack))
            part_of[member] = part
            count[part] += 1
    if scarce:
        msg = (
            f'{scarce} of the {n_classes} classes of complexity have fewer than '
            f'{n_parts} fields, so not every part has a field of each; choose a '
            'smaller n_classes, or add fields'
        )
        warn_user(msg)
    empty = [name for name, n in zip(names, count, strict=True) if n == 0]
    if empty:
        msg = (
            f'{len(fields)} fields in {n_classes} classes leave {empty} without any: '
            'choose a smaller n_classes, or add fields'
        )
        raise ValueError(msg)
    return {
        name: [field for field, k in zip(fields, part_of, strict=True) if k == i]
        for i, name in enumerate(names)
    }


def _check_fields(fields, values, fractions):
    double = sorted({name for name in fields if fields.count(name) > 1})
    if double:
        msg = f'each field must be named once, but {double} are not'
        raise ValueError(msg)
    if isinstance(values, Mapping):
        lacking = [name for name in fields if name not in values]
        if lacking:
            msg = f'complexity has no value for the fields {lacking}'
            raise ValueError(msg)
        values = [values[name] for name in fields]
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        msg = f'complexity must be numbers, or a dict of them, got {values!r}'
        raise TypeError(msg) from None
    if values.shape != (len(fields),) or np.any(np.isnan(values)):
        msg = (
            f'complexity must be one number for each of the {len(fields)} fields, got '
            f'{values.tolist()}'
        )
        raise ValueError(msg)
    for name, share in fractions.items():
        as_number(share, f'the share of {name!r} in fractions', low=-1)
    shares = list(fractions.values())
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1.0) > 1.0e-6:
        msg = f'fractions must be positive and sum to 1, got {fractions}'
        raise ValueError(msg)
    if len(fields) < len(fractions):
        msg = (
            f'{len(fields)} fields cannot be divided into {list(fractions)}: a field '
            'is in one part only, so there must be at least as many as parts'
        )
        raise ValueError(msg)
    return values
