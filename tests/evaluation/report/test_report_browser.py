# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The report in a real browser: no console errors, and the slider moves.

Skipped without Debian's chromium (or another Chromium in the path).
"""

import json
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pytest

from photutils_pconv.evaluation.report.page import Report

pytest.importorskip('matplotlib')

_NAMES = ('chromium', 'chromium-browser', 'google-chrome')
BROWSER = next((name for name in _NAMES if shutil.which(name)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason='needs chromium')

_OPTIONS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--enable-logging=stderr',
    '--window-size=1000,1400',
    '--virtual-time-budget=2000',
)

# Before the report's own script: catch what goes wrong.
_WATCH = """<script>
window.problems = [];
window.addEventListener('error', event => window.problems.push(event.message));
for (const kind of ['error', 'warn']) {
  console[kind] = (...all) => window.problems.push(all.join(' '));
}
</script>"""

# After it: drive the slider as a hand would, and tell what is seen.
_DRIVE = """<script>
window.addEventListener('load', () => {
  const see = () => {
    const figure = document.querySelector('.compare');
    const before = figure.querySelector('.before');
    const box = figure.querySelector('.frame').getBoundingClientRect();
    const handle = figure.querySelector('.handle').getBoundingClientRect();
    return {
      clip: getComputedStyle(before).clipPath,
      handle: (handle.left + 1 - box.left) / box.width,
    };
  };
  const inputs = document.querySelectorAll('.compare input');
  const box = inputs[0].getBoundingClientRect();
  const top = document.elementFromPoint(
    box.left + 0.25 * box.width, box.top + 0.5 * box.height);
  const start = see();
  const steps = [];
  for (const value of ['80', '0', '100']) {
    inputs[0].value = value;
    inputs[0].dispatchEvent(new Event('input', {bubbles: true}));
    steps.push(see());
  }
  const images = [...document.images].map(image => image.naturalWidth);
  document.body.dataset.seen = JSON.stringify({
    start, steps, images, reachable: top === inputs[0],
    other: getComputedStyle(document.querySelectorAll('.before')[1]).clipPath,
    sizes: [...document.querySelectorAll('.compare')[0].querySelectorAll('img')]
      .map(image => [image.clientWidth, image.clientHeight]),
    problems: window.problems,
    resources: performance.getEntriesByType('resource')
      .map(entry => entry.name).filter(name => !name.startsWith('data:')),
  });
});
</script>"""


def open_page(path, profile):
    """Return the page's document and the browser's log."""
    command = [BROWSER, *_OPTIONS, f'--user-data-dir={profile}', '--dump-dom']
    result = subprocess.run(
        [*command, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return result.stdout, result.stderr


@pytest.fixture(scope='module')
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browser')
    report = Report('Evaluation', lead='A test')
    section = report.add('Maps')
    before = np.full((60, 80, 4), 255, dtype=np.uint8)
    after = np.zeros_like(before)
    section.add_slider(before, after, 'first')
    section.add_slider(before, after, 'second')
    text = report.to_html()
    text = text.replace('<head>', f'<head>{_WATCH}', 1)
    assert text.count('</body>') == 1
    path = folder / 'report.html'
    path.write_text(text.replace('</body>', f'{_DRIVE}</body>'), encoding='utf-8')
    document, log = open_page(path, folder / 'profile')
    found = re.search(r'data-seen="([^"]*)"', document)
    assert found, document[-2000:]
    return json.loads(unescape(found[1])), log


def test_no_console_errors(seen):
    values, log = seen
    assert values['problems'] == []
    assert ':CONSOLE' not in log


def test_nothing_is_fetched(seen):
    assert seen[0]['resources'] == []


def test_images_are_decoded(seen):
    assert seen[0]['images'] == [80] * 4
    # One upon the other.
    first, second = seen[0]['sizes']
    assert first == second


def test_slider_moves(seen):
    values, _ = seen
    assert values['reachable']
    assert values['start'] == {'clip': 'inset(0px 50% 0px 0px)', 'handle': 0.5}
    clips = [step['clip'] for step in values['steps']]
    assert clips[0] == 'inset(0px 20% 0px 0px)'
    assert clips[1] == 'inset(0px 100% 0px 0px)'
    assert clips[2] in ('inset(0px)', 'inset(0px 0% 0px 0px)')
    handles = [step['handle'] for step in values['steps']]
    np.testing.assert_allclose(handles, [0.8, 0.0, 1.0], atol=0.01)
    # Each slider has its own pair.
    assert values['other'] == 'inset(0px 50% 0px 0px)'
