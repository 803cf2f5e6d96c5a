# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The reconstructed emission of a map, and what follows from it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = [
    'Reconstruction',
]


@dataclass(frozen=True)
class Reconstruction:
    """
    The reconstructed extended emission of a map.

    Parameters
    ----------
    emission : 2D `~numpy.ndarray`
        The reconstruction where ``weight`` is positive, 0 elsewhere.

    weight : 2D `~numpy.ndarray`
        The reconstruction's weight in the cleaned map: 1 in the holes,
        falling to 0 over the taper around them.

    filled : 1D bool `~numpy.ndarray`
        Whether each source's hole could be filled.

    wings : 2D `~numpy.ndarray`, optional
        The wings of sources to be taken off outside of the holes.

    foreign : 2D `~numpy.ndarray`, optional
        What the holes hold of the wings of other sources, which are not in
        ``emission``.
    """

    emission: np.ndarray
    weight: np.ndarray
    filled: np.ndarray
    wings: np.ndarray | None = None
    foreign: np.ndarray | None = None

    @cached_property
    def inside(self):
        """
        The pixels of the holes, tapers included: their places in a flattened image of
        the map (1D int `~numpy.ndarray`).
        """
        return np.flatnonzero(self.weight > 0)

    @property
    def holes(self):
        """
        The changed pixels, taper included (2D bool `~numpy.ndarray`).
        """
        if self.wings is None:
            return self.weight > 0
        return (self.weight > 0) | (self.wings != 0)

    def clean(self, data):
        """
        Replace the sources of a map by the reconstruction.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The map.

        Returns
        -------
        cleaned : 2D `~numpy.ndarray`
            The cleaned map, equal to ``data`` bit for bit outside
            `holes`.
        """
        if self.wings is None:
            return self.replace_holes(data)
        cleaned = data.copy()
        np.subtract(data, self.wings, out=cleaned, where=self.wings != 0)
        return self._blend(cleaned, self.emission)

    def replace_holes(self, data):
        """
        Replace what each hole holds of its own source.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The map.

        Returns
        -------
        replaced : 2D `~numpy.ndarray`
            The map with all wings that lie beyond the hole of their source:
            the difference from ``data`` is what belongs to the sources.
        """
        return self._blend(data.copy(), self.emission, self.foreign)

    def find_removed(self, data):
        """
        Give what belongs to the sources in the holes.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The map; NaN where it is missing.

        Returns
        -------
        removed : 2D `~numpy.ndarray`
            The map less what `replace_holes` gives; 0 elsewhere, and NaN where the
            map is.
        """
        removed = np.zeros(self.weight.shape)
        mixed = self._mix(data, self.emission, self.foreign)
        removed.ravel()[self.inside] = data.ravel()[self.inside] - mixed
        removed[np.isnan(data)] = np.nan
        return removed

    def _blend(self, data, emission, foreign=None):
        """Blend the emission into a map, in place."""
        np.put(data, self.inside, self._mix(data, emission, foreign))
        return data

    def _mix(self, data, emission, foreign):
        """Give the pixels of the holes."""
        weight, emission, data = (
            one.ravel()[self.inside] for one in (self.weight, emission, data)
        )
        if foreign is not None:
            emission += foreign.ravel()[self.inside]
        # Not data + w * (emission - data): where w is 1 a bright source
        # would leave its rounding error in a faint reconstruction.
        return weight * emission + (1.0 - weight) * data
