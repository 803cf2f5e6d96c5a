# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal of the sources of a catalogue from the maps of several bands.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace

import numpy as np
from astropy.coordinates import SkyCoord

from photutils_pconv._utils.checks import check_choice, check_count, to_bool
from photutils_pconv.bands.results import BandsResult
from photutils_pconv.bands.table import join_tables
from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.inputs.positions import sky_to_pixel
from photutils_pconv.inputs.sources import SourceInput, mask_excluded, parse_sources
from photutils_pconv.removal.pipeline import run_removal
from photutils_pconv.removal.remover import NeuralSourceRemover
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups.registry import list_setups

__all__ = ['remove_bands']

# Positions on two maps that differ by less (pixels) are the same place: by choice,
# far below what any catalogue knows.
_SAME_PLACE = 0.01


def remove_bands(
    maps,
    sources,
    *,
    mode=None,
    removers=None,
    colour_correction=None,
    position_band=None,
    n_workers=None,
    progress_bar=False,
    hdu=None,
    mask=None,
    coverage_mask=None,
    error=None,
    wcs=None,
    beam=None,
):
    """
    Remove the sources of a catalogue from the maps of several bands.

    Parameters
    ----------
    maps : dict
        The map of each band, by the band's name: what
        `~photutils_pconv.NeuralSourceRemover` takes. Without ``mode`` and
        ``removers`` the names are those of setups (``'scanmap/blue'``).

    sources : SkyCoord, table, Regions, path or (N, 2) array
        The sources of all bands. Pixel positions are accepted if all maps have one
        grid. Excluded regions are masked in all bands.

    mode : str, optional
        The observing mode of all bands.

    removers : dict, optional
        A `~photutils_pconv.NeuralSourceRemover` for each band, where its defaults
        are not wanted, instead of ``mode``.

    colour_correction : `~astropy.units.Quantity`, float, str or pair, optional
        The spectrum that the fluxes of all bands are corrected for, as a
        `~photutils_pconv.NeuralSourceRemover` takes it; ``removers`` have their
        own.

    position_band : str, optional
        The band whose fitted positions are those of all bands: it is done first, and
        in the other bands positions are not fitted. A source that is not on its map
        keeps the position of the catalogue. By default each band fits its own.

    n_workers : int, optional
        How many bands are done at once, in threads. By default all, but not
        more than there are processors. The result does not depend on it.

    progress_bar : bool, optional
        Whether to show a progress bar of the bands.

    hdu, mask, coverage_mask, error, wcs, beam : dict, optional
        For some or all bands, what goes with their maps, as a
        `~photutils_pconv.NeuralSourceRemover` takes it when it is called.

    Returns
    -------
    result : `~photutils_pconv.bands.BandsResult`
        The photometry of all bands, a row per source, and each band's own result.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted; what is wrong with one band names it.

    Notes
    -----
    Bands are done in threads, not in processes: numpy, scipy and torch leave the
    interpreter to others while they work, maps and networks are not copied, and
    nothing has to be imported again.

    Examples
    --------
    >>> maps = {'blue': 'blue.fits', 'green': 'green.fits', 'red': 'red.fits'}
    >>> result = remove_bands(maps, table, mode='scanmap')  # doctest: +SKIP
    >>> result.photometry['flux_blue', 'flux_red']  # doctest: +SKIP
    """
    progress_bar = to_bool(progress_bar, 'progress_bar')
    if n_workers is not None:
        check_count(n_workers, 'n_workers')
    bands = _check_bands(maps)
    if position_band is not None:
        check_choice(position_band, 'position_band', bands)
    removers = _make_removers(bands, mode, removers, colour_correction)
    planes = _sort_planes(
        bands,
        hdu=hdu,
        mask=mask,
        coverage_mask=coverage_mask,
        error=error,
        wcs=wcs,
        beam=beam,
    )
    jobs, settings = {}, {}
    for band in bands:
        with _Naming(band):
            chosen, map_input = removers[band].read_map(maps[band], **planes[band])
            # One bar for all bands: theirs would be drawn over each other.
            settings[band] = replace(chosen, run=chosen.run.without_bar())
            source_input = parse_sources(sources, wcs=map_input.wcs)
            map_input = mask_excluded(map_input, source_input)
        jobs[band] = _Job(settings[band], map_input, source_input)
    _check_positions(jobs)
    if n_workers is None:
        n_workers = min(len(bands), os.cpu_count() or 1)
    sky = jobs[bands[0]].source_input.sky
    with _Bar(len(bands), show=progress_bar) as bar:
        results, positions = {}, None
        if position_band is not None:
            first = jobs.pop(position_band)
            results[position_band] = first.run()
            bar.update()
            positions = _Positions.from_result(results[position_band], first)
            jobs = {band: positions.tie(job) for band, job in jobs.items()}
        results |= _run(jobs, n_workers, bar)
    results = {band: results[band] for band in bands}
    table = join_tables(
        {band: result.photometry for band, result in results.items()},
        sky=sky,
        position_band=position_band,
        tied=None if positions is None else positions.sky,
    )
    psfs = {band: one.psf for band, one in settings.items()}
    setups = {band: one.setup for band, one in settings.items()}
    return BandsResult(photometry=table, results=results, setups=setups, psfs=psfs)


def _check_bands(maps):
    """Return the names of the bands."""
    if not isinstance(maps, Mapping):
        msg = (
            'maps must be a dictionary of maps by the names of their bands, such as '
            f"{{'blue': map1, 'red': map2}}, got {type(maps).__name__}."
        )
        raise TypeError(msg)
    if not maps:
        msg = 'maps must hold one map or more, got none.'
        raise ValueError(msg)
    for band in maps:
        if not isinstance(band, str) or not band.strip():
            msg = f'The name of a band must be a text, got {band!r}.'
            raise TypeError(msg)
    return tuple(maps)


def _make_removers(bands, mode, removers, colour_correction):
    """Find the remover of each band."""
    if removers is None:
        made = {}
        for band in bands:
            with _Naming(band):
                made[band] = _make_remover(band, mode, colour_correction)
        removers = made
    else:
        if mode is not None:
            msg = 'Give either mode or removers, not both.'
            raise ValueError(msg)
        if colour_correction is not None:
            msg = 'Give colour_correction to each of the removers, not beside them.'
            raise ValueError(msg)
        if not isinstance(removers, Mapping) or set(removers) != set(bands):
            names = list(removers) if isinstance(removers, Mapping) else repr(removers)
            msg = (
                'removers must be a dictionary with a NeuralSourceRemover for each '
                f'band of maps ({", ".join(bands)}), got {names}.'
            )
            raise ValueError(msg)
        for band, one in removers.items():
            if not isinstance(one, NeuralSourceRemover):
                msg = f'{band}: a remover must be a NeuralSourceRemover, got {one!r}.'
                raise TypeError(msg)
    return removers


def _make_remover(band, mode, colour_correction):
    """Make a remover from the name of a band, or of a setup."""
    if mode is None and band not in list_setups():
        msg = (
            'without mode and removers, bands must have the names of setups: give '
            f'mode, or one of {", ".join(map(repr, list_setups()))}.'
        )
        raise ValueError(msg)
    if mode is None:
        return NeuralSourceRemover(setup=band, colour_correction=colour_correction)
    return NeuralSourceRemover(mode, band, colour_correction=colour_correction)


def _sort_planes(bands, **planes):
    """Give what goes with each band's map."""
    sorted_planes = {band: {} for band in bands}
    for name, given in planes.items():
        if given is None:
            continue
        if not isinstance(given, Mapping) or not set(given) <= set(bands):
            names = list(given) if isinstance(given, Mapping) else type(given).__name__
            msg = (
                f'{name} must be a dictionary by bands ({", ".join(bands)}), got '
                f'{names}.'
            )
            raise TypeError(msg)
        for band, one in given.items():
            sorted_planes[band][name] = one
    return sorted_planes


class _Naming:
    """
    A block whose errors name the band that they are of.
    """

    def __init__(self, band):
        self._band = band

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind in (TypeError, ValueError):
            raise kind(f'{self._band}: {error}') from error


@dataclass(frozen=True, eq=False)
class _Job:
    """A removal from the map of a band."""

    settings: RemovalSettings
    map_input: MapInput
    source_input: SourceInput

    @property
    def wcs(self):
        """The map's WCS."""
        return self.map_input.wcs

    def run(self):
        """Do it."""
        return run_removal(self.settings, self.map_input, self.source_input)


def _check_positions(jobs):
    """Refuse pixel positions that are not the same places in all bands."""
    first, *others = jobs.values()
    band, *names = jobs
    x, y = first.source_input.x, first.source_input.y
    finite = np.isfinite(x) & np.isfinite(y)
    for name, other in zip(names, others, strict=True):
        if first.wcs is None or other.wcs is None:
            # Such maps have the scale of their setups.
            scales = [one.settings.setup.pixel_scale for one in (first, other)]
            same = first.wcs is other.wcs is None and scales[0] == scales[1]
            same = same and first.map_input.shape == other.map_input.shape
        else:
            here = sky_to_pixel(other.source_input.sky, first.wcs)
            apart = np.hypot(here[0] - x, here[1] - y)[finite]
            same = not np.any(apart > _SAME_PLACE)
        if not same:
            msg = (
                f'The sources have pixel positions, but the maps of {band} and {name} '
                'do not have the same grid: give sky positions, and maps with a WCS.'
            )
            raise ValueError(msg)


@dataclass(frozen=True, eq=False)
class _Positions:
    """The positions of sources as one band found them."""

    x: np.ndarray
    y: np.ndarray
    known: np.ndarray
    sky: SkyCoord | None

    @classmethod
    def from_result(cls, result, job):
        """Take what was fitted, or else where sources were measured."""
        table = result.photometry
        x, y = np.array(table['x_center']), np.array(table['y_center'])
        if 'x_fit' in table.colnames:
            fitted = np.isfinite(table['x_fit']) & np.isfinite(table['y_fit'])
            x[fitted], y[fitted] = table['x_fit'][fitted], table['y_fit'][fitted]
        known = np.isfinite(x) & np.isfinite(y)
        # One that is not on the map has the catalogue's position, which stays.
        moved = job.source_input.moved_to(x, y, wcs=job.wcs)
        return cls(x, y, known, moved.sky)

    def tie(self, job):
        """Give the removal of another band at these positions."""
        x, y = self.x, self.y
        if self.sky is not None:
            x, y = sky_to_pixel(self.sky, job.wcs)
        x = np.where(self.known, x, job.source_input.x)
        y = np.where(self.known, y, job.source_input.y)
        settings = replace(job.settings, fit_positions=False, recenter=False)
        moved = job.source_input.moved_to(x, y, wcs=job.wcs)
        return replace(job, settings=settings, source_input=moved)


def _run(jobs, n_workers, bar):
    """Do removals, several at once."""
    results = {}
    if n_workers == 1 or len(jobs) == 1:
        for band, job in jobs.items():
            results[band] = job.run()
            bar.update()
        return results
    with ThreadPoolExecutor(n_workers, thread_name_prefix='bands') as executor:
        futures = {executor.submit(job.run): band for band, job in jobs.items()}
        try:
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                bar.update()
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
    return results


class _Bar:
    """A progress bar, or none."""

    def __init__(self, total, *, show):
        self._bar = None
        if show:
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, desc='bands', unit='band')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def update(self):
        """Count a band that is done."""
        if self._bar is not None:
            self._bar.update()
