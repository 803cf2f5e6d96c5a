# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what a removal shows while it runs."""

import re

import pytest

from photutils_pconv import NeuralSourceRemover


@pytest.mark.parametrize(
    ('method', 'expected'),
    [
        ('psf', ['SNR', 'PSF', 'fluxes', 'filling', 'apertures', 'errors']),
        ('inpaint', ['SNR', 'filling', 'apertures', 'errors']),
    ],
)
def test_stages(make_scene, flat_model, flat_psf_model, capsys, method, expected):
    scene = make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)
    model = flat_psf_model if method == 'psf' else flat_model
    for show in (False, True):
        NeuralSourceRemover(
            'scanmap', 'green', model=model, method=method, progress_bar=show
        )(scene.data, scene.xy)
        err = capsys.readouterr().err
        found = list(dict.fromkeys(re.findall(r'([\w ]+): +\d+%', err)))
        found = [one for one in found if one != 'filling 2']
        assert found == (expected if show else [])
    # Sources are what is counted, and each stage comes to its end.
    assert re.search(r'SNR: 100%.* 2/2 ', err)
    assert re.search(r'filling: 100%.* 2/2 .*hole/s', err)
