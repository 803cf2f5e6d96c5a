# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Which HDU of a file is the map: names are looked at, what is unclear is asked.
"""

import re
from numbers import Real

import numpy as np

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.unit_texts import is_brightness
from photutils_pconv.inputs.values import check_dimensions

__all__ = [
    'describe_hdus',
    'find_hdu',
    'find_map_hdu',
    'find_named_image',
    'get_shape',
    'has_image',
    'read_values',
    'take_plane',
]

# Words in the names of images that are the signal; by choice, from the files of
# HIPE, Scanamorphos, Unimap, SPIRE, HELP, HST, JWST, and ALMA.
_SIGNAL = frozenset(
    'brightness data flux image images img intensity map maps sci science '
    'signal'.split()
)
# ... and of those that describe it.
_AUXILIARY = frozenset(
    'background bad badpix beam bgd bkg bkgd bpm chi con conf confidence context cov '
    'covariance coverage covg ctx depth diag dq dqa err error errors exp exposure '
    'exposures exptime flag flags hit hits holes invvar itime ivar kernel likelihood '
    'mask masks model models nhit nhits nobs noise nsamp nsamples psf psfimage qual '
    'quality resid residual residuals rms sample samples seg segm segmentation sigma '
    'significance snr sources std stddev stdev time unc uncert uncertainties '
    'uncertainty var variance variances weight weights wgt wht'.split()
)
# Images that FITS WCS distortions consist of.
_TABLES_OF_WCS = ('WCSDVARR', 'D2IMARR')
_SUBTRACTED = re.compile(
    r'(background|bkgd?|bgd|noise|model|psf|sources?)[^a-z]*(sub|removed|free|corr)[a-z]*'
)
_AROUND = re.compile(r'^(?:image|img|map|sci|signal|data|flux)|(?:image|img|map)s?$')


def _get_role(hdu):
    """Decide by its name whether an image is a signal, describes one, or is unclear."""
    name = str(hdu.header.get('EXTNAME', hdu.name))
    if name.upper() in _TABLES_OF_WCS:
        return 'auxiliary'
    name = re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name) + ' ' + name
    name = _SUBTRACTED.sub(' ', name.lower())
    words = set(re.findall('[a-z]+', name))
    words |= {_AROUND.sub('', word) for word in words}
    if words & _AUXILIARY or re.search(r'signal.*to.*noise|s/n|s2n', name):
        return 'auxiliary'
    return 'signal' if words & _SIGNAL else 'unclear'


def has_image(hdu):
    """
    Return whether an HDU holds an image of two or more dimensions.

    Parameters
    ----------
    hdu : HDU
        The HDU.

    Returns
    -------
    has_image : bool
        Whether it does, and the image has pixels.
    """
    shape = get_shape(hdu)
    return len(shape) >= 2 and min(shape) > 0


def get_shape(hdu):
    """
    Get the shape of an image.

    Parameters
    ----------
    hdu : HDU
        The HDU.

    Returns
    -------
    shape : tuple of int
        The shape; empty for a table or an HDU that is damaged.
    """
    return tuple(getattr(hdu, 'shape', ())) if hdu.is_image else ()


def _is_plane(hdu):
    return set(get_shape(hdu)[:-2]) <= {1}


def describe_hdus(hdus, indices):
    """
    List HDUs for a message: number, name, shape and unit.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    indices : iterable of int
        The numbers of those to list.

    Returns
    -------
    text : str
        The list; 'none' if it is empty.
    """
    texts = []
    for i in indices:
        hdu = hdus[i]
        name = f'{hdu.name!r}' + (f',{hdu.ver}' if hdu.ver > 1 else '')
        unit = str(hdu.header.get('BUNIT', '')).strip()
        shape = ' x '.join(map(str, get_shape(hdu))) if hdu.is_image else 'a table'
        texts.append(f'{i} {name} ({shape}{", " if unit else ""}{unit})')
    return '; '.join(texts) or 'none'


def find_hdu(hdus, where, hdu):
    """
    Find the HDU that a user names.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    where : str
        The name of the file.

    hdu : int, str or tuple
        Its number from 0, its name, whatever the case, or a pair of its
        name and version. A text can be any of them: ``'1'``, ``'SCI'``,
        ``'SCI,2'``.

    Returns
    -------
    index : int
        The number of the HDU.

    Raises
    ------
    TypeError, ValueError
        If there is no such HDU, or several.
    """
    name, version = hdu, None
    if isinstance(hdu, str) and (match := re.fullmatch(r'(.+),\s*(\d+)', hdu)):
        name, version = match[1], int(match[2])
    elif isinstance(hdu, tuple) and len(hdu) == 2:
        name, version = hdu
    if isinstance(name, np.integer):
        name = int(name)
    if isinstance(name, bool) or not isinstance(name, str | int):
        msg = (
            'An HDU is given by its number, its name, or a pair of name and version, '
            f'got {hdu!r}.'
        )
        raise TypeError(msg)
    if isinstance(name, str):
        found = [
            i
            for i, one in enumerate(hdus)
            if one.name.lower() == name.strip().lower()
            and (version is None or one.ver == version)
        ]
        if not found and name.strip().isdigit():
            name = int(name)
    if isinstance(name, int):
        found = [name] if 0 <= name < len(hdus) else []
    if len(found) == 1:
        return found[0]
    what = 'several HDUs' if found else 'no HDU'
    msg = (
        f'{where} has {what} {hdu!r}; its HDUs are: '
        f'{describe_hdus(hdus, found or range(len(hdus)))}.'
    )
    raise ValueError(msg)


def find_named_image(hdus, name):
    """
    Find the first image of a name.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    name : str
        The name, in small letters.

    Returns
    -------
    index : int or `None`
        Its number; `None` if there is none.
    """
    for index, hdu in enumerate(hdus):
        if hdu.name.lower() == name and hdu.is_image and has_image(hdu):
            return index
    return None


def find_map_hdu(hdus, where, *, hdu=None):
    """
    Find the HDU that holds the map.

    Images that are named as a signal go before those without a telling
    name; those that are named as something else (coverage, error,
    weight, exposure, mask, ...) are never chosen unasked.

    Parameters
    ----------
    hdus : `~astropy.io.fits.HDUList`
        The HDUs.

    where : str
        The name of the file.

    hdu : int, str or tuple, optional
        The HDU as the user names it; see `find_hdu`.

    Returns
    -------
    index : int
        The number of the HDU.

    Raises
    ------
    ValueError
        If there is no map, or it is not clear which image it is.
    """
    if hdu is not None:
        index = find_hdu(hdus, where, hdu)
        if not hdus[index].is_image:
            msg = (
                f'The HDU {hdu!r} of {where} is a table and no image; its images are: '
                f'{describe_hdus(hdus, _find_images(hdus))}.'
            )
            raise ValueError(msg)
        return index
    images = _find_images(hdus)
    roles = {i: _get_role(hdus[i]) for i in images}
    candidates = [i for i in images if roles[i] == 'signal']
    if len(candidates) > 1:
        # What the Herschel Science Archive calls the map.
        exact = [i for i in candidates if hdus[i].name.lower() == 'image']
        planes = [i for i in candidates if _is_plane(hdus[i])]
        candidates = next(
            (some for some in (exact, planes) if len(some) == 1), candidates
        )
    if not candidates:
        candidates = [i for i in images if roles[i] == 'unclear']
        candidates = _choose_by_unit(hdus, candidates, where)
    if len(candidates) == 1:
        return candidates[0]
    how = 'Choose one with hdu=, on the command line with --map-hdu.'
    if candidates:
        msg = (
            f'{where} has several images that can be the map: '
            f'{describe_hdus(hdus, candidates)}. {how}'
        )
    elif images:
        msg = (
            f'{where} has no image that is named as a map; its images are: '
            f'{describe_hdus(hdus, images)}. {how}'
        )
    else:
        shapes = [shape for shape in map(get_shape, hdus) if shape]
        if shapes:
            check_dimensions(shapes[0], f'The image of {where}')
        msg = f'{where} holds no image; its HDUs are: '
        msg += f'{describe_hdus(hdus, range(len(hdus)))}.'
    raise ValueError(msg)


def _find_images(hdus):
    return [i for i, hdu in enumerate(hdus) if has_image(hdu)]


def _choose_by_unit(hdus, candidates, where):
    """Of images without a telling name, take the one in a unit of a map."""
    if len(candidates) < 2:
        return candidates
    bright = [i for i in candidates if is_brightness(hdus[i].header.get('BUNIT'))]
    if len(bright) != 1:
        return candidates
    msg = (
        f'The names in {where} do not say which image is the map: '
        f'{describe_hdus(hdus, candidates)}. HDU {bright[0]} is taken, for its unit; '
        'hdu= (on the command line --map-hdu) chooses another.'
    )
    warn_user(msg)
    return bright


def read_values(hdu, what):
    """
    Give the values of an image, scaled as its header says.

    Parameters
    ----------
    hdu : image HDU
        The HDU.

    what : str
        What it is, for messages.

    Returns
    -------
    values : `~numpy.ndarray`
        The values.

    Raises
    ------
    ValueError
        If BSCALE or BZERO are no numbers, BSCALE is 0, or there are no
        values to be read.
    """
    for keyword in ('BSCALE', 'BZERO'):
        value = hdu.header.get(keyword, 1)
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or (keyword == 'BSCALE' and value == 0):
            msg = (
                f'{what} has {keyword} = {value!r} in its header: the file is damaged.'
            )
            raise ValueError(msg)
    try:
        values = hdu.data
    except Exception as exc:
        # whatever astropy makes of a header that contradicts itself
        reason = ' '.join(str(exc).split())
        msg = f'{what} cannot be read, the file is damaged: {reason}'
        raise ValueError(msg) from exc
    if values is None:
        msg = f'{what} is empty: choose an HDU with an image by hdu= (--map-hdu).'
        raise ValueError(msg)
    return _scale_values(values, hdu.header)


def _scale_values(values, header):
    """
    Apply BSCALE and BZERO, where astropy left the stored numbers as they are.

    It does so with ``do_not_scale_image_data`` and after ``hdu.scale``, and keeps the
    keywords then. With unsigned integers it keeps BZERO, too, which is applied.
    """
    scale, zero = header.get('BSCALE', 1), header.get('BZERO', 0)
    unsigned = values.dtype.kind == 'u' and values.dtype.itemsize > 1
    if unsigned or values.dtype == np.int8:
        return values
    blank = header.get('BLANK') if values.dtype.kind in 'iu' else None
    if (scale, zero) == (1, 0) and blank is None:
        return values
    # As astropy does: four bytes for up to two, eight for more.
    dtype = np.float32 if values.dtype.itemsize <= 2 else np.float64
    dtype = values.dtype if values.dtype.kind == 'f' else dtype
    scaled = (values * float(scale) + zero).astype(dtype)
    return scaled if blank is None else np.where(values == blank, np.nan, scaled)


def take_plane(data, what):
    """
    Give the only plane of an image of the shape (1, ny, nx) or (1, 1, ny, nx).

    Parameters
    ----------
    data : `~numpy.ndarray`
        The image.

    what : str
        What it is, for messages.

    Returns
    -------
    plane : 2D `~numpy.ndarray`
        The plane; a warning says that it was taken.

    Raises
    ------
    ValueError
        If the image has more planes than one.
    """
    if data.ndim > 2 and set(data.shape[:-2]) == {1} and min(data.shape) > 0:
        msg = f'{what} has the shape {data.shape}: its only plane is taken.'
        warn_user(msg)
        data = data.reshape(data.shape[-2:])
    check_dimensions(data.shape, what)
    return data
