# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the comparison with the truth, and of the counts of verdicts."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.draw_errors import measure_draw_errors
from photutils_pconv.evaluation.fields import make_evaluation_fields
from photutils_pconv.evaluation.removers import INPAINT
from photutils_pconv.evaluation.statistics.spectra import power_spectrum
from photutils_pconv.evaluation.structure import TRUTH, evaluate_structure
from photutils_pconv.evaluation.structure_tables import join_comparisons
from photutils_pconv.inputs.values import as_array


@pytest.fixture(scope='module')
def field():
    (field,) = make_evaluation_fields(
        'scanmap/green', n_fields=1, shape=(192, 192), seed=4
    )
    return field


@pytest.fixture(scope='module')
def comparisons(field, flat_model):
    removers = (replace(INPAINT, model=flat_model),)
    return evaluate_structure(
        [field], n_sources=3, removers=removers, truth=True, n_draws=6
    )


class TestTruth:
    def test_maps(self, field, comparisons):
        methods = [one.method for one in comparisons]
        assert methods == ['inpaint', 'inpaint+draw', *TRUTH]
        exact, noisy = comparisons[2:]
        holes = exact.holes
        assert holes.any()
        assert_array_equal(holes, comparisons[0].holes)
        original = as_array(exact.original)
        for one in (exact, noisy):
            cleaned = as_array(one.result.cleaned)
            assert_array_equal(cleaned[~holes], original[~holes])
        emission = field.emission[holes]
        assert_allclose(as_array(exact.result.cleaned)[holes], emission)
        # Noise of the same scatter, about the same emission.
        both = as_array(noisy.result.cleaned)[holes] + original[holes]
        assert_allclose(both / 2, emission)

    def test_figures(self, comparisons):
        """Without noise the scatter is too small; with it, it is right."""
        spectra, _, statistics = join_comparisons(comparisons)
        ratio = dict(zip(statistics['method'], statistics['std_ratio'], strict=True))
        assert ratio['exact'] < 0.8
        assert_allclose(ratio['exact+noise'], 1.0, atol=0.1)
        assert set(spectra['method']) == set(statistics['method'])

    def test_emission_is_not_known(self, field, flat_model):
        found = evaluate_structure(
            [replace(field, emission=None)],
            n_sources=3,
            removers=(replace(INPAINT, model=flat_model),),
            truth=True,
        )
        assert [one.method for one in found] == ['inpaint', 'inpaint+draw']


class TestDraws:
    def test_errors(self, comparisons):
        """They are the scatter of the statistics of draws, made one by one."""
        plain, drawn, *truth = comparisons
        assert plain.draw_errors is drawn.draw_errors
        assert all(one.draw_errors is None for one in truth)
        maps = list(plain.result.draw(6, 0))
        powers = [power_spectrum(one)['power'].value for one in maps]
        assert_allclose(plain.draw_errors.power.value, np.std(powers, axis=0, ddof=1))
        means = [np.mean(as_array(one)[plain.holes]) for one in maps]
        assert_allclose(
            plain.draw_errors.moments['mean'].value, np.std(means, ddof=1), rtol=1e-6
        )

    def test_tables(self, comparisons):
        spectra, variances, statistics = join_comparisons(comparisons)
        for table, name in (
            (spectra, 'power'),
            (variances, 'delta_variance'),
            (statistics, 'skewness'),
        ):
            error = u.Quantity(table[f'draw_err_{name}']).value
            has_draws = [not str(one).startswith('exact') for one in table['method']]
            assert_array_equal(np.isfinite(error), has_draws)
            assert np.all(error[has_draws] > 0)
        assert spectra['draw_err_power'].unit == spectra['power_cleaned'].unit

    def test_one_draw(self, comparisons):
        with pytest.raises(ValueError, match='2 draws or more, got n_draws=1'):
            measure_draw_errors(comparisons[0].result, 1, region=comparisons[0].holes)
