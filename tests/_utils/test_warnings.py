# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of where warnings point."""

import linecache
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning

import photutils_pconv
from photutils_pconv._utils.warnings import quiet, warn_user
from photutils_pconv.geometry.merging import merge_close
from photutils_pconv.removal.sources import flag_merged

PACKAGE = Path(photutils_pconv.__file__).resolve().parent


def line_of(warning):
    """Return the line of this file that a warning points at."""
    assert warning.filename == __file__
    return linecache.getline(warning.filename, warning.lineno).strip()


def test_called_directly():
    with pytest.warns(AstropyUserWarning, match='here') as record:
        warn_user('here')
    assert [line_of(one) for one in record] == ["warn_user('here')"]


def test_from_inside_the_package():
    same = merge_close(np.zeros(2), np.zeros(2), 1.0)
    with pytest.warns(AstropyUserWarning, match='repeat an earlier one') as record:
        flag_merged(same, 4.0)
    assert [line_of(one) for one in record] == ['flag_merged(same, 4.0)']


def test_from_far_inside(remover, scene):
    xy = np.vstack([scene.xy, [[-50.0, 5.0]]])
    with pytest.warns(AstropyUserWarning, match='outside the map') as record:
        remover(scene.data, xy)
    assert [line_of(one) for one in record] == ['remover(scene.data, xy)']


def test_once_a_line():
    same = merge_close(np.zeros(2), np.zeros(2), 1.0)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter('default')
        for _ in range(3):
            flag_merged(same, 4.0)
        assert len(record) == 1
        flag_merged(same, 4.0)
    assert len(record) == 2


def test_category():
    with pytest.warns(RuntimeWarning, match='of another class'):
        warn_user('of another class', RuntimeWarning)


def call_from(path):
    """Warn from a function of a file, and tell the file the warning names."""
    scope = {'warn_user': warn_user}
    code = "def call():\n    warn_user('made')\n"
    exec(compile(code, str(path), 'exec'), scope)
    with pytest.warns(AstropyUserWarning, match='made') as record:
        scope['call']()
    return record[0].filename


def test_a_folder_of_a_similar_name_is_the_users():
    own = str(PACKAGE.with_name('photutils_pconv_scripts') / 'run.py')
    assert call_from(own) == own
    assert call_from(PACKAGE / 'removal' / 'made.py') == __file__


def test_quiet():
    with quiet(AstropyUserWarning):
        warnings.warn('unheard', AstropyUserWarning, stacklevel=1)
        with pytest.warns(UserWarning, match='heard'):
            warnings.warn('heard', UserWarning, stacklevel=1)
    with pytest.warns(AstropyUserWarning, match='again'):
        warnings.warn('again', AstropyUserWarning, stacklevel=1)


def test_quiet_in_threads():
    """Left in another order than entered, two of them restore the filters."""
    before = list(warnings.filters)
    inside = threading.Event()

    def first():
        with quiet(AstropyUserWarning):
            inside.set()
            # The second has all the time that it needs to enter as well.
            waited.wait(0.2)

    def second():
        inside.wait()
        with quiet(UserWarning):
            waited.set()
            done.wait(0.2)

    waited, done = threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(first), pool.submit(second)]
        tasks[0].result()
        done.set()
        tasks[1].result()
    assert warnings.filters == before
