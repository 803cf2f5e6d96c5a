# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Standard stars: measured fluxes against those of stellar models.

The reference fluxes (Balog et al. 2014; Klaas et al. 2018) and the
paper's own measurements (Table 5) ship with the package.
"""

from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.evaluation.fluxes import measure_others
from photutils_pconv.evaluation.map_lists import list_fits
from photutils_pconv.evaluation.published import load_standard_stars
from photutils_pconv.evaluation.removers import RemoverChoice
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.from_header import setup_of_file
from photutils_pconv.setups.registry import get_setup

__all__ = [
    'STAR_APERTURES',
    'measure_standard_stars',
]

STAR_APERTURES = {'blue': 12.0, 'green': 12.0, 'red': 22.0}
"""
The aperture radii (arcsec) for standard stars, those of Balog et al.
2014 (Exp. Astron. 37, 129).
"""


def measure_standard_stars(
    maps,
    *,
    setup=None,
    mode=None,
    band=None,
    remover=None,
    others=(),
    aperture_radius=None,
    methods=None,
    colour_correction='star',
    report=None,
):
    """
    Centroid, remove and measure standard stars, and compare (Table 5).

    Parameters
    ----------
    maps : path-like or sequence
        A folder, whose FITS files are taken, or a list of paths; instead
        of a path it may hold a (path, setup) pair.

    setup : `~photutils_pconv.ObservingSetup` or str, optional
        The setup of all maps that name none; by default as the header
        says.

    mode, band : str, optional
        The mode of maps without a setup, and the band of those whose headers
        do not give it (see the header).

    remover : `~photutils_pconv.evaluation.RemoverChoice`, optional
        The remover; by default a plain
        `~photutils_pconv.NeuralSourceRemover`.

    others : sequence of `~photutils_pconv.evaluation.RemoverChoice`, optional
        Further removers, whose ratios stand in columns of their names.

    aperture_radius : float or `~astropy.units.Quantity`, optional
        The aperture radius (arcsec), by default `STAR_APERTURES`, or
        else the setup's.

    methods : sequence of str, optional
        The other methods to measure with: names of
        `photutils_pconv.evaluation`, by default all that are
        installed.

    colour_correction : optional
        The spectrum of the stars, as
        `~photutils_pconv.photometry.colour_correction` takes it, or `None`: the
        reference fluxes are monochromatic, and those of the maps are not.

    report : callable, optional
        Called with a line of text after each map.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row per star and map: ``star``, ``map``, ``setup``, ``aperture``;
        ``offset``, how far the centroid is from the star's J2000
        position, which its proper motion and the telescope's pointing
        add up to; ``snr``, ``flux``, ``flux_err``, ``flux_annulus``,
        ``reference``, ``reference_err``, ``paper`` (mJy); ``ratio``,
        ``ratio_annulus``, ``ratio_paper``, over the reference, and
        ``ratio_METHOD`` of every other remover and method;
        ``colour_correction``, the factor that all of ours were divided by;
        ``flags``.

    Raises
    ------
    FileNotFoundError
        If the folder holds no FITS file.

    ValueError
        If no standard star lies on any of the maps, or the setup of a map with
        one is not known, or has no reference fluxes.

    Warns
    -----
    AstropyUserWarning
        If no standard star lies on one of several maps.
    """
    remover = RemoverChoice() if remover is None else remover
    stars = load_standard_stars()
    jobs = []
    # What cannot be measured is said before anything is.
    for path, own in _list_jobs(maps):
        index = _find_star(parse_map(path), stars)
        if index is None:
            msg = f'no standard star lies on {path.name}: it is left out'
            warn_user(msg)
            continue
        own = own or setup
        found = (
            get_setup(setup=own) if own else setup_of_file(path, mode=mode, band=band)
        )
        if found.band not in STAR_APERTURES:
            msg = (
                f'{path.name}: there are reference fluxes in the bands '
                f'{", ".join(STAR_APERTURES)}, and none for {found.name!r}'
            )
            raise ValueError(msg)
        jobs.append((path, stars[index], found))
    if not jobs:
        msg = 'no standard star of Table 5 lies on any of the maps'
        raise ValueError(msg)
    rows = []
    for path, star, found in jobs:
        row = _measure_star(
            path,
            star,
            found,
            removers=(remover, *others),
            aperture_radius=aperture_radius,
            methods=methods,
            colour_correction=colour_correction,
        )
        rows.append(row)
        if report is not None:
            report(f'{path.name}: {row["star"]}, ratio {row["ratio"]:.3f}')
    return QTable(rows=rows)


def _list_jobs(maps):
    """
    Return paths and the setups that came with them.
    """
    if isinstance(maps, str | Path):
        return [(path, None) for path in list_fits(maps)]
    jobs = []
    for item in maps:
        path, own = (item, None) if isinstance(item, str | Path) else item
        jobs.append((Path(path).expanduser(), own))
    return jobs


def _find_star(map_input, stars):
    """
    Return the index of the brightest standard star on a map, or `None`.
    """
    if map_input.wcs is None:
        return None
    sky = SkyCoord(stars['ra'], stars['dec'])
    # Projections have no place for the far side of the sky.
    with np.errstate(invalid='ignore'):
        x, y = map_input.wcs.world_to_pixel(sky)
    ny, nx = map_input.shape
    inside = (x > -0.5) & (y > -0.5) & (x < nx - 0.5) & (y < ny - 0.5)
    # A TAN projection folds the far side of the sky onto the near one.
    centre = map_input.wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2)
    inside &= sky.separation(centre.icrs) < 10 * u.deg
    for index in np.flatnonzero(inside):
        column, row = round(float(x[index])), round(float(y[index]))
        if not map_input.missing[row, column]:
            return int(index)
    return None


def _measure_star(
    path,
    star,
    setup,
    *,
    removers,
    aperture_radius,
    methods,
    colour_correction,
):
    radius = STAR_APERTURES[setup.band] if aperture_radius is None else aperture_radius
    radius = u.Quantity(radius, u.arcsec)
    given = RemoverChoice(
        aperture_radii=radius, recenter=True, colour_correction=colour_correction
    )
    sky = SkyCoord(star['ra'], star['dec'])
    photometry, *further = (
        one.or_else(given).make_remover(setup)(path, sky.reshape(1)).photometry
        for one in removers
    )
    found, colour = photometry[0], photometry.meta['colour_correction_factor']
    reference = star[f'reference_{setup.band}']
    flux, aperture, annulus = (
        u.Quantity(found[name], u.mJy)
        for name in ('flux', 'flux_aperture', 'flux_annulus')
    )
    paper = star[f'paper_{setup.band}']
    row = {
        'star': str(star['name']),
        'map': path.name,
        'setup': setup.name,
        'aperture': radius,
        'x_center': float(found['x_center']),
        'y_center': float(found['y_center']),
        'offset': found['sky_center'].separation(sky).to(u.arcsec),
        'snr': float(found['snr']),
        'hole_radius': float(found['hole_radius']),
        'flux': flux,
        'flux_err': u.Quantity(found['flux_err'], u.mJy),
        'flux_aperture': aperture,
        'flux_annulus': annulus,
        'reference': reference,
        'reference_err': star[f'reference_err_{setup.band}'],
        'paper': paper,
        'ratio': float(flux / reference),
        'ratio_aperture': float(aperture / reference),
        'ratio_annulus': float(annulus / reference),
        'ratio_paper': float(paper / reference),
    }
    for one, other in zip(removers[1:], further, strict=True):
        row[f'ratio_{one.name}'] = float(other['flux'][0] / reference)
    if methods is None or len(methods):
        fluxes = measure_others(
            parse_map(path),
            photometry,
            setup=replace(setup, aperture_radius=radius),
            psf=get_psf(setup),
            eef=setup.eef,
            methods=methods,
        )
        for method, value in fluxes.items():
            if method != 'annulus':
                flux = value[0] * u.Jy / colour
                row[f'ratio_{method}'] = float(flux / reference)
    row['colour_correction'] = colour
    row['flags'] = int(found['flags'])
    return row
