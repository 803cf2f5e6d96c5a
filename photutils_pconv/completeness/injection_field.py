# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The map that sources are injected into: its real sources, and how injected ones look.
"""

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np

from photutils_pconv.completeness.rounds import InjectionScene
from photutils_pconv.inputs.sizes import CatalogueSizes
from photutils_pconv.psf.library import parse_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf_photometry.aperture_scale import aperture_fraction
from photutils_pconv.removal.pipeline import find_psf, remove_sources

__all__ = ['InjectionField']


@dataclass(frozen=True, eq=False)
class InjectionField:
    """
    A map whose real sources were removed once.

    Parameters
    ----------
    scene : `~photutils_pconv.completeness.rounds.InjectionScene`
        What all rounds of an injection have in common.

    occupied : 2D bool `~numpy.ndarray`
        The pixels that are missing, or in holes of real sources.

    pixel_scale : float
        The pixel scale, in arcsec.

    factor : float
        Map pixel / native pixel.
    """

    scene: InjectionScene
    occupied: np.ndarray
    pixel_scale: float
    factor: float

    @classmethod
    def from_removal(cls, settings, map_input, source_input, psf):
        """
        Find what the real sources are, and how the injected ones look.

        Parameters
        ----------
        settings : `~photutils_pconv.removal.RemovalSettings`
            The settings of the removals.

        map_input : `~photutils_pconv.inputs.MapInput`
            The map.

        source_input : `~photutils_pconv.inputs.SourceInput`
            The real sources.

        psf : PSF or `None`
            The PSF of the injected sources; `None` for that of the removal, as it is
            found on the map.

        Returns
        -------
        field : `InjectionField`
            The map.
        """
        # Photometry does not depend on what the cleaned map holds, and injected
        # fluxes are the map's own.
        settings = replace(
            settings,
            fill='mean',
            colour_correction=None,
            calibration_error=None,
            run=settings.run.without_bar(),
        )
        removal = remove_sources(settings, map_input, source_input)
        grid, holes = removal.grid, removal.holes
        share = 1.0
        if psf is not None:
            pixel_psf = PixelPSF(psf, grid.pixel_scale)
        else:
            pixel_psf = _find_shape(settings, removal)
            share = _find_share(pixel_psf, removal.plan)
        scene = InjectionScene(
            settings=settings,
            # The photometry needs neither the form nor the header of the input.
            map_input=replace(map_input, original=map_input.data, meta={}),
            x=holes.x,
            y=holes.y,
            pixel_psf=pixel_psf,
            share=share,
            sizes=_find_sizes(removal.found_sizes),
        )
        occupied = grid.missing | holes.mask
        return cls(scene, occupied, grid.pixel_scale, grid.factor)


def _find_sizes(found):
    """Give the sizes of the real sources as a catalogue has them."""
    if not found.is_any_resolved:
        return None
    sizes = found.sizes
    return CatalogueSizes(
        found.beam * sizes.major,
        found.beam * sizes.minor,
        u.arcsec,
        np.degrees(sizes.angle),
        from_north=False,
    )


def _find_shape(settings, removal):
    """Give the PSF on the map's pixels, with the shape that was found there."""
    grid, found = removal.grid, removal.filled.pixel_psf
    if found is None:
        return PixelPSF(parse_psf('setup', settings.setup), grid.pixel_scale)
    # Where sources have sizes, that of unresolved ones.
    found = getattr(found, 'point', found)
    if grid.factor == 1:
        return found
    psf = find_psf(settings, grid, removal.holes)
    nominal = PixelPSF(psf, grid.pixel_scale)
    return nominal.adjusted(angle=found.angle, width=found.width)


def _find_share(pixel_psf, plan):
    """
    Give what the PSF is multiplied with for a source of flux 1.

    Fluxes are total ones in the sense that the first aperture holds the encircled
    energy of the remover's PSF or table, whatever shape was found on the map.
    """
    expected = float(np.atleast_1d(plan.eef(plan.radii[:1]))[0])
    return expected / aperture_fraction(pixel_psf, plan.pixel_radii[0])
