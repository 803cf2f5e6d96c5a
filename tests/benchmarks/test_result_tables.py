# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of tools/write_result_tables.py."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RESULTS = """# Accuracy

- machine: any

## Simulated emission: 2 maps

3 sources could not be measured.

### Median bias

| SNR | ours | annulus |
| --- | --- | --- |
| 4 to 12 | +0.10 | -3.00 |
| geometric mean |  | 1.00 |

## Simulated emission: 2 maps; scanmap

### Median bias

| SNR | ours |
| --- | --- |
| 4 to 12 | +7.00 |

### Setups

| setup | sources |
| --- | --- |
| scanmap/red | 5 |

Run time: 3 s.
"""


@pytest.fixture
def tool():
    path = ROOT / 'tools' / 'write_result_tables.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables(tool):
    text = tool.write_tables(RESULTS)
    assert 'Simulated emission: 2 maps\n==========================\n' in text
    assert 'Median bias\n-----------\n' in text
    assert '3 sources could not be measured.' in text
    assert '    :header: "SNR", "\'inpaint\'", "annulus"\n' in text
    assert '    "4 to 12", "+0.10", "-3.00"\n' in text
    assert '    "geometric mean", "", "1.00"\n' in text
    # Single modes and the run time stay in the benchmark's output.
    assert '+7.00' not in text
    assert 'Run time' not in text
    assert '    "scanmap/red", "5"\n' in text


PSF_RESULTS = """# Removal with a known PSF

## Simulated fields

### Hole RMS

| method | 4 to 12 |
| --- | --- |
| ours | 0.1 |

### Ratios

| method | 4 to 12 |
| --- | --- |
| ours | 0.2 |

## Real background W5

### Hole RMS

| method | 4 to 12 |
| --- | --- |
| ours | 0.3 |
"""


def test_psf_tables(tool):
    text = tool.write_psf_tables(PSF_RESULTS)
    assert 'Simulated fields\n================\n\nHole RMS\n--------\n' in text
    assert '    "\'inpaint\'", "0.1"\n' in text
    # Ratios and single backgrounds stay in the benchmark's output.
    for other in ('0.2', 'W5', '0.3'):
        assert other not in text


FINDING_RESULTS = """# Finding sources

- command: any

## Filaments: 2 maps, 9 sources

### Completeness at a reliability of 95 percent

| finder | all |
| --- | --- |
| ours | 0.7 |

### Completeness at a reliability of 80 percent

| finder | all |
| --- | --- |
| ours | 0.8 |

## False detections per megapixel

On noise.

| emission | SNR 4 |
| --- | --- |
| noise | 24 |
"""


def test_finding_tables(tool):
    text = tool.write_finding_tables(FINDING_RESULTS)
    assert '\nFilaments: 2 maps, 9 sources\n----------------------------\n' in text
    title = '.. csv-table:: Completeness at a reliability of 95 percent'
    assert f'{title}\n    :header: "finder", "all"\n\n    "ours", "0.7"\n' in text
    assert '0.8' not in text
    assert '\n\nOn noise.\n\n.. csv-table::\n' in text
    assert 'command' not in text


def make_lines(n_rows, n_columns):
    return [
        f'| {" | ".join(f"{row}{column}" for column in "abcdefgh"[:n_columns])} |'
        for row in range(n_rows)
    ]


@pytest.mark.parametrize(
    ('n_rows', 'n_columns', 'shapes'),
    [
        (9, 6, [(9, 6)]),
        (3, 8, [(8, 3)]),
        (8, 8, [(8, 5), (8, 4)]),
    ],
)
def test_tables_fit_the_page(tool, n_rows, n_columns, shapes):
    text = tool.format_table(make_lines(n_rows, n_columns))
    tables = text.split('.. csv-table::\n')[1:]
    rows = [[line for line in one.splitlines() if '"' in line] for one in tables]
    assert [(len(one), one[0].count('", "') + 1) for one in rows] == shapes
    # Every cell is there; the first column of a divided table in each part.
    assert text.count('"0a"') == len(shapes)
    assert all(f'"{n_rows - 1}{one}"' in text for one in 'abcdefgh'[:n_columns])


def test_written_to_files(tool, tmp_path):
    (tmp_path / 'accuracy.md').write_text(RESULTS)
    (tmp_path / 'psf_accuracy.md').write_text(PSF_RESULTS)
    (tmp_path / 'structure.md').write_text(
        '# A title\n\n| a | b |\n| --- | --- |\n| 1 | 2 |'
    )
    for name in ('finding.md', 'finding_pairs.md'):
        (tmp_path / name).write_text(FINDING_RESULTS)
    tool.main(['--results', str(tmp_path), '-o', str(tmp_path)])
    assert (tmp_path / 'accuracy_tables.inc').read_text() == tool.write_tables(RESULTS)
    page = (tmp_path / 'structure_table.inc').read_text()
    assert page.endswith('    :header: "a", "b"\n\n    "1", "2"\n')


def test_pages_are_those_of_the_results(tool):
    assert len(tool.FILES) == 5
    for source, page, write in tool.FILES:
        text = (tool.RESULTS / source).read_text()
        assert (tool.PAGES / page).read_text() == write(text)
