# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures and axes.
"""

__all__ = [
    'make_axes',
]

# The side of an image in a figure (inches, by choice).
_SIDE = 5


def make_axes(n_axes, *, interactive=False):
    """
    Make a figure with images in a row.

    Parameters
    ----------
    n_axes : int
        The number of axes.

    interactive : bool, optional
        Whether pyplot is to know the figure, so that it can show it; a
        figure that is only saved needs no screen.

    Returns
    -------
    axes : `~numpy.ndarray` of `~matplotlib.axes.Axes`
        The axes.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message says what to install.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as exc:
        msg = "plots need matplotlib: pip install 'photutils-pconv[plot]'"
        raise ImportError(msg) from exc
    make_figure = Figure
    if interactive:
        from matplotlib.pyplot import figure as make_figure
    figure = make_figure(figsize=(_SIDE * n_axes, _SIDE), layout='constrained')
    return figure.subplots(1, n_axes, sharex=True, sharey=True)
