# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests in notebooks: what cells show, in a kernel."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

nbclient = pytest.importorskip('nbclient', reason='notebooks need nbclient')
nbformat = pytest.importorskip('nbformat', reason='notebooks need nbformat')
pytest.importorskip('ipykernel', reason='notebooks need ipykernel')


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location(
        'run_notebooks', ROOT / 'tools' / 'run_notebooks.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Those of the kernel's own machinery are none of ours.
@pytest.mark.filterwarnings('default')
def test_figures_are_shown_once(tool, tmp_path):
    pytest.importorskip('matplotlib')
    prepare = """
        from photutils_pconv import NeuralSourceRemover
        from photutils_pconv.datasets import load_demo
        ccd, sources = load_demo()
        remover = NeuralSourceRemover(error_method='card')
        result = remover(ccd[100:200, 100:200], [[66.4, 68.3], [26.7, 66.0]])
    """
    cells = {
        'prepare': '\n'.join(line.strip() for line in prepare.splitlines()),
        'last line': 'result.plot()',
        'kept': 'figure = result.plot_source(1)',
        'within': 'result.plot()\nlen(result.photometry)',
        'table': 'result',
    }
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(one) for one in cells.values()]
    )
    tool.run_notebook(notebook, tmp_path, timeout=300)
    outputs = dict(zip(cells, (one.outputs for one in notebook.cells), strict=True))

    def count(name, kind):
        return sum(kind in one.get('data', {}) for one in outputs[name])

    for name in ('last line', 'kept', 'within'):
        assert count(name, 'image/png') == 1, name
    assert [count(name, 'text/html') for name in ('last line', 'table')] == [0, 1]
    (shown,) = [one for one in outputs['last line'] if 'data' in one]
    # Not the name of an object beside it.
    assert 'ShownOnce' not in shown['data'].get('text/plain', '')


def test_pages(tool):
    """Every page that is run is known by its name; the one that is not is left out."""
    names = [path.stem for path in tool.list_pages()]
    assert len(names) >= 12
    assert 'plot_first_map' in names
    assert not any('archive' in name for name in names)
    (path,) = tool.list_pages(['many_maps'])
    assert path.parent.name == 'scale'
    with pytest.raises(ValueError, match="no page 'nonesuch': they are .*first_map"):
        tool.list_pages(['nonesuch'])
