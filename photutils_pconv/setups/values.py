# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The values of a setup: checked, and as plain ones for JSON.
"""

from collections.abc import Mapping
from dataclasses import fields

import astropy.units as u

from photutils_pconv._utils.checks import to_float, to_quantity
from photutils_pconv.setups._tables import parse_eef_table, to_descending

__all__ = ['clean_values', 'from_plain_values', 'to_plain_values']


def clean_values(setup):
    """
    Check the values of a setup, and give them their units and types.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup, with the values that it was given.

    Returns
    -------
    clean : dict
        The values that are to take the place of those.

    Raises
    ------
    TypeError, ValueError
        If a value has the wrong type, unit, sign or order.
    """
    for key in ('name', 'mode', 'band', 'instrument'):
        if not isinstance(getattr(setup, key), str):
            msg = f'{key} must be a str, got {getattr(setup, key)!r}.'
            raise TypeError(msg)
    if not setup.name.strip():
        msg = 'name must not be empty.'
        raise ValueError(msg)

    clean = {}
    if setup.wavelength is not None:
        clean['wavelength'] = to_quantity(setup.wavelength, u.um, 'wavelength')
    for key in ('pixel_scale', 'psf_fwhm', 'aperture_radius'):
        clean[key] = to_quantity(getattr(setup, key), u.arcsec, key)
    clean['annulus_radii'] = to_quantity(
        setup.annulus_radii, u.arcsec, 'annulus_radii', shape=(2,)
    )
    for key in ('snr_source_radius', 'snr_inner_radius', 'snr_outer_radius'):
        clean[key] = to_float(getattr(setup, key), key)
    clean['snr_thresholds'] = to_descending(
        setup.snr_thresholds, 'snr_thresholds', strictly=True
    )
    clean['hole_radii'] = to_descending(setup.hole_radii, 'hole_radii', strictly=False)
    if not isinstance(setup.encircled_energy, Mapping):
        msg = (
            'encircled_energy must be a mapping of table names to '
            f'(radii, eef), got {setup.encircled_energy!r}.'
        )
        raise TypeError(msg)
    clean['encircled_energy'] = {
        key: parse_eef_table(table, f'encircled_energy[{key!r}]')
        for key, table in setup.encircled_energy.items()
    }
    clean['unavailable_tables'] = dict(setup.unavailable_tables)

    if len(clean['hole_radii']) != len(clean['snr_thresholds']) + 1:
        msg = (
            'hole_radii must hold one radius more than '
            f'snr_thresholds, got {len(clean["hole_radii"])} radii '
            f'and {len(clean["snr_thresholds"])} thresholds.'
        )
        raise ValueError(msg)
    if clean['snr_inner_radius'] >= clean['snr_outer_radius']:
        msg = (
            'snr_inner_radius must be smaller than '
            f'snr_outer_radius, got {clean["snr_inner_radius"]} and '
            f'{clean["snr_outer_radius"]}.'
        )
        raise ValueError(msg)
    inner, outer = clean['annulus_radii']
    if inner >= outer:
        msg = (
            'annulus_radii must be an inner and a larger outer '
            f'radius, got {inner} and {outer}.'
        )
        raise ValueError(msg)
    return clean


def to_plain_values(setup):
    """
    Give a setup as plain values, ready for JSON.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Returns
    -------
    values : dict
        As of `~photutils_pconv.ObservingSetup.to_dict`.
    """
    values = {}
    for key in (item.name for item in fields(setup) if item.name != 'psf'):
        value = getattr(setup, key)
        if isinstance(value, u.Quantity):
            values[f'{key}_{value.unit}'] = value.value.tolist()
        elif isinstance(value, tuple):
            values[key] = list(value)
        elif key == 'encircled_energy':
            values[key] = {
                name: {'radius_arcsec': radii.tolist(), 'eef': eef.tolist()}
                for name, (radii, eef) in value.items()
            }
        else:
            values[key] = dict(value) if isinstance(value, dict) else value
    return values


def from_plain_values(values):
    """
    Give the arguments of a setup that was written as plain values.

    Parameters
    ----------
    values : mapping
        What `to_plain_values` gives.

    Returns
    -------
    arguments : dict
        The arguments of `~photutils_pconv.ObservingSetup`.
    """
    values = dict(values)
    for key in list(values):
        for unit in ('_um', '_arcsec'):
            if key.endswith(unit):
                values[key.removesuffix(unit)] = values.pop(key)
    values['encircled_energy'] = {
        name: (table['radius_arcsec'], table['eef'])
        for name, table in values.get('encircled_energy', {}).items()
    }
    return values
