# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What was done to a map, for tables and headers.
"""

import textwrap
from datetime import UTC, datetime

import astropy.units as u
import numpy as np
from astropy import log

from photutils_pconv._utils.versions import package_versions
from photutils_pconv.network.running import choose_precision
from photutils_pconv.removal.flux_calibration import describe_calibration

__all__ = ['describe_settings', 'log_choices', 'make_history', 'make_meta']

# The text of a card of HISTORY (FITS standard 4.0, 4.4.2.4).
_CARD_WIDTH = 72
# What a line of history says of each fill.
_FILL_HISTORY = {
    'observed': 'holes hold the map less the sources, where that is known',
    'mean': 'holes hold the reconstructed emission, without noise',
    'draw': 'holes hold what is known, and a random draw of what is not',
}


# What was said already.
_said: set[str] = set()


def log_choices(settings):
    """
    Log what was chosen for the user, and why, to astropy's logger.

    A process says the same only once: an evaluation has hundreds of removals.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.
    """
    psf = '' if settings.psf_name is None else f', PSF {settings.psf_name!r}'
    text = (
        f'setup {settings.setup.name!r} ({settings.setup_reason}); method '
        f'{settings.method!r} ({settings.method_reason}){psf}; model '
        f'{settings.model.name!r}; fill {settings.fill!r}'
    )
    if text not in _said:
        _said.add(text)
        log.info(text)


def describe_settings(settings):
    """
    Describe settings for those who print a remover.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    Returns
    -------
    described : dict
        What the user can give, with what became of it.
    """
    run = settings.run
    return {
        'setup': f'{settings.setup.name} ({settings.setup_reason})',
        'method': f'{settings.method} ({settings.method_reason})',
        'model': settings.model.name,
        'aperture_radii': settings.aperture_radii.tolist(),
        'aperture_corrections': settings.aperture_corrections,
        'recenter': settings.recenter,
        'psf': settings.psf_name,
        'error_method': settings.error_method,
        'detection_threshold': settings.detection_threshold,
        'upper_limit_probability': settings.upper_limit_probability,
        'colour_correction': describe_calibration(settings)['colour_correction'],
        'calibration_error': settings.calibration_error,
        'subtract_wings': settings.subtract_wings,
        'fill': settings.fill,
        'resample': settings.resample,
        'batch_size': run.batch_size,
        'device': run.device,
        'precision': choose_precision(run, settings.model.network),
        'turns': run.turns,
        'threads': run.threads,
    }


def make_meta(settings, pixel_psf):
    """
    Describe a removal in the table's metadata.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `None`
        The PSF as it was found on the map.

    Returns
    -------
    meta : dict
        What was done, with which versions, and when.
    """
    corrections = settings.aperture_corrections
    if corrections is None:
        corrections = 'psf' if settings.has_psf else 'real'
    elif not isinstance(corrections, str):
        corrections = 'user'
    setup = settings.setup
    meta = {
        'setup': setup.name,
        'setup_reason': settings.setup_reason,
        'model': settings.model.name,
        'model_checksum': settings.model.checksum,
        'method': settings.method,
        'method_reason': settings.method_reason,
        'aperture_radii_arcsec': settings.aperture_radii.tolist(),
        'aperture_corrections': corrections,
        'annulus_radii_arcsec': setup.annulus_radii.to_value(u.arcsec).tolist(),
        'error_method': settings.error_method,
        'detection_threshold': settings.detection_threshold,
        'upper_limit_probability': settings.upper_limit_probability,
        'subtract_wings': settings.subtract_wings or settings.method == 'psf',
        'fill': settings.fill,
        'precision': choose_precision(settings.run, settings.model.network),
        'turns': settings.run.turns,
        **describe_calibration(settings),
        'versions': package_versions('astropy', 'photutils'),
        'date': datetime.now(UTC).isoformat(timespec='seconds'),
    }
    if pixel_psf is not None:
        angle = pixel_psf.angle
        meta['psf'] = settings.psf_name
        meta['psf_angle_deg'] = None if angle is None else float(np.degrees(angle))
        meta['psf_width'] = float(pixel_psf.width)
    return meta


def make_history(meta, n_filled):
    """
    Describe a removal in the history of the cleaned map.

    Parameters
    ----------
    meta : dict
        What `make_meta` gives.

    n_filled : int
        The number of sources that were removed.

    Returns
    -------
    lines : tuple of str
        The lines.
    """
    checksum = meta['model_checksum']
    lines = [
        f'photutils-pconv {meta["versions"]["photutils_pconv"]}: {n_filled} '
        'compact sources replaced by reconstructed emission',
        f'photutils-pconv setup {meta["setup"]}, model {meta["model"]}',
        f'setup {meta["setup"]}: {meta["setup_reason"]}',
        f'method {meta["method"]}: {meta["method_reason"]}',
        _FILL_HISTORY[meta['fill']],
        f'model sha256 {checksum[:32]}',
        f'model sha256 {checksum[32:]} (continued)',
    ]
    if 'psf' in meta:
        angle = meta['psf_angle_deg']
        text = 'averaged over angles' if angle is None else f'angle {angle:.1f} deg'
        lines.append(f'the PSF ({meta["psf"][:20]}) is known, {text}')
    if meta['subtract_wings']:
        lines.append('the wings of sources beyond the holes were subtracted')
    # astropy breaks longer ones anywhere
    return tuple(
        part
        for line in lines
        for part in textwrap.wrap(line, _CARD_WIDTH, subsequent_indent='  ')
    )
