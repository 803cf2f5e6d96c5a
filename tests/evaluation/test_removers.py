# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the choice of removers."""

import dataclasses
import inspect

import pytest
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation.removers import (
    RemoverChoice,
    list_removers,
)


class TestRemovers:
    def test_choice(self, flat_model):
        given = RemoverChoice(aperture_radii=(4, 5), error_method='card')
        choice = RemoverChoice(model=flat_model, batch_size=3, aperture_radii=9)
        remover = choice.or_else(given).make_remover('scanmap/green')
        assert remover.settings.run.batch_size == 3
        assert_array_equal(remover.aperture_radii, [9.0])
        assert remover.settings.error_method == 'card'

    def test_every_argument_can_be_chosen(self):
        """What a remover takes and an evaluation does not set."""
        arguments = set(inspect.signature(NeuralSourceRemover).parameters)
        chosen = {item.name for item in dataclasses.fields(RemoverChoice)}
        assert arguments - {'mode', 'band', 'setup'} == chosen - {'name'}

    def test_defaults_are_those_of_the_remover(self, flat_model):
        """What is left open everywhere is not passed on."""
        one = RemoverChoice(model=flat_model).make_remover('scanmap/green')
        two = NeuralSourceRemover(setup='scanmap/green', model=flat_model)
        assert repr(one) == repr(two)

    def test_from_dict(self):
        values = {'batch_size': 4, 'fill': 'draw'}
        choice = RemoverChoice.from_dict(values)
        assert choice == RemoverChoice(batch_size=4, fill='draw')
        with pytest.raises(ValueError, match='must not name setup'):
            RemoverChoice.from_dict({'setup': 'x'})
        with pytest.raises(ValueError, match="unknown key 'batch'.*'batch_size'"):
            RemoverChoice.from_dict({'batch': 3})

    def test_both(self):
        removers = list_removers(choice=RemoverChoice(batch_size=4))
        assert removers == (
            RemoverChoice(name='psf', method='psf', psf='setup', batch_size=4),
            RemoverChoice(
                name='inpaint', method='inpaint', subtract_wings=True, batch_size=4
            ),
        )
        own = list_removers(choice=RemoverChoice(psf='empirical'))
        assert {one.psf for one in own} == {'empirical'}

    @pytest.mark.parametrize('method', ['psf', 'inpaint'])
    def test_one_of_them(self, method):
        (one,) = list_removers(choice=RemoverChoice(method=method))
        assert one.name == method

    def test_of_a_model(self, flat_model):
        for model, name in ((flat_model, 'inpaint'), ('psf', 'psf')):
            (one,) = list_removers(model=model)
            assert (one.name, one.model) == (name, model)

    def test_bad_method(self):
        with pytest.raises(ValueError, match="method must be one of .*got 'x'"):
            list_removers(choice=RemoverChoice(method='x'))
