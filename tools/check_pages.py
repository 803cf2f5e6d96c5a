# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Check the built documentation: links, anchors, pictures, and the search.

Needs no network: links to other sites are not followed (``make linkcheck``)::

    python tools/check_pages.py docs/_build/html
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What users search for, and the page that has to come first.
SEARCHES = {
    'which method': 'how_to/choosing',
    'which fill': 'how_to/choosing',
    'flags': 'how_to/results',
    'columns': 'how_to/results',
    'many maps': 'how_to/many_maps',
    'own instrument': 'tutorials/own_instrument',
    'units': 'how_to/units',
    'completeness': 'how_to/completeness',
    'power spectrum': 'how_to/map_statistics',
}
# Templates of the theme, and the sources of the modules with links by Sphinx.
_NOT_OURS = {'_static', '_modules'}
# The scores of a title and of an index entry that are all that was searched for, in
# Sphinx' searchtools.js; and what is added to the title of a page.
_TITLE, _ENTRY, _PAGE = 15, 100, 1


class _Page(HTMLParser):
    """The links, pictures and anchors of a page."""

    def __init__(self):
        super().__init__()
        self.targets = []
        self.anchors = set()

    def handle_starttag(self, tag, attrs):
        """Note what a tag refers to, and what can be referred to."""
        values = dict(attrs)
        self.anchors |= {values[key] for key in ('id', 'name') if values.get(key)}
        key = {'a': 'href', 'link': 'href', 'img': 'src', 'script': 'src'}.get(tag)
        if values.get(key):
            self.targets.append(values[key])


def find_broken(folder):
    """
    Find links, anchors and pictures that lead nowhere.

    Parameters
    ----------
    folder : path-like
        The built pages.

    Returns
    -------
    broken : list of str
        The page and the target of each.
    """
    folder = Path(folder).resolve()
    pages = {}
    for path in folder.rglob('*.html'):
        if _NOT_OURS & set(path.relative_to(folder).parts):
            continue
        pages[path] = _Page()
        pages[path].feed(path.read_text(encoding='utf-8'))
    broken = set()
    for path, page in pages.items():
        for target in page.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc or (target.startswith('#') and len(target) < 2):
                continue
            place = path
            if url.path:
                place = (path.parent / unquote(url.path)).resolve()
            if place.is_dir():
                place /= 'index.html'
            known = pages[place].anchors if place in pages else None
            missing = url.fragment and known is not None
            if not place.exists() or (missing and unquote(url.fragment) not in known):
                broken.add(f'{path.relative_to(folder)}: {target}')
    return sorted(broken)


def find_first(index, query):
    """
    Find the page that the search shows first, as far as titles decide.

    Titles and main index entries that contain the whole query rank before other
    pages in Sphinx' search.

    Parameters
    ----------
    index : dict
        The search index.

    query : str
        What is searched for.

    Returns
    -------
    page : str or None
        The name of the page; `None` if no title decides.
    """
    scores = {}

    def add(number, score):
        scores[number] = max(scores.get(number, 0), score)

    for title, places in index['alltitles'].items():
        if query in title.lower() and len(query) >= len(title) / 2:
            for number, _ in places:
                is_page = index['titles'][number] == title
                add(number, round(_TITLE * len(query) / len(title)) + _PAGE * is_page)
    for entry, places in index['indexentries'].items():
        if query in entry and len(query) >= len(entry) / 2:
            for number, _, is_main in places:
                if is_main:
                    add(number, round(_ENTRY * len(query) / len(entry)))
    if not scores:
        return None
    return index['docnames'][max(scores, key=scores.get)]


def read_index(folder):
    """
    Read the search index of built pages.

    Parameters
    ----------
    folder : path-like
        The built pages.

    Returns
    -------
    index : dict
        What ``searchindex.js`` holds.
    """
    text = (Path(folder) / 'searchindex.js').read_text(encoding='utf-8')
    return json.loads(re.search(r'\((\{.*\})\)', text, re.DOTALL)[1])


def main(arguments=None):
    """
    Run the script.

    Parameters
    ----------
    arguments : list of str, optional
        The folder (default: that of the process).

    Returns
    -------
    status : int
        1 if something is broken, and else 0.
    """
    (folder,) = sys.argv[1:] if arguments is None else arguments
    faults = [f'broken: {one}' for one in find_broken(folder)]
    index = read_index(folder)
    for query, page in SEARCHES.items():
        first = find_first(index, query)
        if first != page:
            faults.append(f'the search for {query!r} finds {first} before {page}')
    print(*faults, sep='\n', end='\n' if faults else '')
    return int(bool(faults))


if __name__ == '__main__':
    sys.exit(main())
