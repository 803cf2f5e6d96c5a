# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where figures are drawn. Matplotlib is imported at use.
"""

import numpy as np

from photutils_pconv._utils.plotting import make_axes

__all__ = ['check_number', 'new_axes', 'one_axes', 'row_axes', 'setup_axes']

# The columns of figures that have a panel per setup.
_COLUMNS = 3
_NUMBERS = {2: 'two', 3: 'three'}


def new_axes(n_rows=1, n_columns=1, *, size=(4.5, 3.6), interactive=True, **kwargs):
    """
    Make a figure, and give its axes.

    Parameters
    ----------
    n_rows, n_columns : int, optional
        The numbers of rows and columns.

    size : pair of float, optional
        The width and the height of each axes, in inches.

    interactive : bool, optional
        Whether pyplot is to know the figure, so that it can show it.

    **kwargs
        Keyword arguments of `~matplotlib.figure.Figure.subplots`.

    Returns
    -------
    axes : 2D `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.
    """
    figure = make_axes(1, interactive=interactive).figure
    figure.clear()
    figure.set_size_inches(size[0] * n_columns, size[1] * n_rows)
    return figure.subplots(n_rows, n_columns, squeeze=False, **kwargs)


def one_axes(ax):
    """
    Return the axes that were given, or those of a new figure.
    """
    return new_axes()[0, 0] if ax is None else ax


def check_number(axes, n):
    """
    Refuse axes that are not as many as panels.
    """
    if len(axes) != n:
        msg = f'axes must be {_NUMBERS[n]} axes, got {len(axes)}'
        raise ValueError(msg)


def row_axes(axes, shape, size, **kwargs):
    """
    Return the axes that were given in rows, or those of a new figure.
    """
    if axes is None:
        return new_axes(*shape, size=size, **kwargs)
    axes = np.asarray(axes, dtype=object)
    if axes.size != np.prod(shape):
        msg = f'axes must be {shape[0]} rows of {shape[1]}, got {axes.size} axes.'
        raise ValueError(msg)
    return axes.reshape(shape)


def setup_axes(n_setups, *, size, interactive=True):
    """
    Make a figure with a panel per setup; what is left of the last row is hidden.
    """
    n_columns = min(_COLUMNS, n_setups)
    n_rows = -(-n_setups // n_columns)
    axes = new_axes(n_rows, n_columns, size=size, interactive=interactive)
    for ax in axes.flat[n_setups:]:
        ax.set_visible(False)
    return axes
