# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures that explain the method: PSFs, SNR, holes, and the source loss.

They are the paper's Figs. 1, 4, 5 and 8. Matplotlib is imported at use.
Every function draws into the axes that it is given, or into those of a
new figure, and returns them.
"""

import astropy.units as u
import numpy as np

from photutils_pconv._utils.arrays import as_map, pair_positions
from photutils_pconv._utils.plotting import (
    BRIGHTNESS_COLORS,
    DIFFERENCE_COLORS,
    format_label,
)
from photutils_pconv.evaluation.plots._axes import row_axes, setup_axes
from photutils_pconv.geometry.cutouts import cutout_origin, extract_cutout
from photutils_pconv.geometry.holes import hole_stamp
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup

__all__ = ['plot_masks', 'plot_psfs', 'plot_snr', 'plot_source_loss']

_PACS = tuple(
    f'{mode}/{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
)

# The names of the six mask sizes (section 2.4.4), largest first.
_MASK_NAMES = ('Full', 'Large', 'Moderate', 'Small', 'Focused', 'Minimal')


def _show(ax, image, *, title, **options):
    options = {'origin': 'lower', 'interpolation': 'nearest', **options}
    ax.set(title=title, xticks=[], yticks=[])
    return ax.imshow(image, **options)


def _log_limits(image, decades):
    return {'norm': 'log', 'vmin': image.max() / 10.0**decades, 'vmax': image.max()}


def _render(setup, size):
    psf = get_psf(setup)
    scale = setup.pixel_scale.to_value(u.arcsec)
    # The PSF is centred on a pixel.
    n = 2 * int(size / scale / 2) + 1
    image = psf.render((n, n), n // 2, n // 2, pixel_scale=scale)
    return image, 0.5 * n * scale


def plot_psfs(setups=None, *, width=96.0, decades=3.5, axes=None):
    """
    Plot PSFs as an observation samples them (Fig. 1).

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup` or str, optional
        The setups; by default the six of PACS, scan maps in the upper
        row and the parallel mode in the lower.

    width : float or `~astropy.units.Quantity`, optional
        The width shown, in arcsec.

    decades : float, optional
        How many decades below the peak the logarithmic colours reach.

    axes : sequence of `~matplotlib.axes.Axes`, optional
        Where to plot, one for each setup; by default a new figure.

    Returns
    -------
    axes : 2D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes, three in a row; those without a setup are hidden.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If a setup is not known, or there are not as many axes.
    """
    setups = [get_setup(setup=one) for one in (_PACS if setups is None else setups)]
    width = u.Quantity(width, u.arcsec).value
    if axes is None:
        axes = setup_axes(len(setups), size=(3.0, 3.2))
    else:
        axes = row_axes(axes, (1, len(setups)), None)
    for ax, setup in zip(axes.flat, setups, strict=False):
        image, half = _render(setup, width)
        _show(
            ax,
            np.clip(image, 1e-30, None),
            title=f'{setup.name}, {setup.pixel_scale.to_value(u.arcsec):g}"/pixel',
            extent=(-half, half, -half, half),
            cmap=BRIGHTNESS_COLORS,
            **_log_limits(image, decades),
        )
        ax.set(xticks=[-30, 0, 30], yticks=[-30, 0, 30])
    for ax in axes[-1]:
        ax.set_xlabel('offset (arcsec)')
    axes[0, 0].set_ylabel('offset (arcsec)')
    return axes


def plot_snr(setups=('scanmap/blue', 'parallel/blue'), *, decades=4.0, axes=None):
    """
    Show the circle and the annulus of the signal-to-noise ratio (Fig. 4).

    Parameters
    ----------
    setups : sequence of `~photutils_pconv.setups.ObservingSetup` or str, optional
        The setups.

    decades : float, optional
        How many decades below the peak the logarithmic colours reach.

    axes : sequence of `~matplotlib.axes.Axes`, optional
        Where to plot, one for each setup; by default a new figure.

    Returns
    -------
    axes : 1D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes, each with the PSF, the circle in which the peak is
        sought in red, and the annulus of mean and scatter in blue.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If a setup is not known, or there are not as many axes.
    """
    setups = [get_setup(setup=one) for one in setups]
    axes = row_axes(axes, (1, len(setups)), (4.0, 4.3))[0]
    for ax, setup in zip(axes, setups, strict=True):
        reach = setup.snr_outer_radius + 4
        scale = setup.pixel_scale.to_value(u.arcsec)
        image, half = _render(setup, 2 * reach * scale)
        half /= scale
        _show(
            ax,
            np.clip(image, 1e-30, None),
            title=setup.name,
            extent=(-half, half, -half, half),
            cmap='gray_r',
            **_log_limits(image, decades),
        )
        for radius, color, label in (
            (setup.snr_source_radius, 'tab:red', 'peak'),
            (setup.snr_inner_radius, 'tab:blue', 'mean and std'),
            (setup.snr_outer_radius, 'tab:blue', None),
        ):
            _circle(ax, 0.0, 0.0, radius, color, label=label)
        ax.set(xlabel='x (pixels)', ylabel='y (pixels)')
        ticks = [-setup.snr_outer_radius, 0, setup.snr_outer_radius]
        ax.set(xticks=ticks, yticks=ticks)
        ax.legend(loc='upper right', fontsize='small')
    return axes


def _circle(ax, x, y, radius, color, **kwargs):
    from matplotlib.patches import Circle

    ax.add_patch(Circle((x, y), radius, fill=False, color=color, lw=1.5, **kwargs))


def plot_masks(
    data,
    sources,
    *,
    setup,
    axes=None,
    mask=None,
    coverage_mask=None,
    wcs=None,
    beam=None,
    pixel_scale=None,
):
    """
    Show a source with each size of hole, and the network's mask (Fig. 5).

    Of the sources that get a hole of one radius, the one with the median
    SNR is shown.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map`
        takes, on the setup's pixel scale.

    sources : table, `~astropy.coordinates.SkyCoord` or array_like
        The sources, in any form that
        `~photutils_pconv.inputs.parse_sources` takes.

    setup : `~photutils_pconv.setups.ObservingSetup` or str
        The setup, for the hole radii.

    axes : sequence of `~matplotlib.axes.Axes`, optional
        Where to plot, two for each radius; by default a new figure.

    mask, coverage_mask, wcs, beam, pixel_scale : optional
        See `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    axes : 2D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        A column for each radius that occurs, largest first: above the
        cutout with the hole's outline, below the mask of all holes in it
        (white is valid).

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If the map or the sources are not accepted, no source has a
        hole, or there are not as many axes.
    """
    setup = get_setup(setup=setup)
    map_input = parse_map(
        data,
        mask=mask,
        coverage_mask=coverage_mask,
        wcs=wcs,
        beam=beam,
        pixel_scale=pixel_scale,
    )
    positions = parse_sources(sources, wcs=map_input.wcs)
    x, y = pair_positions(positions.x, positions.y)
    ratio = snr(map_input.data, x, y, setup=setup)
    radius = np.where(np.isnan(ratio), np.nan, setup.hole_radius(ratio))
    chosen = _choose_examples(ratio, radius, setup.hole_radii)
    if not chosen:
        msg = 'no source has a signal-to-noise ratio: none lies on the map.'
        raise ValueError(msg)
    validity = ~_all_holes(map_input, x, y, radius)
    axes = row_axes(axes, (2, len(chosen)), (2.5, 2.7))
    for column, (k, i) in zip(axes.T, chosen, strict=True):
        x0, y0 = (int(value) for value in cutout_origin(x[i], y[i]))
        image = extract_cutout(map_input.data, x0, y0, fill_value=np.nan)
        valid = extract_cutout(validity, x0, y0, fill_value=False)
        name = f'{_MASK_NAMES[k]}: ' if len(setup.hole_radii) == 6 else ''
        title = f'{name}R = {radius[i]:g}\nSNR = {ratio[i]:.3g}'
        # What is not in a hole sets the contrast.
        low, high = np.nanpercentile(np.where(valid, image, np.nan), [1, 99.5])
        stretch = {'cmap': BRIGHTNESS_COLORS, 'vmin': low, 'vmax': high}
        _show(column[0], image, title=title, **stretch)
        _circle(column[0], x[i] - x0, y[i] - y0, radius[i], 'w')
        _show(column[1], valid, title='', cmap='gray', vmin=0, vmax=1)
    return axes


def _choose_examples(ratio, radius, hole_radii):
    chosen = []
    for k, one in enumerate(hole_radii):
        members = np.flatnonzero(radius == one)
        # Two thresholds may have one radius.
        if members.size and one not in hole_radii[:k]:
            ranked = members[np.argsort(ratio[members])]
            chosen.append((k, ranked[ranked.size // 2]))
    return chosen


def _all_holes(map_input, x, y, radius):
    holes = map_input.missing.copy()
    rows, columns = (np.arange(size) for size in holes.shape)
    for xc, yc, rc in zip(x, y, radius, strict=True):
        if np.isfinite(rc):
            holes |= hole_stamp(rows, columns, xc, yc, rc)
    return holes


def plot_source_loss(image, truth, prediction, *, axes=None, cmap=BRIGHTNESS_COLORS):
    """
    Show what the source loss compares (Fig. 8, Eq. 6).

    Parameters
    ----------
    image, truth, prediction : 2D array_like or `~astropy.units.Quantity`
        The cutout with a source, the same without it, and the network's
        or the remover's reconstruction.

    axes : sequence of 6 `~matplotlib.axes.Axes`, optional
        Where to plot; by default a new figure.

    cmap : str or `~matplotlib.colors.Colormap`, optional
        The colours of the images.

    Returns
    -------
    axes : 2D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        Above the three images, in the truth's range; below the real
        source, the extracted source, and their difference, whose colours
        are centred on zero. The mean absolute difference, the loss,
        stands above it.

    Raises
    ------
    ImportError
        If matplotlib is missing.

    ValueError
        If the images differ in shape, or there are not six axes.

    Notes
    -----
    Paper: section 3.3.4.
    """
    label = format_label(getattr(image, 'unit', None))
    image = as_map(getattr(image, 'value', image), 'image')
    truth, prediction = (
        as_map(getattr(one, 'value', one), name, image.shape)
        for one, name in ((truth, 'truth'), (prediction, 'prediction'))
    )
    real, extracted = image - truth, image - prediction
    difference = real - extracted
    axes = row_axes(axes, (2, 3), (3.6, 3.2), sharex=True, sharey=True)
    low, high = np.nanmin(truth), np.nanmax(truth)
    emission = {'cmap': cmap, 'vmin': low, 'vmax': high}
    source = {'cmap': cmap, 'vmin': 0.0, 'vmax': np.nanmax(real)}
    half = np.nanmax(np.abs(difference))
    loss = np.nanmean(np.abs(difference))
    panels = (
        (image, 'input', emission),
        (truth, 'truth', emission),
        (prediction, 'prediction', emission),
        (real, 'real source', source),
        (extracted, 'extracted source', source),
        (
            difference,
            f'difference,\nmean |.| = {loss:.2g}',
            {'cmap': DIFFERENCE_COLORS, 'vmin': -half, 'vmax': half},
        ),
    )
    for ax, (one, title, options) in zip(axes.flat, panels, strict=True):
        shown = _show(ax, one, title=title, **options)
        # As high as the panel.
        ax.figure.colorbar(shown, ax=ax, label=label, fraction=0.046, pad=0.04)
    return axes
