# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Run the notebooks that the gallery offers for download, as a reader would.

Each page of ``docs/gallery`` whose name begins with ``plot_`` is turned into a notebook
by sphinx-gallery, and is run cell by cell in a kernel of its own. Without names all of
them are.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / 'docs' / 'gallery'
# How long (s) a page may take (by choice): a minute on a machine that is free, and more
# on one that is not.
TIMEOUT = 600


def list_pages(names=()):
    """
    List the pages of the gallery that are run.

    Parameters
    ----------
    names : sequence of str, optional
        Their names, without ``plot_`` and the ending; by default all.

    Returns
    -------
    paths : list of `~pathlib.Path`
        The scripts.
    """
    pages = {
        path.stem.removeprefix('plot_'): path
        for path in sorted(GALLERY.glob('*/plot_*.py'))
    }
    unknown = [name for name in names if name not in pages]
    if unknown:
        msg = f'there is no page {unknown[0]!r}: they are {", ".join(pages)}'
        raise ValueError(msg)
    return [pages[name] for name in names or pages]


def make_notebook(path):
    """
    Turn a page into the notebook that readers download.

    Parameters
    ----------
    path : `~pathlib.Path`
        The script.

    Returns
    -------
    notebook : `~nbformat.NotebookNode`
        The notebook, not yet run.
    """
    import nbformat
    from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
    from sphinx_gallery.notebook import jupyter_notebook
    from sphinx_gallery.py_source_parser import split_code_and_text_blocks

    _, blocks = split_code_and_text_blocks(str(path))
    content = jupyter_notebook(blocks, DEFAULT_GALLERY_CONF, str(path.parent))
    return nbformat.reads(json.dumps(content), as_version=4)


def run_notebook(notebook, folder, *, timeout=TIMEOUT):
    """
    Run a notebook, and keep what its cells show in it.

    Parameters
    ----------
    notebook : `~nbformat.NotebookNode`
        The notebook.

    folder : path-like
        The folder in which it runs.

    timeout : float, optional
        How long a cell may take, in seconds.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails; the message has its traceback.
    """
    from nbclient import NotebookClient

    resources = {'metadata': {'path': str(folder)}}
    NotebookClient(notebook, timeout=timeout, resources=resources).execute()


def main(arguments=None):
    """Run the notebooks, and say how long each took."""
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='names of pages, such as first_map')
    options = parser.parse_args(arguments)
    try:
        pages = list_pages(options.names)
    except ValueError as exc:
        parser.error(str(exc))
    failed = []
    for path in pages:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                run_notebook(make_notebook(path), folder)
            except (CellExecutionError, CellTimeoutError) as exc:
                failed.append(path.stem)
                print(exc, file=sys.stderr)
        seconds = time.perf_counter() - start
        print(f'{path.relative_to(GALLERY)}: {seconds:.0f} s', flush=True)
    if failed:
        print(f'failed: {", ".join(failed)}', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
