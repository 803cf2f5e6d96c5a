# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Rounds of injection and recovery, which do not depend on each other.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._utils.executors import run_jobs
from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.inputs.sizes import CatalogueSizes
from photutils_pconv.inputs.sources import SourceInput
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.removal.pipeline import run_removal
from photutils_pconv.removal.settings import RemovalSettings

__all__ = ['InjectionScene', 'measure_round', 'run_rounds']

# The columns of the photometry that are kept, where a method has them.
_KEPT = (
    'snr',
    'hole_radius',
    'flux',
    'flux_err',
    'detection_snr',
    'flux_upper_limit',
    'x_fit',
    'y_fit',
    'flags',
)


@dataclass(frozen=True, eq=False)
class InjectionScene:
    """
    What all rounds have in common.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        How sources are removed.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map.

    x, y : (M,) `~numpy.ndarray`
        The real sources on it, in pixels.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF of the injected sources, on the map's pixels.

    share : float, optional
        What such a PSF is multiplied with for a source of flux 1.

    sizes : `~photutils_pconv.inputs.CatalogueSizes`, optional
        The sizes of the real sources (default: they are unresolved).
    """

    settings: RemovalSettings
    map_input: MapInput
    x: np.ndarray
    y: np.ndarray
    pixel_psf: PixelPSF
    share: float = 1.0
    sizes: CatalogueSizes | None = None


def measure_round(scene, injected):
    """
    Inject the sources of a round, and measure them with the real ones.

    It changes nothing, so that rounds can be done anywhere and in any order.

    Parameters
    ----------
    scene : `InjectionScene`
        The map and how sources are removed.

    injected : `~photutils_pconv.completeness.places.InjectionRound`
        The sources.

    Returns
    -------
    table : `~astropy.table.QTable`
        The photometry of the injected sources, without metadata.
    """
    map_input = scene.map_input
    # For the map's unit times pixel.
    flux = injected.flux / map_input.jy_per_pixel_at(injected.x, injected.y)
    flux = scene.share * flux
    image = model_image(map_input.shape, injected.x, injected.y, flux, scene.pixel_psf)
    sizes = scene.sizes
    if sizes is not None:
        # injected sources have none
        numbers = np.arange(len(scene.x) + injected.x.size)
        sizes = sizes.select(np.minimum(numbers, len(scene.x) - 1))
        sizes.major[len(scene.x) :] = sizes.minor[len(scene.x) :] = np.nan
    source_input = SourceInput(
        x=np.append(scene.x, injected.x_given),
        y=np.append(scene.y, injected.y_given),
        sky=None,
        table=None,
        sizes=sizes,
    )
    data = map_input.data + image
    changed = replace(map_input, data=data, original=data)
    result = run_removal(scene.settings, changed, source_input)
    table = result.photometry[len(scene.x) :]
    table = table[[name for name in _KEPT if name in table.colnames]]
    table.meta.clear()
    return table


def run_rounds(scene, rounds, *, executor=None, progress_bar=False):
    """
    Go through rounds, one by one or by an executor.

    Parameters
    ----------
    scene : `InjectionScene`
        What they have in common.

    rounds : list of `~photutils_pconv.completeness.places.InjectionRound`
        The rounds.

    executor : object, optional
        Something with ``submit``, as `concurrent.futures.Executor` and dask's
        ``Client`` have it.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    tables : list of `~astropy.table.QTable`
        What each round gives, in their order.
    """
    tables = run_jobs(measure_round, scene, rounds, executor=executor)
    return list(_progress(tables, len(rounds), progress_bar))


def _progress(iterable, total, show):
    """Show a progress bar, if there is something to wait for."""
    if not show or total == 0:
        return iterable
    from tqdm.auto import tqdm

    return tqdm(iterable, total=total, desc='completeness', unit='round')
