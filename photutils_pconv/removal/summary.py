# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What came of a removal, in a few lines.
"""

import textwrap

import numpy as np

from photutils_pconv.photometry.flags import FLAGS, count_flags, has_warning
from photutils_pconv.photometry.upper_limits import DETECTION_THRESHOLD

__all__ = ['list_facts', 'list_flags', 'summarise']

# The width of the summary of flags, in characters: of a terminal and of a page (by
# choice).
_WIDTH = 88


def list_facts(photometry, holes):
    """
    List what is worth knowing of a removal.

    Parameters
    ----------
    photometry : `~astropy.table.QTable`
        The table of the sources.

    holes : 2D bool `~numpy.ndarray`
        The pixels that were changed.

    Returns
    -------
    facts : dict of str
        What there is to say, by topic.
    """
    meta = photometry.meta
    ny, nx = holes.shape
    n = len(photometry)
    facts = {
        'sources': f'{n} on {nx} x {ny} pixels, {np.count_nonzero(holes)} of them '
        'changed'
    }
    if 'setup' in meta:
        facts['setup'] = f'{meta["setup"]} ({meta["setup_reason"]})'
        facts['method'] = f'{meta["method"]} ({meta["method_reason"]})'
        facts['model'] = f'{meta["model"]}; fill {meta["fill"]!r}'
    if 'detection_snr' in photometry.colnames:
        ratio = np.asarray(photometry['detection_snr'])
        threshold = meta.get('detection_threshold', DETECTION_THRESHOLD)
        n_faint = int(np.sum(ratio < threshold))
        facts['detected'] = (
            f'{int(np.sum(ratio >= threshold))} (detection_snr of {threshold:g} or '
            f'more); {n_faint} with an upper limit'
        )
    return facts


def list_flags(flags):
    """
    Say in words which flags sources have, those that warn first.

    Parameters
    ----------
    flags : 1D int `~numpy.ndarray`
        The flags.

    Returns
    -------
    warning, informing : list of str
        A line for each flag that any source has.
    """
    counts = count_flags(flags)
    lines = {True: [], False: []}
    for flag in FLAGS:
        if flag.name in counts:
            line = f'{counts[flag.name]} {flag.name}: {flag.description}'
            lines[flag.informs].append(line)
    return lines[False], lines[True]


def summarise(photometry, holes):
    """
    Summarise a removal.

    Parameters
    ----------
    photometry, holes
        As for `list_facts`.

    Returns
    -------
    text : str
        The summary, a line for each fact and each flag.
    """
    facts = list_facts(photometry, holes)
    lines = [f'{name}: {value}' for name, value in facts.items()]
    flags = np.asarray(photometry['flags'])
    warning, informing = list_flags(flags)
    n = int(np.sum(has_warning(flags)))
    lines.append(f'with a warning: {n or "none"}')
    lines += map(_indent, warning)
    if informing:
        lines.append('for information:')
        lines += map(_indent, informing)
    return '\n'.join(lines)


def _indent(line):
    return textwrap.fill(
        line, _WIDTH, initial_indent=' ' * 4, subsequent_indent=' ' * 8
    )
