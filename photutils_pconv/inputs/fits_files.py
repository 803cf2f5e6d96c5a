# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Opening FITS files whose structure holds what it promises.
"""

import bz2
import gzip
import io
import lzma
import math
import os
import re
import zlib
from contextlib import contextmanager

from astropy.io import fits

from photutils_pconv._utils.warnings import warn_user

__all__ = ['check_structure', 'file_name', 'is_fits_source', 'open_fits', 'open_hdus']

_BLOCK = 2880  # bytes; the FITS standard, section 3.1
_CARD = 80  # bytes; the FITS standard, section 4.1.1
_BITPIX = (8, 16, 32, 64, -32, -64)  # the FITS standard, table 8
# The longest header that is read: 36,000 cards. By choice.
_MAX_HEADER = 1000 * _BLOCK
_SIZES = re.compile(rb'(BITPIX|NAXIS\d{0,3}|PCOUNT|GCOUNT|GROUPS) *= *([^ /]*)')


def is_fits_source(data):
    """
    Return whether data are a path, a list of HDUs, or an HDU.

    Parameters
    ----------
    data : object
        What a user gave as a map.

    Returns
    -------
    is_source : bool
        Whether it is read as FITS.
    """
    # HDUs have no base class that is public.
    return isinstance(data, str | os.PathLike | fits.HDUList) or (
        hasattr(data, 'header') and hasattr(data, 'fileinfo')
    )


def file_name(source):
    """
    Give the name by which messages call a path, a list of HDUs or an HDU.

    Parameters
    ----------
    source : str, `os.PathLike`, `~astropy.io.fits.HDUList` or HDU
        The path or the HDUs.

    Returns
    -------
    name : str
        The path, or what kind of HDUs without a file they are.
    """
    if isinstance(source, fits.HDUList):
        return source.filename() or 'the HDUList'
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return f'the {type(source).__name__}'


@contextmanager
def open_hdus(source):
    """
    Give the HDUs of a path, a list of HDUs or an HDU; close what was opened.

    Parameters
    ----------
    source : str, `os.PathLike`, `~astropy.io.fits.HDUList` or HDU
        The path or the HDUs.

    Yields
    ------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs; one alone is put into a list.
    """
    if isinstance(source, fits.HDUList):
        _load_all(source, file_name(source))
        yield source
    elif isinstance(source, str | os.PathLike):
        with open_fits(source) as hdus:
            yield hdus
    else:
        yield fits.HDUList([source])


def open_fits(path):
    """
    Open a FITS file, after a look at its structure.

    Parameters
    ----------
    path : str or `os.PathLike`
        The file, compressed or not.

    Returns
    -------
    hdus : `~astropy.io.fits.HDUList`
        Its HDUs.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, if it is no FITS file, truncated, or if a
        header states an impossible size. A wrong checksum of gzip is a
        warning.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        msg = f'The map {path!r} does not exist or is not a file.'
        raise FileNotFoundError(msg)
    source = path
    try:
        with open(path, 'rb') as file:
            unpack = _find_compression(file)
            if unpack is not None:
                source = io.BytesIO(_unpack(unpack, file.read(), path))
                check_structure(source, path)
                source.seek(0)
            else:
                check_structure(file, path)
        hdus = fits.open(source)
        try:
            _load_all(hdus, path)
        except ValueError:
            hdus.close()
            raise
    except OSError as exc:
        msg = f'The map {path!r} cannot be read as a FITS file: {exc}'
        raise ValueError(msg) from exc
    return hdus


def _unpack(unpack, content, path):
    """Unpack a file, or say that it cannot be."""
    try:
        return unpack(content, path)
    except (EOFError, ValueError, lzma.LZMAError, zlib.error) as exc:
        msg = f'The compressed map {path!r} is truncated or damaged: {exc}'
        raise ValueError(msg) from exc


def _load_all(hdus, path):
    """Read all headers, which astropy puts off, so that no damage is met later."""
    try:
        len(hdus)
    except Exception as exc:
        # whatever astropy makes of headers that contradict themselves
        reason = ' '.join(str(exc).split())
        msg = f'A header of {path} is damaged: {reason}'
        raise ValueError(msg) from exc


def _find_compression(file):
    """Choose what unpacks a file, `None` if astropy can do it as well."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b'\x1f\x8b'):
        return _gunzip
    if start.startswith(b'BZh'):
        return lambda content, _: bz2.decompress(content)
    if start.startswith(b'\xfd7zXZ\x00'):
        return lambda content, _: lzma.decompress(content)
    return None


def _gunzip(content, path):
    """Unpack gzip; what fails its checksum is taken with a warning."""
    try:
        return gzip.decompress(content)
    except gzip.BadGzipFile as exc:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        try:
            unpacked = unpacker.decompress(content[_gzip_header_size(content) :])
        except zlib.error:
            raise exc from None
        msg = (
            f'The file {path} fails the checksum of gzip ({exc}): it may be '
            'damaged. Fetch it again.'
        )
        warn_user(msg)
        return unpacked


def _gzip_header_size(content):
    """The length of the first member's header (RFC 1952, section 2.3)."""
    flags, size = content[3], 10
    if flags & 4:
        size += 2 + int.from_bytes(content[size : size + 2], 'little')
    for flag in (8, 16):
        if flags & flag:
            size = content.index(b'\0', size) + 1
    return size + (2 if flags & 2 else 0)


def check_structure(file, path):
    """
    Refuse a FITS file that is shorter than its headers say, or whose sizes are none.

    Parameters
    ----------
    file : file-like
        The file, open for reading bytes.

    path : str
        Its name, for messages.

    Raises
    ------
    ValueError
        If it is truncated or a header is damaged.
    """
    end = file.seek(0, os.SEEK_END)
    position = index = 0
    while position < end:
        file.seek(position)
        header = _read_header(file, path, index)
        if header is None:
            # What follows the last HDU is none of FITS' business.
            return
        n_header, sizes = header
        n_data = _count_bytes(sizes, path, index)
        position += n_header
        if position + n_data > end:
            msg = (
                f'The file {path} is truncated: its HDU {index} should end at byte '
                f'{position + n_data}, the file has {end}. Fetch it again.'
            )
            raise ValueError(msg)
        position += math.ceil(n_data / _BLOCK) * _BLOCK
        index += 1


def _read_header(file, path, index):
    """Read a header's length and sizes; `None` if there is no header."""
    start = b'XTENSION' if index else b'SIMPLE  '
    sizes = {}
    for n_read in range(_BLOCK, _MAX_HEADER, _BLOCK):
        block = file.read(_BLOCK)
        if n_read == _BLOCK and not block.startswith(start):
            return None
        for i in range(0, len(block), _CARD):
            card = block[i : i + _CARD]
            if card.rstrip() == b'END':
                return n_read, sizes
            match = _SIZES.match(card)
            if match is not None:
                sizes.setdefault(match[1].decode(), match[2].decode('latin-1'))
        if len(block) < _BLOCK:
            break
    msg = f'The header of HDU {index} of {path} has no END: the file is damaged.'
    raise ValueError(msg)


def _count_bytes(sizes, path, index):
    """The number of bytes of an HDU's data (the FITS standard, Eq. 2)."""

    def get(keyword, *, default=None, accepted=None):
        text = sizes.get(keyword, default)
        try:
            value = int(text)
        except (TypeError, ValueError):
            value = None
        low = 0 if accepted is None else min(accepted)
        if value is None or value < low or (accepted and value not in accepted):
            seen = 'no' if text is None else 'the impossible'
            msg = (
                f'The header of HDU {index} of {path} has {seen} '
                f'{keyword}{"" if text is None else f" = {text}"}: the file is damaged.'
            )
            raise ValueError(msg)
        return value

    bitpix = abs(get('BITPIX', accepted=_BITPIX))
    sides = [get(f'NAXIS{i + 1}') for i in range(get('NAXIS'))]
    if not sides:
        return 0
    if sides[0] == 0 and sizes.get('GROUPS') == 'T':
        sides = sides[1:]
    n_values = get('PCOUNT', default=0) + math.prod(sides)
    return bitpix // 8 * get('GCOUNT', default=1) * n_values
