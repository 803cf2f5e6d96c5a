# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How objects show themselves, as those of photutils do.
"""

__all__ = [
    'format_parameters',
]


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
