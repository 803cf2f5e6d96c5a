# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
World coordinates in FITS headers: read, separated from other keywords, written.
"""

import copy
import re
from numbers import Real

import numpy as np
from astropy import log
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable
from astropy.wcs.utils import wcs_to_celestial_frame

from photutils_pconv._utils.warnings import hold_filters, warn_user
from photutils_pconv.inputs.unit_texts import parse_angle_unit

__all__ = [
    'is_wcs_keyword',
    'make_wcs_header',
    'make_wcs_tables',
    'read_wcs',
    'remove_wcs',
    'with_known_frame',
]

# The keywords of the FITS WCS papers I to IV, of SIP, of lookup tables and of IRAF.
_WCS_KEYWORD = re.compile(
    r'(WCSAXES|WCSNAME|LONPOLE|LATPOLE|EQUINOX|RADESYS)[A-Z]?|WCSDIM|RADECSYS|EPOCH'
    r'|(CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CNAME|CRDER|CSYER|CROTA)\d{1,2}[A-Z]?'
    r'|(CD|PC|PV|PS)\d{1,2}_\d{1,3}[A-Z]?|(CD|PC)\d{6}|PROJP\d+'
    r'|[AB]P?_(ORDER|DMAX|\d{1,2}_\d{1,2})'
    r'|C[PQ](DIS|ERR)\d[A-Z]?|D[PQ]\d.*|DVERR\d?[A-Z]?|D2IM.*|AXISCORR'
    r'|(SPECSYS|SSYSOBS|SSYSSRC|VELOSYS|ZSOURCE|VELANGL|RESTFRQ|RESTWAV)[A-Z]?'
    r'|RESTFREQ|VELREF|[LAW]TV\d|[LAW]TM\d_\d|WAT\d_\d{3}|WAXMAP\d*'
)
_LOOKUP = re.compile(r'C[PQ](DIS|ERR)\d[A-Z]?|D[PQ]\d.*|DVERR\d?|D2IM.*|AXISCORR')
# Those that must hold numbers.
_NUMBER = re.compile(r'(CRVAL|CRPIX|CDELT|CROTA)\d{1,2}|(CD|PC|PV)\d{1,2}_\d{1,3}')
# Other descriptions of the same axes (the standard's a = A to Z) are not used.
_ALTERNATE = re.compile(
    r'(WCSAXES|WCSNAME|LONPOLE|LATPOLE|EQUINOX|RADESYS|SPECSYS|SSYSOBS|SSYSSRC|VELOSYS|'
    r'ZSOURCE|VELANGL|RESTFRQ|RESTWAV)[A-Z]|C[A-Z]{4}\d{1,2}[A-Z]|'
    r'(CD|PC|PV|PS)\d{1,2}_\d{1,3}[A-Z]'
)
# Keywords of the observation that a WCS keeps, too.
_OBSERVATION = {
    'DATE-OBS': re.compile(r'\d{4}-\d\d-\d\d(T[\d:.]+)?'),
    'MJD-OBS': re.compile(r'[\d.eE+-]+'),
}
_STAYS = ('JD-OBS', 'MJD-OBS', 'DATE-OBS')
# Spellings of frames that the standard does not know, but astronomers do.
_FRAMES = {
    'J2000': 'FK5',
    'FK5 J2000': 'FK5',
    'FK5(J2000)': 'FK5',
    'EQ-J2000': 'FK5',
    'FK5-J2000': 'FK5',
    'B1950': 'FK4',
    'FK4 B1950': 'FK4',
    'FK4(B1950)': 'FK4',
    'EQ-B1950': 'FK4',
    'ICRF': 'ICRS',
    'ICRF2': 'ICRS',
    'ICRF3': 'ICRS',
    'ICRS J2000': 'ICRS',
    'ICRS(J2000)': 'ICRS',
}
_EQUINOX = {'FK5': 2000.0, 'FK4': 1950.0}


def is_wcs_keyword(keyword):
    """
    Return whether a keyword of a FITS header is one of world coordinates.

    Parameters
    ----------
    keyword : str
        The keyword.

    Returns
    -------
    is_wcs : bool
        Whether it is.
    """
    return _WCS_KEYWORD.fullmatch(keyword) is not None


def read_wcs(header, hdus, where):
    """
    Read the celestial WCS of a header, without astropy's notices on repairs.

    The filters of `warnings`, which are those of all threads, are left as
    they are.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        The header.

    hdus : `~astropy.io.fits.HDUList` or `None`
        The file, for WCS with lookup tables.

    where : str
        Its name, for warnings.

    Returns
    -------
    wcs : `~astropy.wcs.WCS` or `None`
        The WCS, of two axes if two of them are celestial; `None`, with a
        warning unless there is none at all, if it cannot be used.
    """
    clean = _clean_header(header)
    try:
        _check_numbers(clean)
        try:
            wcs = _make_wcs(clean, hdus)
        except (AssertionError, KeyError, IndexError):
            lost = sorted({key for key in clean if _LOOKUP.fullmatch(key)})
            if not lost:
                raise
            for key in lost:
                clean.remove(key, ignore_missing=True, remove_all=True)
            wcs = _make_wcs(clean, None)
            msg = (
                f'The distortion tables of the WCS of {where} are missing: positions '
                'are without this distortion.'
            )
            warn_user(msg)
    except Exception as exc:
        # whatever astropy and wcslib make of a header that is none
        reason = ' '.join(str(exc).split())
        msg = f'The WCS of {where} cannot be used, the map has none: {reason}'
        warn_user(msg)
        return None
    if not wcs.wcs.ctype[0]:
        return None
    size = [header.get(f'NAXIS{i}') for i in (1, 2)]
    if wcs.naxis > 2 and wcs.has_celestial:
        wcs = wcs.celestial
    if wcs.naxis == 2 and None not in size:
        wcs.pixel_shape = size
    return wcs


def _make_wcs(header, hdus):
    """Make a WCS and repair it in silence: `WCS.fix` warns of each repair."""

    def make(naxis=None):
        # _do_set: what has to be repaired first could not be set up
        return WCS(header, fobj=hdus, fix=False, naxis=naxis, _do_set=False)

    try:
        wcs = make()
    except ValueError:
        # distortions together with a third axis
        wcs = make(naxis=2)
    if wcs.sip is not None and wcs.wcs.get_pv():
        log.info('The PV of SCAMP are left out, as the WCS has SIP, too')
        wcs.wcs.set_pv([])
    wcs.wcs.fix('', None)
    wcs.wcs.set()
    return wcs


def _clean_header(header):
    """Keep what a WCS is made of, in spellings that need no notice."""
    clean = fits.Header()
    is_iraf = str(header.get('CTYPE1', '')).endswith(('TNX', 'ZPX'))
    for card in header.cards:
        keyword = card.keyword
        if keyword.startswith('WAT') and not is_iraf:
            # wcslib fails on them
            continue
        accepted = _OBSERVATION.get(keyword)
        try:
            is_known = is_wcs_keyword(keyword) and not _ALTERNATE.fullmatch(keyword)
            if accepted is not None:
                is_known = accepted.fullmatch(str(card.value).strip())
            if is_known:
                # a copy: what is mended here is not the user's
                clean.append(copy.copy(card), end=True)
        except fits.VerifyError:
            continue
    for keyword in [key for key in clean if re.fullmatch(r'(PC|CD)\d{6}', key)]:
        # the form of the drafts of 1988
        new = f'{keyword[:2]}{int(keyword[2:5])}_{int(keyword[5:])}'
        clean[new] = clean.pop(keyword)
    for old, new in (('RADECSYS', 'RADESYS'), ('EPOCH', 'EQUINOX')):
        if old in clean:
            value = clean.pop(old)
            if new not in clean:
                clean[new] = value
    if isinstance(clean.get('EQUINOX'), str):
        digits = clean['EQUINOX'].strip().lstrip('JB')
        try:
            clean['EQUINOX'] = float(digits)
        except ValueError:
            del clean['EQUINOX']
    for key in [key for key in clean if key.startswith('CUNIT')]:
        unit = parse_angle_unit(clean[key])
        if unit is not None:
            clean[key] = unit.to_string()
    _name_frame(clean)
    return clean


def _check_numbers(header):
    """Refuse axes whose numbers are none: wcslib takes zeros for them."""
    for keyword, value in header.items():
        if _NUMBER.fullmatch(keyword) and not (
            isinstance(value, Real) and np.isfinite(value)
        ):
            msg = f'{keyword} must be a finite number, got {value!r}'
            raise ValueError(msg)


def _name_frame(header):
    """Put the frame into the standard's word for it."""
    known = _FRAMES.get(str(header.get('RADESYS', '')).strip().upper())
    if known is not None:
        header['RADESYS'] = known
        if known in _EQUINOX and 'EQUINOX' not in header:
            header['EQUINOX'] = _EQUINOX[known]


def with_known_frame(wcs):
    """
    Give a celestial WCS whose frame astropy knows.

    Parameters
    ----------
    wcs : `~astropy.wcs.WCS`
        The WCS, of two axes.

    Returns
    -------
    wcs : `~astropy.wcs.WCS`
        The WCS itself, or a copy with the standard's name of its frame.

    Raises
    ------
    ValueError
        If the frame is not known.
    """
    try:
        wcs_to_celestial_frame(wcs)
    except ValueError as exc:
        name = wcs.wcs.radesys.strip()
        known = _FRAMES.get(name.upper())
        if known is None:
            msg = (
                f'The WCS has no celestial frame that is known (RADESYS {name!r}, '
                f'CTYPE {list(wcs.wcs.ctype)}): give a WCS with RADESYS ICRS, FK5 or '
                'FK4, or galactic or ecliptic axes.'
            )
            raise ValueError(msg) from exc
    else:
        return wcs
    wcs = wcs.deepcopy()
    wcs.wcs.radesys = known
    if known in _EQUINOX and not wcs.wcs.equinox > 0:
        wcs.wcs.equinox = _EQUINOX[known]
    wcs.wcs.set()
    return wcs


def remove_wcs(header, wcs):
    """
    Copy a header without the keywords of world coordinates.

    Parameters
    ----------
    header : `~astropy.io.fits.Header`
        The header.

    wcs : `~astropy.wcs.WCS` or `None`
        What was read from it.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        The rest, as CCDData's own reader leaves it.
    """
    header = header.copy()
    if wcs is None:
        return header
    keywords = {key for key in header if is_wcs_keyword(key)}
    keywords |= set(wcs.to_header(relax=True))
    for keyword in keywords.difference(_STAYS):
        header.remove(keyword, ignore_missing=True, remove_all=True)
    return header


@hold_filters
def make_wcs_header(wcs):
    """
    Put a WCS into a FITS header, as far as FITS has words for it.

    Parameters
    ----------
    wcs : WCS or `None`
        The celestial WCS.

    Returns
    -------
    header : `~astropy.io.fits.Header`
        The header, empty with a warning if the WCS cannot be written.
    """
    if wcs is None:
        return fits.Header()
    if not hasattr(wcs, 'to_header'):
        msg = (
            f'the WCS, a {type(wcs).__name__}, cannot be written into a FITS header: '
            'the file has none'
        )
        warn_user(msg)
        return fits.Header()
    header = wcs.to_header(relax=True)
    if make_wcs_tables(wcs):
        header.update(_with_both_tables(wcs).to_fits(relax=True)[0].header)
        for keyword in [key for key in header if not key or key == 'COMMENT']:
            header.remove(keyword, remove_all=True, ignore_missing=True)
        for keyword in ('SIMPLE', 'BITPIX', 'NAXIS', 'EXTEND'):
            header.remove(keyword, ignore_missing=True)
    return header


@hold_filters
def make_wcs_tables(wcs):
    """
    Give the extensions that hold the lookup tables of a WCS.

    Parameters
    ----------
    wcs : WCS or `None`
        The celestial WCS.

    Returns
    -------
    hdus : list of `~astropy.io.fits.ImageHDU`
        The extensions, none for most WCS.
    """
    tables = ('cpdis1', 'cpdis2', 'det2im1', 'det2im2')
    if all(getattr(wcs, name, None) is None for name in tables):
        return []
    return list(_with_both_tables(wcs).to_fits(relax=True)[1:])


def _with_both_tables(wcs):
    """Add zeros for the axis without a table: astropy reads both or fails."""
    axes = {1: wcs.cpdis1, 2: wcs.cpdis2}
    lacking = [axis for axis, table in axes.items() if table is None]
    if len(lacking) != 1:
        return wcs
    other = axes[3 - lacking[0]]
    wcs = wcs.deepcopy()
    zeros = DistortionLookupTable(
        np.zeros_like(other.data), other.crpix, other.crval, other.cdelt
    )
    setattr(wcs, f'cpdis{lacking[0]}', zeros)
    return wcs
