# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what a worker does, and of what it does not do twice."""

import json
import os
import shutil

import pytest
from astropy.io import fits

from photutils_pconv.scale import RemovalJob
from photutils_pconv.scale.tasks import run_job


@pytest.fixture
def job(many, tmp_path):
    """Return the job of a map in a folder of its own."""
    for name in ('a.fits', 'a.csv'):
        shutil.copy(many.folder / name, tmp_path)
    return RemovalJob(
        map=tmp_path / 'a.fits',
        catalogue=tmp_path / 'a.csv',
        name='a',
        options=many.options,
    )


@pytest.fixture
def output(tmp_path):
    return tmp_path / 'out'


def read_manifest(output):
    return json.loads((output / 'a' / 'manifest.json').read_text())


def test_files_and_report(job, output, assert_written):
    report = run_job(job, output)
    assert (report.status, report.n_sources, report.message) == ('done', 2, '')
    assert_written(output, 'a')
    manifest = read_manifest(output)
    assert manifest['done'] is True
    assert manifest['seconds'] == report.seconds > 0
    assert manifest['options']['setup'] == 'scanmap/green'
    assert manifest['checksums'].keys() >= {'map', 'catalogue', 'settings', 'model'}


def test_nothing_is_done_twice(job, output):
    first = run_job(job, output)
    before = {path: path.stat().st_mtime_ns for path in (output / 'a').iterdir()}
    again = run_job(job, output, overwrite=True)
    assert again.status == 'skipped'
    assert (again.n_sources, again.n_flagged) == (first.n_sources, first.n_flagged)
    assert {p: p.stat().st_mtime_ns for p in (output / 'a').iterdir()} == before


def change_catalogue(job):
    with open(job.catalogue, 'a', encoding='utf-8') as file:
        file.write('\n')


def change_map(job):
    fits.setval(job.map, 'OBJECT', value='another')


@pytest.mark.parametrize(
    ('change', 'what'), [(change_catalogue, 'catalogue'), (change_map, 'map')]
)
def test_what_changed_is_done_again_if_allowed(job, output, change, what):
    run_job(job, output)
    change(job)
    refused = run_job(job, output)
    assert refused.status == 'failed'
    assert f'something changed ({what})' in refused.message
    assert 'overwrite=True' in refused.message
    assert run_job(job, output, overwrite=True).status == 'done'
    assert run_job(job, output).status == 'skipped'


def test_other_settings_are_another_result(job, output, many):
    run_job(job, output)
    options = {**many.options, 'aperture_radii': [7.0]}
    other = RemovalJob(map=job.map, catalogue=job.catalogue, name='a', options=options)
    assert 'changed (settings)' in run_job(other, output).message


def test_what_a_killed_process_left_is_replaced(job, output, assert_written):
    run_job(job, output)
    path = output / 'a' / 'manifest.json'
    manifest = read_manifest(output)
    path.write_text(json.dumps({**manifest, 'done': False}))
    os.truncate(output / 'a' / 'cleaned.fits', 2880)
    assert run_job(job, output).status == 'done'
    assert_written(output, 'a')


def test_lost_results_are_made_again(job, output):
    run_job(job, output)
    (output / 'a' / 'cleaned.fits').unlink()
    (output / 'a' / 'photometry.ecsv').unlink()
    assert run_job(job, output).status == 'done'


def test_files_of_others_are_kept(job, output):
    (output / 'a').mkdir(parents=True)
    (output / 'a' / 'cleaned.fits').write_text('mine')
    report = run_job(job, output)
    assert report.status == 'failed'
    assert 'are there already' in report.message
    assert (output / 'a' / 'cleaned.fits').read_text() == 'mine'


def test_failures_are_told(job, output):
    os.truncate(job.map, 3000)
    report = run_job(job, output)
    assert report.status == 'failed'
    assert 'a.fits' in report.message
    assert 'Traceback' in report.traceback
