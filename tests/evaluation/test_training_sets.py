# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the comparison of training sets with maps.
"""

import numpy as np
import pytest

from photutils_pconv.evaluation import compare_training_set
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import EmissionConfig, simulate_emission

SETUP = get_setup(setup='scanmap/green')


def draw(seed, slope=(-3.2, -2.4), kinds='gaussian'):
    rng = np.random.default_rng(seed)
    field = simulate_emission(
        (128, 128),
        beam_fwhm=4.24,
        rng=rng,
        kinds=kinds,
        config=EmissionConfig(slope=slope),
    )
    return field + 0.05 * rng.standard_normal(field.shape)


@pytest.fixture(scope='module')
def comparison():
    """Compare steep fields with a map that is like them, and a flat one."""
    training = [(draw(k), SETUP) for k in range(24)]
    maps = {
        'alike': (draw(100, (-2.8, -2.8)), SETUP),
        'flat': (draw(101, (-1.3, -1.3)), SETUP),
    }
    return compare_training_set(training, maps, side=128)


def test_a_map_outside_is_named(comparison):
    row = comparison.table[comparison.table['figure'] == 'slope'][0]
    assert -3.6 < row['set_low'] < row['set_high'] < -1.9
    assert row['covered'] == 0.5
    assert row['n_parts'] == 2
    lines = [line for line in comparison.outside() if 'slope' in line]
    assert len(lines) == 1
    assert lines[0].startswith('flat: slope is -1.')


def test_plot(comparison):
    pyplot = pytest.importorskip('matplotlib.pyplot')
    axes = comparison.plot()
    pyplot.close(axes[0].figure)
    assert axes[0].get_xlabel() == 'slope of the power spectrum'
    # Both maps are dots on the histogram.
    assert len(axes[0].lines) == 2 + 2


def test_wrong_arguments():
    with pytest.raises(ValueError, match='at least one map'):
        compare_training_set([(draw(1), SETUP)], {})
    with pytest.raises(ValueError, match='at least one image'):
        compare_training_set([], {'one': (draw(1), SETUP)})
    empty = np.full((600, 600), np.nan)
    empty[:40, :40] = draw(2)[:40, :40]
    with pytest.raises(ValueError, match='smaller side'):
        compare_training_set([(draw(1), SETUP)], {'one': (empty, SETUP)}, side=128)
