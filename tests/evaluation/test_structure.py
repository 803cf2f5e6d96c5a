# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the comparison with the truth, and of the counts of verdicts."""

from dataclasses import replace

import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.fields import make_evaluation_fields
from photutils_pconv.evaluation.removers import INPAINT
from photutils_pconv.evaluation.structure import (
    TRUTH,
    evaluate_structure,
    join_comparisons,
)
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
    return evaluate_structure([field], n_sources=3, removers=removers, truth=True)


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
