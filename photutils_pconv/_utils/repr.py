# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How objects show themselves, as those of photutils do.
"""

from html import escape

__all__ = [
    'format_html',
    'format_parameters',
]


def format_html(title, rows, *, more=''):
    """
    Format an object as HTML, for notebooks.

    Parameters
    ----------
    title : str
        What it is.

    rows : dict
        The names and the values to show; values that are empty are left out.

    more : str, optional
        HTML that follows.

    Returns
    -------
    html : str
        The HTML: a heading and a table.
    """
    cells = ''.join(
        '<tr><th style="text-align: left; vertical-align: top">'
        f'{escape(str(name))}</th><td style="text-align: left">'
        f'{escape(str(value))}</td></tr>'
        for name, value in rows.items()
        if value is not None and str(value)
    )
    return f'<div><b>{escape(title)}</b><table>{cells}</table>{more}</div>'


def format_parameters(instance, parameters, *, long=False):
    """
    Format an object as photutils does.

    Parameters
    ----------
    instance : object
        The object.

    parameters : dict
        The names and values to show.

    long : bool, optional
        Whether to give each a line, as `str` does.

    Returns
    -------
    text : str
        The text.
    """
    name = type(instance).__name__
    if long:
        lines = [f'{key}: {value!r}' for key, value in parameters.items()]
        return '\n'.join([f'<{type(instance).__module__}.{name}>', *lines])
    text = ', '.join(f'{key}={value!r}' for key, value in parameters.items())
    return f'{name}({text})'
