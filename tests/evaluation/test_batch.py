# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the removal on several maps, with and without truth."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.batch import (
    remove_from_maps,
    remove_from_simulations,
)
from photutils_pconv.evaluation.map_lists import list_maps
from photutils_pconv.evaluation.plots.before_after import (
    display_limits,
    plot_before_after,
    render_images,
)
from photutils_pconv.evaluation.removers import RemoverChoice
from photutils_pconv.inputs.map_files import find_pairs
from photutils_pconv.simulation import simulate_sources, write_simulation

pytest.importorskip('matplotlib')


@pytest.fixture(scope='module')
def simulations(make_scene, tmp_path_factory):
    """Two simulations of flat sky, and files that are none."""
    folder = tmp_path_factory.mktemp('simulations')
    scene = make_scene([], [], [], sky=2e-3, noise=1e-5, shape=(150, 160))
    empty = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
    for number, flux in ((1, 500.0), (2, 2000.0)):
        ccd, sources = simulate_sources(
            empty,
            'scanmap/green',
            flux,
            rng=np.random.default_rng(number),
            n_sources=3,
            separation=60,
            margin=50,
        )
        write_simulation(ccd, sources, folder, number=number, obsid='flat')
    (folder / 'notes.csv').write_text('ra,dec\n')
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(folder / 'lonely.fits')
    return folder


@pytest.fixture(scope='module')
def removed(simulations, flat_model, tmp_path_factory):
    output = tmp_path_factory.mktemp('removed')
    lines = []
    removals = remove_from_simulations(
        simulations,
        output,
        setup='scanmap/green',
        remover=RemoverChoice(model=flat_model),
        report=lines.append,
    )
    assert lines == ['flat_L2_5_sim1: 3 sources', 'flat_L2_5_sim2: 3 sources']
    return removals, output


class TestSimulations:
    def test_pairs(self, simulations):
        names = [(a.name, b.name) for a, b in find_pairs(simulations)]
        assert names == [
            (f'flat_L2_5_sim{n}.fits', f'flat_L2_5_sim{n}.csv') for n in (1, 2)
        ]

    def test_fluxes(self, removed):
        """The model predicts the sky, so that only wings are missed."""
        removals, output = removed
        for removal, flux in zip(removals, (500.0, 2000.0), strict=True):
            table = removal.photometry
            assert_allclose(table['flux_injected'].to_value('mJy'), flux)
            assert_allclose(table['ratio'], 1.0, atol=0.02)
            assert_allclose(table['ratio'], table['flux'].to_value('mJy') / flux)
        joined = QTable.read(output / 'photometry.ecsv')
        assert list(joined['map']) == ['flat_L2_5_sim1'] * 3 + ['flat_L2_5_sim2'] * 3
        assert set(joined['setup']) == {'scanmap/green'}
        assert_allclose(joined['ratio'][3:], removals[1].photometry['ratio'])

    def test_files(self, removed, simulations):
        removals, _ = removed
        for removal in removals:
            assert [path.name for path in removal.paths] == [
                'cleaned.fits',
                'photometry.ecsv',
                'before_after.png',
            ]
            with fits.open(removal.paths[0]) as hdus:
                cleaned, holes = hdus[0].data, hdus['HOLES'].data == 1
            with fits.open(simulations / f'{removal.name}.fits') as hdus:
                before = hdus['image'].data
            assert_array_equal(cleaned[~holes], before[~holes])
            assert np.nanmax(cleaned[holes]) < np.nanmax(before[holes])
            content = removal.paths[2].read_bytes()
            assert content.startswith(b'\x89PNG')

    def test_nothing_is_overwritten(self, removed, simulations, flat_model):
        _, output = removed
        before = (output / 'photometry.ecsv').stat().st_mtime_ns
        with pytest.raises(FileExistsError, match='would be overwritten'):
            remove_from_simulations(
                simulations,
                output,
                setup='scanmap/green',
                remover=RemoverChoice(model=flat_model),
            )
        assert (output / 'photometry.ecsv').stat().st_mtime_ns == before

    def test_bad_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='no folder'):
            find_pairs(tmp_path / 'none')
        with pytest.raises(FileNotFoundError, match='no map with a source list'):
            find_pairs(tmp_path)

    def test_without_fluxes(self, simulations, tmp_path):
        pair = (simulations / 'lonely.fits', Table({'x': [1.0], 'y': [2.0]}))
        with pytest.raises(ValueError, match="no column 'flux'"):
            remove_from_maps([pair], tmp_path, setup='scanmap/green', simulated=True)


class TestMaps:
    def test_without_truth(self, simulations, flat_model, tmp_path):
        sources = Table.read(simulations / 'flat_L2_5_sim1.csv')['ra', 'dec']
        (removal,) = remove_from_maps(
            [(simulations / 'flat_L2_5_sim1.fits', sources)],
            tmp_path / 'out',
            setup='scanmap/green',
            remover=RemoverChoice(model=flat_model),
            picture=False,
        )
        assert 'ratio' not in removal.photometry.colnames
        assert sorted(path.name for path in (tmp_path / 'out').rglob('*.*')) == [
            'cleaned.fits',
            'photometry.ecsv',
            'photometry.ecsv',
        ]

    def test_bad_input(self, tmp_path):
        with pytest.raises(ValueError, match='there is no map'):
            remove_from_maps([], tmp_path)
        with pytest.raises(ValueError, match=r'a\.fits has no setup'):
            remove_from_maps([('a.fits', Table())], tmp_path)
        twice = [('a.fits', Table()), ('b/a.fits.gz', Table())]
        with pytest.raises(ValueError, match='a name of its own'):
            remove_from_maps(twice, tmp_path, setup='scanmap/green')

    def test_list(self, simulations):
        path = simulations / 'flat_L2_5_sim1.fits'
        entries = [{'path': str(path), 'setup': 'scanmap/red'}]
        entries.append({'path': str(simulations), 'setup': 'scanmap/green'})
        maps = list_maps(entries)
        assert [item.setup for item in maps] == ['scanmap/red', *['scanmap/green'] * 2]
        # By their names they are simulations.
        assert all(item.simulated for item in maps)
        assert not list_maps([{**entries[0], 'simulated': False}])[0].simulated

    @pytest.mark.parametrize(
        ('entry', 'message'),
        [
            ({'path': 'none.fits'}, 'no map'),
            ({'path': 'lonely.fits'}, 'has no source list lonely.csv'),
            ({'path': '', 'sources': 'a.csv'}, 'is a folder'),
        ],
    )
    def test_bad_list(self, simulations, entry, message):
        entry = {**entry, 'path': str(simulations / entry['path'])}
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            list_maps([entry])


class TestPictures:
    def test_images(self, removed):
        result = removed[0][1].result
        before, after = render_images(result)
        ny, nx = result.holes.shape
        zoom = 640 // max(ny, nx)
        assert before.shape == after.shape == (zoom * ny, zoom * nx, 4)
        # North is up: the map's last row is the image's first.
        changed = np.any(before != after, axis=2)[::zoom, ::zoom]
        assert changed.any()
        assert not changed[~result.holes[::-1]].any()

    def test_large_maps_are_thinned(self, removed):
        before, _ = render_images(removed[0][0].result, largest=50)
        assert max(before.shape) <= 50

    def test_missing_pixels_are_grey(self, removed):
        result = removed[0][0].result
        missing = result.map_input.missing.copy()
        result.map_input.missing[0, 0] = True
        value = result.map_input.data[0, 0]
        result.map_input.data[0, 0] = np.nan
        try:
            _, after = render_images(result)
        finally:
            result.map_input.missing[:] = missing
            result.map_input.data[0, 0] = value
        assert len(set(after[-1, 0, :3])) == 1

    def test_one_stretch(self, removed):
        result = removed[0][0].result
        figure = plot_before_after(result, title='flat')
        norms = [ax.images[0].norm for ax in figure.axes[:2]]
        assert norms[0].vmin == norms[1].vmin
        assert norms[0].vmax == norms[1].vmax
        low, high = display_limits(result.cleaned.data)
        assert (norms[0].vmin, norms[0].vmax) == (low, high)
        with pytest.raises(ValueError, match='must be two axes'):
            plot_before_after(result, axes=figure.axes[:1])

    def test_limits_of_a_constant(self):
        low, high = display_limits(np.full((5, 5), 2.0))
        assert low == 2.0 < high
