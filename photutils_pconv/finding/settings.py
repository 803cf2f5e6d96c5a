# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a user asks of finding sources, checked before any work.
"""

from dataclasses import dataclass

from photutils_pconv._utils.checks import check_count, to_float

__all__ = ['FindSettings']

#: The signal-to-noise ratio of a source: by choice, the usual five.
THRESHOLD = 5.0
#: How far, beyond two standard errors, a source's width and ellipticity may be off
#: the PSF's. By choice, so that sources that are slightly resolved, and those of a PSF
#: that is a little off, are kept.
SHAPE_TOLERANCE = 0.2
#: How often a map is searched, each time without what was found before: by choice,
#: the last round hardly ever finds anything.
N_ROUNDS = 3


@dataclass(frozen=True, kw_only=True)
class FindSettings:
    """
    What counts as a source.

    Parameters
    ----------
    threshold : float, optional
        The signal-to-noise ratio from which on a peak of the filtered map is one.

    shape_tolerance : float, optional
        How far, beyond two standard errors, its width and its ellipticity may be
        off those of the PSF, as shares of the width. Infinity lets any shape pass.

    n_rounds : int, optional
        How often the map is searched at most, each time without what was found
        before.

    Raises
    ------
    TypeError, ValueError
        If a value is not accepted.
    """

    threshold: float = THRESHOLD
    shape_tolerance: float = SHAPE_TOLERANCE
    n_rounds: int = N_ROUNDS

    def __post_init__(self):
        to_float(self.threshold, 'threshold')
        if self.shape_tolerance != float('inf'):
            to_float(self.shape_tolerance, 'shape_tolerance')
        check_count(self.n_rounds, 'n_rounds')
