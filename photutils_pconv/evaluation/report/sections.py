# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sections of an evaluation's report, for `photutils_pconv.evaluation.run`.
"""

import json
from pathlib import Path

import numpy as np
from astropy.table import Table

from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import write_atomically
from photutils_pconv.evaluation.batch import (
    list_maps,
    photometry_table,
    remove_from_maps,
)
from photutils_pconv.evaluation.fluxes import evaluate_fluxes
from photutils_pconv.evaluation.plots import fluxes as flux_plots
from photutils_pconv.evaluation.plots import illustrations
from photutils_pconv.evaluation.plots.before_after import (
    display_limits,
    plot_before_after,
    render_images,
)
from photutils_pconv.evaluation.plots.maps import (
    new_axes,
    plot_delta_variance,
    plot_map_statistics,
)
from photutils_pconv.evaluation.standard_stars import measure_standard_stars
from photutils_pconv.evaluation.structure import (
    TRUTH,
    WITH_TEXTURE,
    evaluate_structure,
    join_comparisons,
    load_paper_statistics,
)
from photutils_pconv.evaluation.summaries import (
    compare_methods,
    summarise_by_complexity,
    summarise_ratios,
)
from photutils_pconv.inputs.values import as_array
from photutils_pconv.network import read_card
from photutils_pconv.network.registry import default_model
from photutils_pconv.removal.settings import PSF_MODEL
from photutils_pconv.setups.registry import get_setup

__all__ = ['Sections']


class Sections:
    """
    The sections, each of which measures, writes, and fills its part.
    """

    def _fluxes(self):
        config = self.config
        table = evaluate_fluxes(
            self.fields,
            levels=config.levels or None,
            n_sources=config.n_sources or None,
            methods=config.list_methods(),
            model=self.model,
            removers=self.removers,
            report=self.say,
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
            self._write_table(name, one)
        self.verdicts.add_fluxes(table)
        section = self.page.add(
            'Photometric accuracy (section 5.2, Figs. 11 and 12)',
            'Measured over injected flux of sources of known flux in '
            f'{len(set(table["field"]))} fields. All methods are corrected with the '
            'encircled energy of the PSF that was injected. Outliers are sources '
            'beyond the quartiles by more than 1.5 interquartile ranges. network is '
            'the removal in one pass, two_pass the one that knows the PSF, and '
            'two_pass_psf its PSF flux.',
        )
        modes = {}
        for name in dict.fromkeys(table['setup']):
            modes.setdefault(get_setup(setup=str(name)).mode or str(name), []).append(
                name
            )
        for mode, names in modes.items():
            part = table[np.isin(table['setup'], names)]
            stem = mode.replace('/', '_')
            methods = (*self.removers, 'annulus')
            figure = flux_plots.plot_flux_boxes(part, methods=methods)
            section.add_image(
                self._write_figure(f'fluxes_{stem}', figure),
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
            section.add_image(self._write_figure(name, draw(table)), caption)
        section.add_table(comparison, 'All methods against the annulus')
        own = [
            row['aperture'] == get_setup(setup=str(row['setup'])).aperture_radius.value
            for row in complexity
        ]
        section.add_table(complexity[own], 'By field, in the aperture of the setup')
        own = [
            row['aperture'] == get_setup(setup=str(row['setup'])).aperture_radius.value
            for row in summary
        ]
        section.add_table(summary[own], 'By flux level, in the aperture of the setup')

    def _structure(self):
        number = self.config.structure_sources
        if not number:
            number = None if not self.config.n_fields else self.config.size**2 // 6000
        self.comparisons = evaluate_structure(
            self.fields,
            n_sources=number,
            model=self.model,
            removers=self.removers,
            truth=True,
            report=self.say,
        )
        spectra, variances, statistics = join_comparisons(self.comparisons)
        self._write_table('power_spectra', spectra)
        self._write_table('delta_variance', variances)
        self._write_table('pixel_statistics', statistics)
        self.verdicts.add_spectra(spectra)
        self.verdicts.add_statistics(statistics)
        pictures = self.page.add(
            'Removal on simulations (section 4.1, Fig. 9)',
            'Sources of random flux between the faintest and the brightest level of '
            'each field, of medium complexity here. Drag the line.',
        )
        section = self.page.add(
            'Structure of the maps (section 5.3, Fig. 13, Table 6)',
            'Power spectra, their relative difference from that of the source-free '
            'map, and distributions of the pixels in the holes. The normalised '
            'difference of the paper is in the table: it is small even with all '
            'sources left in. exact has the true emission in the holes, and '
            'exact+noise noise of the same scatter beside it: what could be reached.',
        )
        for name in self.setups_used:
            group = self._choose(name)
            one = group[len(group) // 2]
            stem = name.replace('/', '_')
            limits = display_limits(as_array(one.original))
            title = f'{name}, {one.name}: {len(one.result.photometry)} sources'
            figure = plot_before_after(one.result, title=title, limits=limits)
            self._write_figure(f'removal_{stem}', figure)
            pictures.add_slider(*render_images(one.result, limits=limits), title)
            for method in (one.method, f'{one.method}{WITH_TEXTURE}'):
                group = self._choose(name, method)
                if not group:
                    continue
                end = '_texture' if method.endswith(WITH_TEXTURE) else ''
                figure = _plot_structure(group)
                section.add_image(
                    self._write_figure(f'structure_{stem}{end}', figure),
                    f'{name}, {method}, from the least to the most complex field: '
                    'power spectra, relative difference, pixels in the holes, '
                    'delta-variance',
                )
                _forget(figure)
        section.add_table(statistics, 'Pixels in the holes')
        section.add_table(load_paper_statistics(), "The paper's Table 6")
        section.add_table(spectra, 'Power spectra', limit=200)

    def _choose(self, setup, method=None):
        """
        Choose a setup's comparisons, of the last remover without texture.
        """
        found = [one for one in self.comparisons if one.setup == setup]
        if method is None:
            own = [one for one in found if one.method not in TRUTH]
            plain = [one for one in own if not one.method.endswith(WITH_TEXTURE)]
            method = (plain or own)[-1].method
        return [one for one in found if one.method == method]

    def _stars(self):
        jobs = []
        for entry in self.config.stars:
            path = Path(entry['path']).expanduser()
            found = [path]
            if path.is_dir():
                found = [p for p in sorted(path.iterdir()) if '.fit' in p.name.lower()]
            jobs += [(one, entry.get('setup')) for one in found]
        table = measure_standard_stars(
            jobs,
            methods=self.config.list_methods(),
            model=self.model,
            remover_options=next(iter(self.removers.values())),
            report=self.say,
        )
        self._write_table('standard_stars', table)
        self.verdicts.add_stars(table)
        section = self.page.add(
            'Standard stars (section 5.1, Table 5)',
            'Measured over reference flux (Balog et al. 2014; Klaas et al. 2018). '
            'Positions are centroids; fluxes are not colour-corrected.',
        )
        figure = flux_plots.plot_standard_stars(table)
        section.add_image(
            self._write_figure('standard_stars', figure), 'Measured over reference flux'
        )
        section.add_table(table)

    def _maps(self):
        groups = {'simulations': [], 'real': []}
        for path, sources, setup, simulated in list_maps(self.config.maps):
            kind = 'simulations' if simulated else 'real'
            groups[kind].append((path, sources, setup))
        for kind, jobs in groups.items():
            if not jobs:
                continue
            removals = remove_from_maps(
                jobs,
                self.evaluation.output / 'maps' / kind,
                simulated=kind == 'simulations',
                overwrite=self.overwrite,
                report=self.say,
                model=self.model,
                remover_options=next(iter(self.removers.values())),
            )
            table = photometry_table(removals)
            self._write_table(f'photometry_{kind}', table)
            section = self.page.add(
                'Maps given: simulations (section 4.1, Fig. 9)'
                if kind == 'simulations'
                else 'Maps given: real data (section 4.2, Fig. 10)'
            )
            for one in removals:
                name = one.photometry.meta['setup']
                self.setups_used.setdefault(name, get_setup(setup=name))
                title = f'{one.name}, {name}: {len(one.photometry)} sources'
                section.add_slider(*render_images(one.result), title)
            section.add_table(table, 'Photometry')

    def _illustrations(self):
        section = self.page.add(
            'How it works (Figs. 1, 4, 5 and 8)',
            'PSFs, the regions of the signal-to-noise ratio, the sizes of holes, and '
            'a source as it was injected and as it was removed.',
        )
        setups = list(self.setups_used)
        one = max(
            (item for name in setups for item in self._choose(name)),
            key=lambda item: len(set(item.result.photometry['hole_radius'])),
        )
        table = one.result.photometry
        setup = one.setup
        group = self._choose(setups[0])
        example = group[len(group) // 2]
        stamps = _cut_source(example)
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
            section.add_image(self._write_figure(name, figure), caption)
            _forget(figure)

    def _colophon(self):
        section = self.page.add(
            'Model and versions', 'The card travels in the weights file.'
        )
        names = {}
        if self.model is None:
            if 'network' in self.removers:
                for setup in self.setups_used.values():
                    names.setdefault(default_model(setup), None)
            if 'two_pass' in self.removers:
                names.setdefault(PSF_MODEL, None)
            cards = {name: read_card(name).to_dict() for name in names}
        elif hasattr(self.model, 'card'):
            cards = {self.model.card.name: self.model.card.to_dict()}
        else:
            cards = {str(self.model): read_card(self.model).to_dict()}
        for name, card in cards.items():
            section.add_json(card, f'Model card: {name}')
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self.config).items()
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
        path = self.evaluation.output / 'evaluation.json'
        write_atomically(path, lambda f: f.write_text(content, encoding='utf-8'))


def _plot_structure(comparisons):
    """
    Plot the structure of up to three maps, one a row.
    """
    last = len(comparisons) - 1
    chosen = [comparisons[k] for k in dict.fromkeys((0, (last + 1) // 2, last))]
    axes = new_axes(len(chosen), 4, size=(4.0, 3.2))
    for row, one in zip(axes, chosen, strict=True):
        plot_map_statistics(
            one.original,
            one.injected,
            one.result.cleaned,
            region=one.holes,
            axes=row[:3],
        )
        row[2].locator_params(axis='x', nbins=5)
        row[2].ticklabel_format(axis='x', style='sci', scilimits=(0, 0))
        labels = ('original', 'with sources', 'cleaned')
        tables = dict(zip(labels, one.delta_variances.values(), strict=True))
        plot_delta_variance(tables, ax=row[3])
        # Over little more than a decade, labels of minor ticks overlap.
        row[3].tick_params(axis='x', which='minor', labelbottom=False)
        row[0].set_title(one.name)
    return axes.flat[0].figure


def _cut_source(comparison):
    """
    Cut out a source that is prominent, but not by orders of magnitude.
    """
    table = comparison.result.photometry
    maps = (comparison.injected, comparison.original, comparison.result.cleaned)
    images = [as_array(one) for one in maps]
    ny, nx = images[0].shape
    x, y = (np.asarray(table[name]) for name in ('x_center', 'y_center'))
    edge = np.minimum.reduce([x, y, nx - x, ny - y])
    with np.errstate(invalid='ignore', divide='ignore'):
        distance = np.abs(np.log(np.asarray(table['snr']) / 50.0))
    best = int(np.nanargmin(np.where(edge > 48, distance, 1.0e3 + distance)))
    xc, yc = round(float(x[best])), round(float(y[best]))
    window = (slice(max(yc - 48, 0), yc + 48), slice(max(xc - 48, 0), xc + 48))
    return [np.where(np.isfinite(one[window]), one[window], 0.0) for one in images]


def _forget(figure):
    """
    Take a figure from pyplot, which would keep it forever.
    """
    from matplotlib import pyplot

    pyplot.close(figure)
