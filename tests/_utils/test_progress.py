# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of progress bars."""

import re
import threading

import pytest

from photutils_pconv._utils.progress import (
    advance,
    count,
    enter_stage,
    show_stages,
    single_stage,
)


def names(text):
    """The names of the bars, in their order."""
    found = re.findall(r'([\w ]+): +\d+%', text)
    return list(dict.fromkeys(found))


def test_nobody_asked(capsys):
    enter_stage('one', 3)
    advance(2)
    with single_stage('two', 2) as tick:
        tick()
    with show_stages(False):
        assert list(count([1, 2])) == [1, 2]
        enter_stage('three', 1)
    assert capsys.readouterr().err == ''


def test_a_bar_for_each_stage(capsys):
    with show_stages(True):
        enter_stage('first', 4)
        advance()
        enter_stage('second', 2, unit='hole')
        assert list(count('ab')) == ['a', 'b']
        enter_stage('first', 4)
        # More than there is, as of what is repeated.
        advance(7)
    err = capsys.readouterr().err
    assert names(err) == ['first', 'second', 'first 2']
    for name, total in (('first', 4), ('second', 2), ('first 2', 4)):
        assert f'{total}/{total}' in err.split(f'{name}: 100%')[1][:60]
    assert 'hole/s' in err


def test_stages_within_a_stage(capsys):
    with show_stages(True):
        with single_stage('errors', 2) as tick:
            enter_stage('hidden', 3)
            advance(3)
            with show_stages(True):
                enter_stage('hidden too', 3)
            tick(2)
        enter_stage('last', 1)
    assert names(capsys.readouterr().err) == ['errors', 'last']


def test_an_error_leaves_the_bar_where_it_is(capsys):
    def fail():
        enter_stage('first', 4)
        raise ValueError('stop')

    with pytest.raises(ValueError, match='stop'), show_stages(True):
        fail()
    assert '100%' not in capsys.readouterr().err
    advance()
    assert capsys.readouterr().err == ''


def test_threads_have_their_own(capsys):
    with show_stages(True):
        enter_stage('mine', 1)
        thread = threading.Thread(target=lambda: enter_stage('theirs', 1))
        thread.start()
        thread.join()
    assert names(capsys.readouterr().err) == ['mine']
