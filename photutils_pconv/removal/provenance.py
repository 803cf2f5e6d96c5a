# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What was done to a map, for tables and headers.
"""

from datetime import UTC, datetime

import astropy.units as u
import numpy as np

from photutils_pconv._utils.versions import package_versions

__all__ = []


def _make_meta(remover, psf):
    """
    Describe a removal in the table's metadata.
    """
    corrections = remover.aperture_corrections
    if corrections is None:
        corrections = 'real' if remover.known_psf is None else 'psf'
    elif not isinstance(corrections, str):
        corrections = 'user'
    meta = {
        'setup': remover.setup.name,
        'model': remover.loaded_model.name,
        'model_checksum': remover.loaded_model.checksum,
        'n_passes': remover.n_passes,
        'aperture_radii_arcsec': remover.aperture_radii.tolist(),
        'aperture_corrections': corrections,
        'annulus_radii_arcsec': remover.setup.annulus_radii.to_value(u.arcsec).tolist(),
        'error_method': remover.error_method,
        'subtract_wings': remover.subtract_wings or remover.n_passes == 2,
        'texture': remover.texture,
        'colour_corrected': False,
        'versions': package_versions('astropy', 'photutils'),
        'date': datetime.now(UTC).isoformat(timespec='seconds'),
    }
    if psf is not None:
        given = remover.psf
        meta['psf'] = str(given) if isinstance(given, str) else type(given).__name__
        meta['psf_angle_deg'] = (
            None if psf.angle is None else float(np.degrees(psf.angle))
        )
        meta['psf_width'] = float(psf.width)
    return meta


def _make_history(meta, n_filled):
    """
    Describe a removal in the history of the cleaned map.
    """
    checksum = meta['model_checksum']
    lines = [
        f'photutils-pconv {meta["versions"]["photutils_pconv"]}: {n_filled} '
        'compact sources replaced by reconstructed emission',
        f'photutils-pconv setup {meta["setup"]}, model {meta["model"]}',
        f'model sha256 {checksum[:32]}',
        f'model sha256 {checksum[32:]} (continued)',
    ]
    if 'psf' in meta:
        angle = meta['psf_angle_deg']
        text = 'averaged over angles' if angle is None else f'angle {angle:.1f} deg'
        lines.append(
            f'{meta["n_passes"]} pass(es) with a PSF ({meta["psf"][:20]}), {text}'
        )
    if meta['subtract_wings']:
        lines.append('the wings of sources beyond the holes were subtracted')
    if meta['texture']:
        lines.append('a random realisation of noise and texture was added in holes')
    return tuple(lines)
