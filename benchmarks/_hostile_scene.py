# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The small maps of the hostile cases, and how their removal is checked.

A map has sources of known flux on a known sky. What comes out is compared with
the injected fluxes, or with what the plain form of the same map gives.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy.wcs import WCS

from photutils_pconv import NeuralSourceRemover, get_setup
from photutils_pconv.inputs import as_array
from photutils_pconv.photometry import decode_flags
from photutils_pconv.psf import get_psf
from photutils_pconv.simulation import inject_sources

__all__ = [
    'FLUX',
    'METHODS',
    'SETUP',
    'SHAPE',
    'XY',
    'Scene',
    'check_removal',
    'check_result',
    'make_data',
    'make_remover',
    'make_scene',
    'make_wcs',
    'plain',
    'take_first',
]

#: The methods of a removal.
METHODS = ('inpaint', 'psf')
SETUP = 'scanmap/green'
SHAPE = (112, 104)
#: The sources: positions (pixels), and fluxes (Jy).
XY = np.array([[36.3, 41.1], [68.8, 72.7]])
FLUX = np.array([2.0, 0.5])
# The sky, its slope, and the noise, in Jy/pixel: the sources are bright.
_SKY, _SLOPE, _NOISE = 2e-3, 2e-5, 1e-4
_SEED = 20261128
# How near the fluxes of each method are to the injected ones on these maps.
TOLERANCE = {'inpaint': 0.03, 'psf': 0.02}


@dataclass(frozen=True, eq=False)
class Scene:
    """
    A map of which everything is known.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, in Jy/pixel.

    empty : 2D `~numpy.ndarray`
        The map without sources.

    xy : (N, 2) `~numpy.ndarray`
        The positions.

    flux : (N,) `~numpy.ndarray`
        The fluxes, in Jy.

    wcs : `~astropy.wcs.WCS`
        The WCS.
    """

    data: np.ndarray
    empty: np.ndarray
    xy: np.ndarray
    flux: np.ndarray
    wcs: WCS


def make_remover(method, *, setup=SETUP, **options):
    """
    Make a remover; all cases do it here.

    Parameters
    ----------
    method : str
        One of `METHODS`.

    setup : str, optional
        The setup.

    **options
        Keyword arguments of `~photutils_pconv.NeuralSourceRemover`. By default
        the errors are local, which is fast, and the network's precision is float32.

    Returns
    -------
    remover : `~photutils_pconv.NeuralSourceRemover`
        The remover.
    """
    # In bfloat16 a rounding of the input becomes 3e-6 of a flux.
    chosen = {'error_method': 'local', 'method': method, 'precision': 'float32'}
    return NeuralSourceRemover(setup=setup, **(chosen | options))


def make_wcs(shape=SHAPE, *, scale=1.6, center=(83.8, -5.4), projection='TAN'):
    """
    Make a celestial WCS.

    Parameters
    ----------
    shape : tuple of int, optional
        The shape of the map.

    scale : float, optional
        The pixels' side, in arcsec.

    center : tuple of float, optional
        Right ascension and declination of the map's centre, in degrees.

    projection : str, optional
        The code of the projection.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        The WCS.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = f'RA---{projection}', f'DEC--{projection}'
    wcs.wcs.crval = center
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    wcs.wcs.cunit = 'deg', 'deg'
    wcs.wcs.radesys = 'ICRS'
    wcs.wcs.set()
    return wcs


@cache
def make_scene(
    *, setup=SETUP, factor=1.0, shape=SHAPE, xy=None, flux=None, sky=_SKY, noise=_NOISE
):
    """
    Make a map with sources.

    Parameters
    ----------
    setup : str, optional
        The setup, of whose PSF the sources are.

    factor : float, optional
        Its pixels, in native pixels of the setup.

    shape : tuple of int, optional
        Its shape.

    xy : tuple of (float, float), optional
        The positions.

    flux : tuple of float, optional
        The fluxes, in Jy.

    sky, noise : float, optional
        The sky and the standard deviation of the noise, in Jy/pixel.

    Returns
    -------
    scene : `Scene`
        The map. Nobody may change its arrays.
    """
    scale = factor * get_setup(setup=setup).pixel_scale.to_value('arcsec')
    xy = XY if xy is None else np.array(xy, dtype=float)
    flux = FLUX if flux is None else np.array(flux, dtype=float)
    rng = np.random.default_rng(_SEED)
    empty = sky + _SLOPE * np.arange(shape[1]) * np.ones((shape[0], 1))
    empty = empty + noise * rng.standard_normal(shape)
    data = inject_sources(
        empty, *xy.T, flux, psf=get_psf(setup), pixel_scale=scale, angle=0.0
    )
    for array in (data, empty, xy, flux):
        array.setflags(write=False)
    return Scene(data, empty, xy, flux, make_wcs(shape, scale=scale))


def make_data():
    """Give the map of the default scene, as an array of its own."""
    return make_scene().data.copy()


@cache
def plain(method, *, setup=SETUP, factor=1.0):
    """
    Clean a plain array: what its other forms are compared with.

    Parameters
    ----------
    method : str
        One of `METHODS`.

    setup : str, optional
        The setup.

    factor : float, optional
        The map's pixels, in native pixels.

    Returns
    -------
    flux, aperture_flux, cleaned : `~numpy.ndarray`
        The fluxes, those in the first aperture, and the cleaned map.
    """
    scene = make_scene(setup=setup, factor=factor)
    wcs = None if factor == 1.0 else scene.wcs
    result = make_remover(method, setup=setup)(scene.data.copy(), scene.xy, wcs=wcs)
    return (*_fluxes(result.photometry), as_array(result.cleaned).copy())


def _fluxes(table):
    """Give the fluxes and those in the first aperture, without units."""
    return take_first(table['flux']), take_first(table['flux_aperture'])


def take_first(column):
    """
    Give a column of a photometry table, of the first aperture, without unit.

    Parameters
    ----------
    column : `~astropy.table.Column` or `~astropy.units.Quantity`
        The column.

    Returns
    -------
    values : 1D `~numpy.ndarray`
        Its values.
    """
    values = np.asarray(getattr(column, 'value', column), dtype=float)
    return values if values.ndim == 1 else values[:, 0]


def check_removal(
    context,
    method,
    data,
    sources=XY,
    *,
    truth=None,
    scale=1.0,
    map_scale=None,
    rtol=0.0,
    rows=slice(None),
    options=None,
    setup=SETUP,
    **call,
):
    """
    Clean a map and compare with the truth.

    Parameters
    ----------
    context : `_hostile_case.Context`
        The case's context.

    method : str
        One of `METHODS`.

    data, sources
        The map and the sources; by default those of the default scene.

    truth : sequence of float, optional
        The fluxes that must come out. By default those of the plain map.

    scale : float, optional
        The flux, in units of the plain map's.

    map_scale : float, optional
        The cleaned map, in units of the plain map's; by default it is not
        compared.

    rtol : float, optional
        The relative tolerance; 0 means to the bit.

    rows : slice or sequence of int, optional
        The rows that are compared.

    options : dict, optional
        Options of the remover.

    setup : str, optional
        The setup.

    **call
        Keyword arguments of the call.

    Returns
    -------
    result : `~photutils_pconv.SourceRemovalResult`
        The result.
    """
    sources = XY.copy() if sources is XY else sources
    context.watch(data, sources, *call.values())
    remover = make_remover(method, setup=setup, **(options or {}))
    result = remover(data, sources, **call)
    if truth is None:
        flux, aperture_flux, cleaned = plain(method, setup=setup)
    else:
        flux = aperture_flux = np.asarray(truth, dtype=float)
    check_result(
        context,
        result,
        flux=flux * scale,
        aperture_flux=aperture_flux * scale,
        rtol=rtol,
        rows=rows,
    )
    if map_scale is not None:
        context.compare(
            'the cleaned map',
            as_array(result.cleaned),
            cleaned * map_scale,
            rtol=rtol,
            atol=rtol * map_scale * np.ptp(make_scene(setup=setup).data),
        )
    return result


def check_result(context, result, *, flux, aperture_flux, rtol, rows=slice(None)):
    """
    Compare the table of a result with the truth, and note its flags.

    Parameters
    ----------
    context : `_hostile_case.Context`
        The case's context.

    result : `~photutils_pconv.SourceRemovalResult`
        The result.

    flux, aperture_flux : `~numpy.ndarray`
        The fluxes, and those in the first aperture.

    rtol : float
        The relative tolerance.

    rows : slice or sequence of int, optional
        The rows that are compared.
    """
    table = result.photometry
    for names in decode_flags(np.asarray(table['flags'])):
        context.flags.update(names)
    for name, truth in (('flux', flux), ('flux_aperture', aperture_flux)):
        found, error = take_first(table[name]), take_first(table[f'{name}_err'])
        context.compare(name, found[rows], truth, rtol=rtol)
        error = error[np.isfinite(found)]
        if not np.all(np.isfinite(error) & (error >= 0)):
            context.fail(f'{name}_err is {error}')
