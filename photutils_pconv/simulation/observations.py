# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Simulated observations: a map with sources of known flux, and their list.

The steps are those of section 2.3.1 of the paper: into a field, a number
of random positions, and the PSF scaled to the flux at every position.
"""

import os

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import QTable
from scipy.ndimage import distance_transform_edt

from photutils_pconv._psf_models.measures import measure_fwhm
from photutils_pconv._utils.checks import to_quantity
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.values import add_history
from photutils_pconv.psf.library import SampledPSF, get_psf
from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.setups.beam_rules import size_ratio
from photutils_pconv.setups.setup import ObservingSetup
from photutils_pconv.simulation._checks import (
    MAXIMUM_COUNT,
    as_integer,
    as_number,
    check_rng,
)
from photutils_pconv.simulation.injection import (
    clustered_positions,
    inject_sources,
    random_positions,
)

__all__ = ['simulate_sources']

# Sources per square arcmin where their number is left open, and lengths in arcsec;
# by choice, for PACS: they go with the beam.
_DENSITY = 0.5
_LENGTHS = {'separation': 30.0, 'margin': 15.0, 'cluster_radius': 60.0}


def simulate_sources(
    data,
    psf,
    flux,
    *,
    rng,
    n_sources=None,
    density=None,
    separation=None,
    margin=None,
    n_clusters=None,
    cluster_radius=None,
    rotation='map',
    mask=None,
    coverage_mask=None,
    wcs=None,
):
    """
    Inject sources of known flux at random positions into a map.

    Parameters
    ----------
    data : map
        The map, of any kind that `~photutils_pconv.inputs.parse_map`
        accepts, real or simulated, with a unit and a WCS.

    psf : setup, str, `~pathlib.Path`, array, ``ImagePSF`` or PSF
        The PSF, or what `~photutils_pconv.psf.get_psf` finds one by; an
        array or ``ImagePSF`` is taken to have the map's pixel scale.

    flux : float, `~astropy.units.Quantity` or pair of them
        The flux of all sources, or the range in whose logarithm they are
        spread evenly, in mJy.

    rng : `numpy.random.Generator`
        The source of randomness.

    n_sources : int, optional
        The number of sources.

    density : float, optional
        The number of sources per square arcmin in which they may lie,
        instead of ``n_sources``. By default 0.5 for the PSFs of PACS (FWHM of
        5 to 14 arcsec). Of narrower or wider ones there are as many a beam, and
        the lengths below go with the FWHM.

    separation : float or `~astropy.units.Quantity`, optional
        The smallest distance between two sources, in arcsec. By default 30
        for PACS.

    margin : float or `~astropy.units.Quantity`, optional
        The smallest distance of a source from the map's edge and from
        missing pixels, in arcsec. By default 15 for PACS.

    n_clusters : int, optional
        The number of clusters in which the sources lie. By default they
        are spread evenly.

    cluster_radius : float or `~astropy.units.Quantity`, optional
        The standard deviation of the positions in a cluster, in arcsec. By
        default 60 for PACS.

    rotation : {'map', 'source'}, float or `~astropy.units.Quantity`, optional
        Whether to draw one orientation of the PSF for the map, as one
        observation has, or one for each source; or the angle itself, in
        radians, counter-clockwise on the pixel grid.

    mask, coverage_mask, wcs : optional
        See `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    ccd : `~astropy.nddata.CCDData`
        The map with the sources. What is not a source is the input's,
        missing pixels included.

    sources : `~astropy.table.QTable`
        The columns ``ra`` and ``dec`` (deg, ICRS) and ``flux`` (mJy); the
        PSF and its angles (radians) stand in ``meta``.

    Raises
    ------
    TypeError, ValueError
        If the map has no unit or no WCS, the sources do not fit on it,
        or an argument is not accepted.

    Warns
    -----
    AstropyUserWarning
        If the PSF's flux is not 1 to within 1 percent.
    """
    # What is wrong with the arguments is said before the map is read.
    check_rng(rng)
    low, high = _parse_flux(flux)
    given = {
        'separation': separation,
        'margin': margin,
        'cluster_radius': cluster_radius,
    }
    given = {
        name: None if value is None else _to_angle(value, name)
        for name, value in given.items()
    }
    if n_sources is not None and density is not None:
        msg = 'Give n_sources or density, not both.'
        raise ValueError(msg)
    if n_sources is not None:
        n_sources = as_integer(n_sources, 'n_sources', low=1)
    if density is not None:
        density = as_number(density, 'density', above=0)
    if n_clusters is not None:
        n_clusters = as_integer(n_clusters, 'n_clusters', low=1)
    rotation = _parse_rotation(rotation)

    map_input = parse_map(data, mask=mask, coverage_mask=coverage_mask, wcs=wcs)
    if map_input.unit is None or map_input.wcs is None:
        name = 'unit' if map_input.unit is None else 'WCS'
        msg = (
            f'The map has no {name}: sources of known flux and position need a map '
            'with both, such as CCDData with unit and wcs.'
        )
        raise ValueError(msg)
    scale = map_input.pixel_scale.to_value(u.arcsec)
    model = _find_psf(psf, scale)
    ratio = size_ratio(measure_fwhm(model))
    separation, margin, cluster_radius = (
        (_LENGTHS[name] * ratio if value is None else value) / scale
        for name, value in given.items()
    )

    forbidden = map_input.missing
    if margin > 0 and forbidden.any():
        forbidden = distance_transform_edt(~forbidden) <= margin
    if n_sources is None:
        density = _DENSITY / ratio**2 if density is None else density
        area = np.count_nonzero(~forbidden) * (scale / 60.0) ** 2
        # More would not fit on any map.
        n_sources = round(min(max(1, density * area), MAXIMUM_COUNT))
    if n_clusters is None:
        x, y = random_positions(
            map_input.shape,
            n_sources,
            rng=rng,
            separation=separation,
            margin=margin,
            mask=forbidden,
        )
    else:
        x, y = clustered_positions(
            map_input.shape,
            n_sources,
            n_clusters=n_clusters,
            radius=cluster_radius,
            rng=rng,
            separation=separation,
            margin=margin,
            mask=forbidden,
        )
    n = len(x)
    fluxes = low * (high / low) ** (rng.random(n) if high > low else np.zeros(n))
    angle = _draw_angle(rotation, n, rng)
    image = inject_sources(
        map_input.data.astype(float),
        x,
        y,
        fluxes / 1000.0 / map_input.jy_per_pixel_at(x, y),
        psf=model,
        pixel_scale=scale,
        angle=angle,
    )
    ccd = _as_ccd(map_input, image, f'photutils-pconv: {n} sources injected, {model}')
    sky = map_input.wcs.pixel_to_world(x, y).icrs
    sources = QTable({'ra': sky.ra.deg, 'dec': sky.dec.deg, 'flux': fluxes})
    for name, unit in (('ra', u.deg), ('dec', u.deg), ('flux', u.mJy)):
        sources[name] = sources[name] * unit
    sources.meta['psf'] = repr(model)
    sources.meta['angle'] = np.asarray(angle).tolist()
    return ccd, sources


def _parse_flux(flux):
    """
    Return the limits of the fluxes, in mJy; equal for one flux.
    """
    if not isinstance(flux, u.Quantity) and isinstance(flux, list | tuple):
        flux = u.Quantity([to_quantity(value, u.mJy, 'flux') for value in flux], u.mJy)
    shape = (2,) if np.ndim(flux) else ()
    values = to_quantity(flux, u.mJy, 'flux', shape=shape).value
    low, high = np.broadcast_to(values, 2)
    if low > high:
        msg = f'flux must be a range in ascending order, got {low:g} to {high:g} mJy.'
        raise ValueError(msg)
    return float(low), float(high)


def _to_angle(value, name):
    """
    Return a length on the sky in arcsec, which may be 0.
    """
    value = _to_quantity(value, u.arcsec, name)
    if not (value.isscalar and np.isfinite(value) and value >= 0):
        msg = f'{name} must be an angle (arcsec), not negative, got {value}.'
        raise ValueError(msg)
    return value.value


def _to_quantity(value, unit, name):
    if isinstance(value, str | bytes | bool):
        msg = f'{name} must be a number or a Quantity, got {value!r}.'
        raise TypeError(msg)
    try:
        return u.Quantity(value, unit, dtype=float)
    except u.UnitConversionError:
        msg = f'{name} must have a unit convertible to {unit}, got {value.unit}.'
        raise ValueError(msg) from None
    except (TypeError, ValueError):
        msg = f'{name} must be a number or a Quantity, got {value!r}.'
        raise TypeError(msg) from None


def _find_psf(psf, scale):
    """
    Return the PSF, with a warning if its flux is not 1.
    """
    known = ObservingSetup | SampledPSF | LobedPSF | str | os.PathLike
    model = get_psf(psf) if isinstance(psf, known) else get_psf(psf, pixel_scale=scale)
    total = model.data.sum() if isinstance(model, SampledPSF) else 1.0
    if abs(total - 1.0) > 0.01:
        msg = (
            f'The flux of the PSF is {total:.4g}, not 1: so much of each flux is '
            'injected. Build it with normalize=True unless that is meant.'
        )
        warn_user(msg)
    return model


def _parse_rotation(rotation):
    """
    Return a name as it is, or an angle in radians.
    """
    if isinstance(rotation, str):
        if rotation not in ('map', 'source'):
            msg = f"rotation must be 'map', 'source' or an angle, got {rotation!r}."
            raise ValueError(msg)
        return rotation
    angle = _to_quantity(rotation, u.rad, 'rotation')
    if not (angle.isscalar and np.isfinite(angle)):
        msg = f'rotation must be one finite angle (radians), got {rotation!r}.'
        raise ValueError(msg)
    return float(angle.value)


def _draw_angle(rotation, n, rng):
    if isinstance(rotation, str):
        return rng.uniform(0.0, 2.0 * np.pi, size=n if rotation == 'source' else None)
    return rotation


def _as_ccd(map_input, image, history):
    """
    Put a map into CCDData, whatever the input was.
    """
    if isinstance(map_input.original, CCDData):
        return map_input.like_input(image, history=(history,))
    error = map_input.error
    ccd = CCDData(
        image,
        unit=map_input.unit,
        wcs=map_input.wcs,
        mask=map_input.missing if map_input.missing.any() else None,
        uncertainty=None if error is None else StdDevUncertainty(error),
        meta=map_input.meta,
    )
    add_history(ccd.meta, (history,))
    return ccd
