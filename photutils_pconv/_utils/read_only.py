# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Objects whose settings stay those that they were made with.
"""

import inspect

__all__ = ['ReadOnly']


class ReadOnly:
    """
    The base of classes whose public attributes cannot be set.

    An attribute that is set later would be without effect, or would miss the
    checks that the keyword had. Private ones are the class's own.
    """

    def __setattr__(self, name, value):
        if not name.startswith('_'):
            cls = type(self)
            if name in inspect.signature(cls).parameters or hasattr(cls, name):
                what = f'{name} of a {cls.__name__} cannot be set later'
            else:
                what = f'a {cls.__name__} has no attribute {name!r}'
            msg = f'{what}: give {cls.__name__}() what it needs when you make it'
            raise AttributeError(msg, name=name, obj=self)
        super().__setattr__(name, value)
