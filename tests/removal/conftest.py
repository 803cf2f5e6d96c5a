# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for the stages of a removal."""

from types import SimpleNamespace

import numpy as np
import pytest

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.psf.library import get_psf
from photutils_pconv.removal.pipeline import make_filler
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.removal.sources import choose_holes


@pytest.fixture(scope='session')
def make_settings(flat_model, flat_psf_model):
    """Return a function that makes settings with a network that is flat."""

    def make(**options):
        method = options.get('method', 'inpaint')
        model = flat_psf_model if method == 'psf' else flat_model
        return RemovalSettings.from_arguments(
            'scanmap', 'green', model=model, **options
        )

    return make


@pytest.fixture(scope='session')
def make_inputs():
    """Return a function that parses a map and its sources."""

    def make(scene, *, data=None, xy=None, **options):
        data = scene.data if data is None else data
        map_input = parse_map(data, pixel_scale=scene.setup.pixel_scale, **options)
        xy = scene.xy if xy is None else xy
        return map_input, parse_sources(xy, wcs=map_input.wcs)

    return make


@pytest.fixture(scope='session')
def make_stage(make_scene, make_settings):
    """
    Return a function that makes the map, the holes and the filler of a scene.

    Its sources have the PSF that the filler knows, turned by 0.4.
    """

    def make(x, y, flux, *, pixel_scale=1.6, settings=None, **options):
        scene = make_scene(
            x,
            y,
            flux,
            psf=get_psf('scanmap/green'),
            pixel_scale=pixel_scale,
            **{'sky': 2e-3, 'noise': 1e-4} | options,
        )
        settings = make_settings(**(settings or {}))
        missing = ~np.isfinite(scene.data)
        factor = pixel_scale / 1.6
        grid = MapGrid(scene.data, missing, factor=factor, pixel_scale=pixel_scale)
        return SimpleNamespace(
            scene=scene,
            settings=settings,
            grid=grid,
            holes=choose_holes(scene.x, scene.y, grid, settings.setup),
            filler=make_filler(settings, grid, settings.psf),
        )

    return make
