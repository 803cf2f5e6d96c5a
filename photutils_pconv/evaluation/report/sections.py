# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sections of an evaluation's report.

Each function measures, writes tables and figures, and fills a section.
"""

import json

import numpy as np
from astropy.table import Table

from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import write_atomically
from photutils_pconv.evaluation.batch import photometry_table, remove_from_maps
from photutils_pconv.evaluation.fluxes import evaluate_fluxes
from photutils_pconv.evaluation.judging import (
    judge_fluxes,
    judge_spectra,
    judge_stars,
    judge_statistics,
)
from photutils_pconv.evaluation.map_lists import list_fits, list_maps
from photutils_pconv.evaluation.plots import fluxes as flux_plots
from photutils_pconv.evaluation.plots import illustrations
from photutils_pconv.evaluation.plots.before_after import (
    display_limits,
    plot_before_after,
    render_images,
)
from photutils_pconv.evaluation.published import load_paper_statistics
from photutils_pconv.evaluation.report.examples import (
    choose_comparisons,
    cut_source,
    forget_figure,
    plot_structure,
)
from photutils_pconv.evaluation.standard_stars import measure_standard_stars
from photutils_pconv.evaluation.star_tables import make_star_table
from photutils_pconv.evaluation.structure import WITH_DRAW, evaluate_structure
from photutils_pconv.evaluation.structure_tables import join_comparisons
from photutils_pconv.evaluation.summaries import (
    compare_methods,
    in_own_aperture,
    summarise_by_complexity,
    summarise_ratios,
)
from photutils_pconv.inputs.values import as_array
from photutils_pconv.network import read_card
from photutils_pconv.network.registry import default_model
from photutils_pconv.removal.methods import KIND_OF_METHOD
from photutils_pconv.setups.registry import get_setup

__all__ = [
    'add_colophon',
    'add_fluxes',
    'add_illustrations',
    'add_maps',
    'add_stars',
    'add_structure',
]

# A source in the map of random fluxes for so many pixels, so that holes cover
# some 5 percent (by choice).
_PIXELS_A_SOURCE = 6000
# The number of bins that the table of power spectra shows.
_MAX_BINS = 200


def add_fluxes(run):
    """
    Add the section on photometric accuracy, on simulations of one flux level each.

    Parameters
    ----------
    run : Run
        The evaluation at work.
    """
    config = run.config
    table = evaluate_fluxes(
        run.fields,
        levels=config.levels or None,
        n_sources=config.n_sources or None,
        methods=config.list_methods(),
        removers=run.removers,
        report=run.say,
        executor=run.executor,
    )
    complexity = summarise_by_complexity(table)
    comparison = compare_methods(table)
    summary = summarise_ratios(table)
    for name, one in (
        ('fluxes', table),
        ('flux_summary', summary),
        ('flux_complexity', complexity),
        ('flux_comparison', comparison),
    ):
        run.write_table(name, one)
    run.verdicts += judge_fluxes(table)
    section = run.page.add(
        'Photometric accuracy (section 5.2, Figs. 11 and 12)',
        'Measured over injected flux of sources of known flux in '
        f'{len(set(table["field"]))} fields. All methods are corrected with the '
        'encircled energy of the PSF that was injected. Outliers are sources '
        'beyond the quartiles by more than 1.5 interquartile ranges. psf is '
        'the flux of the removal with a PSF, psf_aperture its flux in apertures, '
        'and inpaint the removal that does not look into the holes.',
    )
    modes = {}
    for name in dict.fromkeys(table['setup']):
        modes.setdefault(get_setup(setup=str(name)).mode or str(name), []).append(name)
    for mode, names in modes.items():
        part = table[np.isin(table['setup'], names)]
        stem = mode.replace('/', '_')
        methods = (*(one.name for one in run.removers), 'annulus')
        figure = flux_plots.plot_flux_boxes(part, methods=methods)
        section.add_image(
            run.write_figure(f'fluxes_{stem}', figure),
            f'{mode}: measured over injected flux by flux level',
        )
    for name, draw, caption in (
        (
            'aperture',
            flux_plots.plot_ratio_by_aperture,
            'Median and quartiles by aperture, all sources',
        ),
        (
            'complexity',
            flux_plots.plot_complexity,
            'Interquartile range by complexity of the field, the geometric mean '
            'over flux levels',
        ),
    ):
        section.add_image(run.write_figure(name, draw(table)), caption)
    section.add_table(comparison, 'All methods against the annulus')
    section.add_table(
        in_own_aperture(complexity), 'By field, in the aperture of the setup'
    )
    section.add_table(
        in_own_aperture(summary), 'By flux level, in the aperture of the setup'
    )


def add_structure(run):
    """
    Add the section on removals and the structure of cleaned maps.

    Parameters
    ----------
    run : Run
        The evaluation at work.

    Returns
    -------
    comparisons : list of `~photutils_pconv.evaluation.MapComparison`
        The comparisons of the cleaned maps.
    """
    number = run.config.structure_sources
    if not number:
        number = (
            None if not run.config.n_fields else run.config.size**2 // _PIXELS_A_SOURCE
        )
    comparisons = evaluate_structure(
        run.fields,
        n_sources=number,
        removers=run.removers,
        truth=True,
        n_draws=run.config.structure_draws,
        report=run.say,
        executor=run.executor,
    )
    spectra, variances, statistics = join_comparisons(comparisons)
    run.write_table('power_spectra', spectra)
    run.write_table('delta_variance', variances)
    run.write_table('pixel_statistics', statistics)
    run.verdicts += judge_spectra(spectra)
    run.verdicts += judge_statistics(statistics)
    pictures = run.page.add(
        'Removal on simulations (section 4.1, Fig. 9)',
        'Sources of random flux between the faintest and the brightest level of '
        'each field, of medium complexity here. Drag the line.',
    )
    section = run.page.add(
        'Structure of the maps (section 5.3, Fig. 13, Table 6)',
        'Power spectra, their relative difference from that of the source-free '
        'map, and distributions of the pixels in the holes. The normalised '
        'difference of the paper is in the table: it is small even with all '
        'sources left in. exact has the true emission in the holes, and '
        'exact+noise noise of the same scatter beside it: what could be reached. '
        'Bars are the scatter over draws of what is not known under the sources.',
    )
    for name in run.setups_used:
        group = choose_comparisons(comparisons, name)
        one = group[len(group) // 2]
        stem = name.replace('/', '_')
        limits = display_limits(as_array(one.original))
        title = f'{name}, {one.name}: {len(one.result.photometry)} sources'
        figure = plot_before_after(one.result, title=title, limits=limits)
        run.write_figure(f'removal_{stem}', figure)
        pictures.add_slider(*render_images(one.result, limits=limits), title)
        for method in (one.method, f'{one.method}{WITH_DRAW}'):
            group = choose_comparisons(comparisons, name, method)
            if not group:
                continue
            end = '_draw' if method.endswith(WITH_DRAW) else ''
            figure = plot_structure(group)
            section.add_image(
                run.write_figure(f'structure_{stem}{end}', figure),
                f'{name}, {method}, from the least to the most complex field: '
                'power spectra, relative difference, pixels in the holes, '
                'delta-variance',
            )
            forget_figure(figure)
    section.add_table(statistics, 'Pixels in the holes')
    section.add_table(load_paper_statistics(), "The paper's Table 6")
    section.add_table(spectra, 'Power spectra', limit=_MAX_BINS)
    return comparisons


def add_stars(run):
    """
    Add the section on standard stars.

    Parameters
    ----------
    run : Run
        The evaluation at work.
    """
    jobs = []
    for entry in run.config.stars:
        setup = entry.get('setup')
        jobs += [(path, setup) for path in list_fits(entry['path'])]
    table = measure_standard_stars(
        jobs,
        methods=run.config.list_methods(),
        remover=run.removers[0],
        report=run.say,
    )
    run.write_table('standard_stars', table)
    paper_table = make_star_table(table)
    run.write_table('table_5', paper_table)
    run.verdicts += judge_stars(table)
    section = run.page.add(
        'Standard stars (section 5.1, Table 5)',
        'Measured over reference flux (Balog et al. 2014; Klaas et al. 2018). '
        'Positions are centroids; fluxes are corrected for the colour of a star.',
    )
    figure = flux_plots.plot_standard_stars(table)
    section.add_image(
        run.write_figure('standard_stars', figure), 'Measured over reference flux'
    )
    section.add_table(paper_table, 'As Table 5 of the paper (mJy)')
    section.add_table(table)


def add_maps(run):
    """
    Add the section on maps that were given.

    Parameters
    ----------
    run : Run
        The evaluation at work.
    """
    groups = {'simulations': [], 'real': []}
    for one in list_maps(run.config.maps):
        kind = 'simulations' if one.simulated else 'real'
        groups[kind].append((one.path, one.sources, one.setup))
    for kind, jobs in groups.items():
        if not jobs:
            continue
        removals = remove_from_maps(
            jobs,
            run.evaluation.output / 'maps' / kind,
            simulated=kind == 'simulations',
            overwrite=run.overwrite,
            report=run.say,
            remover=run.removers[0],
        )
        table = photometry_table(removals)
        run.write_table(f'photometry_{kind}', table)
        section = run.page.add(
            'Maps given: simulations (section 4.1, Fig. 9)'
            if kind == 'simulations'
            else 'Maps given: real data (section 4.2, Fig. 10)'
        )
        for one in removals:
            name = one.photometry.meta['setup']
            run.setups_used.setdefault(name, get_setup(setup=name))
            title = f'{one.name}, {name}: {len(one.photometry)} sources'
            section.add_slider(*render_images(one.result), title)
        section.add_table(table, 'Photometry')


def add_illustrations(run, comparisons):
    """
    Add the section on figures that explain the method.

    Parameters
    ----------
    run : Run
        The evaluation at work.

    comparisons : list of `~photutils_pconv.evaluation.MapComparison`
        Those of `add_structure`.
    """
    section = run.page.add(
        'How it works (Figs. 1, 4, 5 and 8)',
        'PSFs, the regions of the signal-to-noise ratio, the sizes of holes, and '
        'a source as it was injected and as it was removed.',
    )
    setups = list(run.setups_used)
    one = max(
        (item for name in setups for item in choose_comparisons(comparisons, name)),
        key=lambda item: len(set(item.result.photometry['hole_radius'])),
    )
    table = one.result.photometry
    setup = one.setup
    group = choose_comparisons(comparisons, setups[0])
    example = group[len(group) // 2]
    stamps = cut_source(example)
    for name, axes, caption in (
        ('psfs', illustrations.plot_psfs(setups), 'PSFs (Fig. 1)'),
        (
            'snr',
            illustrations.plot_snr(setups[:3]),
            'Where the signal-to-noise ratio is measured (Fig. 4)',
        ),
        (
            'masks',
            illustrations.plot_masks(one.injected, table, setup=setup),
            f'Holes by signal-to-noise ratio, {one.name} (Fig. 5)',
        ),
        (
            'source_loss',
            illustrations.plot_source_loss(*stamps),
            f'A source of {example.name} (Fig. 8)',
        ),
    ):
        figure = np.asarray(axes).flat[0].figure
        section.add_image(run.write_figure(name, figure), caption)
        forget_figure(figure)


def add_colophon(run):
    """
    Add the section on models, configuration and versions.

    Parameters
    ----------
    run : Run
        The evaluation at work.
    """
    section = run.page.add(
        'Model and versions', 'The card travels in the weights file.'
    )
    names = {}
    if run.model is None:
        for one in run.removers:
            for setup in run.setups_used.values():
                kind = KIND_OF_METHOD[one.method]
                names.setdefault(default_model(setup, kind=kind), None)
        cards = {name: read_card(name).to_dict() for name in names}
    elif hasattr(run.model, 'card'):
        cards = {run.model.card.name: run.model.card.to_dict()}
    else:
        cards = {str(run.model): read_card(run.model).to_dict()}
    for name, card in cards.items():
        section.add_json(card, f'Model card: {name}')
    plain = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(run.config).items()
    }
    section.add_json(plain, 'Configuration')
    versions = package_versions('astropy', 'photutils', 'scipy', 'matplotlib')
    table = Table(
        {'package': list(versions), 'version': list(versions.values())},
        dtype=[str, str],
    )
    section.add_table(table, 'Versions')
    content = json.dumps(
        {'models': cards, 'configuration': plain, 'versions': versions},
        indent=2,
        default=str,
    )
    path = run.evaluation.output / 'evaluation.json'
    write_atomically(path, lambda f: f.write_text(content, encoding='utf-8'))
