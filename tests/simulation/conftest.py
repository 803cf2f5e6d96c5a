# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Values that are wrong, for the tests of what simulations are given.
"""

import astropy.units as u
import numpy as np

# What no argument of any kind accepts.
NEVER = [1 + 2j, object(), int, {1, 2}, b'x', np.array(['a', 'b']), 3 * u.m, np.nan]
TEXTS = ['', 'word']
NO_NUMBER = [*NEVER, *TEXTS, [], {}, None, True, np.inf, [1.0, 2.0], 1j]
NO_COUNT = [*NO_NUMBER, -3, 2.5, 10**12]
POSITIVE = [*NO_NUMBER, 0, -2.5]
NOT_NEGATIVE = [*NO_NUMBER, -2.5]
NO_ROW = [value for value in NO_NUMBER if not isinstance(value, list)]
NO_PAIR = [*NO_ROW, 3.0, (1.0, 2.0, 3.0), (2.0, 1.0), ('a', 'b'), (np.nan, 1.0)]
NO_SEED = ['word', 2.5, -1, np.nan, [None], ['a'], 1j, True, {}]
