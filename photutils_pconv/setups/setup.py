# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One observing setup.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from numpy.typing import ArrayLike

from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv._utils.repr import format_html
from photutils_pconv.setups._carried_psf import CarriedPSF, same_psf
from photutils_pconv.setups._tables import to_descending
from photutils_pconv.setups.beam_rules import (
    DEFAULT_THRESHOLDS,
    derive_sizes,
    name_beam,
    parse_beam,
)
from photutils_pconv.setups.encircled_energy import interpolate_eef
from photutils_pconv.setups.files import read_setup_values, write_setup
from photutils_pconv.setups.values import (
    clean_values,
    from_plain_values,
    to_plain_values,
)

__all__ = [
    'ObservingSetup',
]

# The default annulus of standard photometry (arcsec): that of the six PACS setups.
_ANNULUS_RADII = (25, 35)
# The descriptor of a setup's PSF, which reads a file when it is asked for.
_CARRIED = CarriedPSF()


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ObservingSetup:
    """
    An observing setup: an instrument's mode and band.

    Lengths on the sky can be given as a `~astropy.units.Quantity` or as
    a number in the unit stated here. Radii in pixels belong to the
    setup's native pixel grid. `from_psf` makes a setup from a PSF alone.

    Parameters
    ----------
    name : str
        The name in the registry. The bundled ones are called
        ``mode/band``, for example ``'scanmap/green'``.

    mode, band : str, optional
        The observing mode and the band, by which `get_setup` finds the
        setup.

    instrument : str, optional
        The instrument. ``'PACS'`` stands for a PSF with three lobes and a halo,
        which is known beyond the encircled-energy tables.

    wavelength : `~astropy.units.Quantity` or float, optional
        The wavelength (micron).

    pixel_scale : `~astropy.units.Quantity` or float
        The native pixel scale (arcsec), on which the models of this
        setup were trained.

    psf_fwhm : `~astropy.units.Quantity` or float
        The FWHM of the PSF (arcsec). For an elongated PSF, the geometric
        mean of its axes: the round beam of the same area.

    aperture_radius : `~astropy.units.Quantity` or float
        The default photometric aperture's radius (arcsec).

    snr_source_radius, snr_inner_radius, snr_outer_radius : float
        The radii of the source circle and of the annulus from which the
        SNR (Eq. 1) is calculated (pixels).

    snr_thresholds : sequence of float
        The lower SNR limits of the hole radii, highest first.

    hole_radii : sequence of float
        The hole radii (pixels), largest first: one for each threshold
        and a last one for sources below all of them.

    encircled_energy : mapping, optional
        The encircled-energy fraction tables: names (``'real'`` is the
        default for photometry) to a pair of arrays, radii (arcsec) and
        fractions.

    unavailable_tables : mapping, optional
        Names of encircled-energy tables that the setup cannot offer, to
        the reason.

    annulus_radii : `~astropy.units.Quantity` or pair of float, optional
        The inner and outer radii of the background annulus of standard
        photometry (arcsec).

    psf : `~photutils_pconv.psf.SampledPSF`, `~photutils_pconv.psf.LobedPSF` or \
          path-like, optional
        The PSF, or a FITS file that has it, which is read when the PSF is
        first asked for.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If a value has the wrong type, unit, sign or order, or there is no such
        file.
    """

    name: str
    mode: str = ''
    band: str = ''
    instrument: str = ''
    wavelength: u.Quantity | None = None
    pixel_scale: u.Quantity
    psf_fwhm: u.Quantity
    aperture_radius: u.Quantity
    snr_source_radius: float
    snr_inner_radius: float
    snr_outer_radius: float
    snr_thresholds: tuple
    hole_radii: tuple
    encircled_energy: Mapping = field(default_factory=dict)
    unavailable_tables: Mapping = field(default_factory=dict)
    annulus_radii: u.Quantity = _ANNULUS_RADII
    psf: SampledPSF | LobedPSF | None = _CARRIED  # type: ignore[assignment]

    def __post_init__(self):
        for key, value in clean_values(self).items():
            object.__setattr__(self, key, value)

    def __repr__(self) -> str:
        wavelength = '' if self.wavelength is None else f' {self.wavelength:g},'
        return (
            f'<ObservingSetup({self.name!r},{wavelength} {self.pixel_scale:g} / pixel)>'
        )

    def _repr_html_(self):
        snr = ', '.join(f'{one:g}' for one in self.snr_thresholds)
        holes = ', '.join(f'{one:g}' for one in self.hole_radii)
        rows = {
            'instrument': self.instrument,
            'mode': self.mode,
            'band': self.band,
            'wavelength': '' if self.wavelength is None else f'{self.wavelength:g}',
            'pixel scale': f'{self.pixel_scale:g}',
            'FWHM of the PSF': f'{self.psf_fwhm:.3g}',
            'aperture radius': f'{self.aperture_radius:g}',
            'annulus': '{:g} to {:g} arcsec'.format(*self.annulus_radii.value),
            'hole radii': f'{holes} pixels, for SNR from {snr}, or less',
            'encircled energies': ', '.join(self.encircled_energy),
        }
        return format_html(f'Observing setup {self.name}', rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ObservingSetup):
            return NotImplemented
        return self.to_dict() == other.to_dict() and same_psf(self.psf, other.psf)

    def __hash__(self) -> int:
        return hash((self.name, self.hole_radii, self.snr_thresholds))

    @classmethod
    def from_psf(
        cls,
        psf: Any,
        *,
        pixel_scale: Any = None,
        psf_pixel_scale: Any = None,
        name: str | None = None,
        mode: str = '',
        band: str = '',
        instrument: str = '',
        wavelength: Any = None,
        aperture_radius: Any = None,
        annulus_radii: Any = None,
        snr_thresholds: Sequence[float] = DEFAULT_THRESHOLDS,
    ) -> ObservingSetup:
        """
        Make a setup from a PSF: all sizes follow from its beam.

        The setup carries the PSF. F is the FWHM of the PSF's mean radial
        profile, P that in native pixels, with two pixels in quadrature.

        ===================  ================================================
        Value                Rule
        ===================  ================================================
        pixel scale          as given, or F / 3.5
        encircled energy     the PSF's, out to 12 F or the end of its image
        aperture radius      F
        annulus radii        3.5 F and 5 F
        radii of the SNR     2 P, 2.5 P and 5.5 P, in whole pixels
        hole radii           P (1.154 + 0.2926 ln SNR), in whole pixels
        ===================  ================================================

        The SNR of a hole radius is the lower limit of its class; the last
        class has half of the smallest limit. With the PSFs of PACS, the hole
        radii are those of Table 3 within a pixel.

        Parameters
        ----------
        psf : `~astropy.units.Quantity`, path-like, array, ``ImagePSF`` or PSF
            The FWHM of a round Gaussian PSF, with a unit; a FITS image; an
            image; photutils' ``ImagePSF``; a
            `~photutils_pconv.psf.SampledPSF` or
            `~photutils_pconv.psf.LobedPSF`.

        pixel_scale : `~astropy.units.Quantity` or float, optional
            The native pixel scale (arcsec): that of the maps. Maps of another
            scale are resampled to it.

        psf_pixel_scale : `~astropy.units.Quantity` or float, optional
            The pixel scale of an image (arcsec), or of the maps of an
            ``ImagePSF``. By default it is read from the header of a FITS
            file; other images belong to pixels of the native scale.

        name : str, optional
            The setup's name; by default that of the file, or what the PSF is.

        mode, band, instrument : str, optional
            As for the class.

        wavelength : `~astropy.units.Quantity` or float, optional
            The wavelength (micron).

        aperture_radius, annulus_radii : optional
            As for the class, instead of what follows from the beam.

        snr_thresholds : sequence of float, optional
            The lower SNR limits of the hole radii, highest first.

        Returns
        -------
        setup : `ObservingSetup`
            The setup.

        Raises
        ------
        TypeError, ValueError, FileNotFoundError
            If the PSF is not acceptable, or a pixel scale is missing.
        """
        thresholds = to_descending(snr_thresholds, 'snr_thresholds', strictly=True)
        beam = parse_beam(psf, pixel_scale=pixel_scale, psf_pixel_scale=psf_pixel_scale)
        values = derive_sizes(beam, thresholds)
        given = {'aperture_radius': aperture_radius, 'annulus_radii': annulus_radii}
        values |= {key: value for key, value in given.items() if value is not None}
        return cls(
            name=name_beam(psf, beam) if name is None else name,
            mode=mode,
            band=band,
            instrument=instrument,
            wavelength=wavelength,
            pixel_scale=beam.pixel_scale,
            psf=beam.psf,
            **values,
        )

    @property
    def has_psf(self) -> bool:
        """
        Whether the setup carries a PSF (`bool`).
        """
        return vars(self)['_psf'] is not None

    def hole_radius(self, snr: ArrayLike) -> float | np.ndarray:
        """
        The radius of the hole of a source (Table 3).

        Parameters
        ----------
        snr : float or array_like
            The signal-to-noise ratio (Eq. 1). NaN, for a source whose
            ratio cannot be calculated, counts as the faintest.

        Returns
        -------
        radius : float or `~numpy.ndarray`
            The radius in pixels of the native grid, in the shape of
            ``snr``.
        """
        snr = np.asarray(snr, dtype=float)
        snr = np.where(np.isnan(snr), -np.inf, snr)
        thresholds = np.array(self.snr_thresholds[::-1])
        n_passed = np.searchsorted(thresholds, snr, side='right')
        radius = np.array(self.hole_radii[::-1])[n_passed]
        return float(radius) if radius.ndim == 0 else radius

    def eef(self, radius: Any, *, table: Any = 'real') -> float | np.ndarray:
        """
        The encircled-energy fraction within a radius.

        Between the tabulated radii the fraction is interpolated by a
        monotone piecewise cubic (PCHIP). The ``'real'`` tables of the
        two red PACS bands leave out the radii of 16 and 17 arcsec, where
        their source repeats the value of 15 arcsec: there, the fraction
        is interpolated from 15 and 18 arcsec.

        Parameters
        ----------
        radius : `~astropy.units.Quantity`, float or array_like
            The radius (arcsec).

        table : str or table-like, optional
            The name of a table of the setup, ``'real'`` for real maps or
            ``'simulation'`` for sources injected with a Vesta PSF that
            is normalised to 1 within its own stamp; or a (radii, eef)
            pair, a `~astropy.table.Table` with the columns ``radius``
            and ``eef``, or a dict of radius to fraction (radii in
            arcsec).

        Returns
        -------
        eef : float or `~numpy.ndarray`
            The fraction, in the shape of ``radius``.

        Raises
        ------
        ValueError
            If a radius lies outside the table, or the setup does not
            offer the table.
        """
        return interpolate_eef(self, radius, table)

    def aperture_correction(
        self, radius: Any, *, table: Any = 'real'
    ) -> float | np.ndarray:
        """
        The factor from a flux within a radius to the total flux.

        Parameters
        ----------
        radius : `~astropy.units.Quantity`, float or array_like
            The radius (arcsec).

        table : str or table-like, optional
            The encircled-energy table, as for `eef`.

        Returns
        -------
        factor : float or `~numpy.ndarray`
            ``1 / eef(radius)``.
        """
        return 1.0 / self.eef(radius, table=table)

    def to_dict(self) -> dict[str, Any]:
        """
        The setup as a dict of plain values, ready for JSON.

        Returns
        -------
        values : dict
            A key for every parameter of the setup but its PSF, with the unit
            of the value at its end where there is one
            (``pixel_scale_arcsec``).
        """
        return to_plain_values(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ObservingSetup:
        """
        The setup that `to_dict` wrote.

        Parameters
        ----------
        values : mapping
            The result of `to_dict`.

        Returns
        -------
        setup : `ObservingSetup`
            The setup.
        """
        return cls(**from_plain_values(values))

    def write(
        self, path: str | os.PathLike, *, overwrite: bool = False
    ) -> tuple[Path, ...]:
        """
        Write the setup to a JSON file, and its PSF beside it.

        Parameters
        ----------
        path : path-like
            The file, ``NAME.json``. The PSF is written to ``NAME_psf.fits``.

        overwrite : bool, optional
            Whether to replace files.

        Returns
        -------
        paths : tuple of `~pathlib.Path`
            The files.

        Raises
        ------
        OSError, ValueError
            If the name is another one, or the files cannot be written.
        """
        return write_setup(self, path, overwrite=overwrite)

    @classmethod
    def read(cls, path: str | os.PathLike) -> ObservingSetup:
        """
        Read a setup that `write` wrote.

        Parameters
        ----------
        path : path-like
            The JSON file. What `to_dict` gives is accepted, too.

        Returns
        -------
        setup : `ObservingSetup`
            The setup.

        Raises
        ------
        FileNotFoundError, ValueError
            If a file is missing, or does not hold a setup.
        """
        values = read_setup_values(path)
        try:
            return cls.from_dict(values)
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            msg = f'{str(path)!r} does not hold a setup: {exc}'
            raise ValueError(msg) from exc
