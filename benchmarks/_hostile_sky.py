# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: world coordinates of maps.
"""

from functools import partial

import astropy.units as u
import gwcs
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    METHODS,
    XY,
    check_removal,
    make_data,
    make_wcs,
)
from astropy import coordinates
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.modeling import models
from astropy.nddata import CCDData, NDData
from astropy.wcs import WCS, Sip

# -- projections, frames, turns ----------------------------------------------


def _sky(wcs, xy=XY):
    """Give the sky positions by astropy's low-level call, not the high-level one."""
    longitude, latitude = wcs.all_pix2world(*xy.T, 0)
    return longitude, latitude


def _check_wcs(context, *, method, make, give):
    """Sky positions lead to the same fluxes as the pixels that they stand for."""
    wcs = make()
    data = make_data()
    given, call = CCDData(data, unit='Jy/pix', wcs=wcs), {}
    if give == 'header':
        given, call = data, {'wcs': wcs.to_header(relax=True)}
    elif give == 'argument':
        given, call = data, {'wcs': wcs}
    sources = wcs.pixel_to_world(*XY.T)
    result = check_removal(context, method, given, sources, rtol=2e-6, **call)
    table = result.photometry
    context.compare('x_center', table['x_center'], XY[:, 0], atol=1e-4)
    context.compare('y_center', table['y_center'], XY[:, 1], atol=1e-4)


def _turned(angle, *, parity=1, matrix='PC', scale=1.6):
    def make():
        wcs = make_wcs(scale=scale)
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turn = np.array([[c, -s], [s, c]])
        step = np.diag([-parity * scale / 3600, scale / 3600])
        if matrix == 'PC':
            wcs.wcs.pc = turn
            wcs.wcs.cdelt = np.diag(step)
            wcs.wcs.set()
            return wcs
        new = WCS(naxis=2)
        new.wcs.ctype, new.wcs.crval = wcs.wcs.ctype, wcs.wcs.crval
        new.wcs.crpix = wcs.wcs.crpix
        if matrix == 'CD':
            new.wcs.cd = step @ turn
        else:
            new.wcs.cdelt = np.diag(step)
            new.wcs.crota = [0.0, angle]
        new.wcs.set()
        return new

    return make


def _framed(longitude, latitude, radesys='', equinox=np.nan):
    def make():
        wcs = make_wcs()
        wcs.wcs.ctype = f'{longitude}TAN', f'{latitude}TAN'
        wcs.wcs.radesys = radesys
        if equinox == equinox:
            wcs.wcs.equinox = equinox
        wcs.wcs.set()
        return wcs

    return make


_WCS = {
    **{
        f'projection {code}': partial(make_wcs, projection=code)
        for code in ('TAN', 'SIN', 'ARC', 'STG', 'ZEA')
    },
    **{
        f'projection {code} near its origin': partial(
            make_wcs, projection=code, center=(83.8, 0.0)
        )
        for code in ('CAR', 'SFL', 'AIT', 'CEA', 'MER')
    },
    **{f'turned by {angle}': _turned(angle) for angle in (30, 90, 135, 180, 270)},
    'mirrored': _turned(0, parity=-1),
    'mirrored and turned': _turned(77, parity=-1),
    'CD matrix': _turned(33, matrix='CD'),
    'CROTA2': _turned(33, matrix='CROTA'),
    'galactic': _framed('GLON-', 'GLAT-'),
    'ecliptic': _framed('ELON-', 'ELAT-', 'FK5', 2000.0),
    'FK5': _framed('RA---', 'DEC--', 'FK5', 2000.0),
    'FK5 of 1975': _framed('RA---', 'DEC--', 'FK5', 1975.0),
    'FK4': _framed('RA---', 'DEC--', 'FK4', 1950.0),
    'without RADESYS': _framed('RA---', 'DEC--'),
    'at the pole': partial(make_wcs, center=(10.0, 90.0)),
    'at the south pole': partial(make_wcs, center=(10.0, -89.99)),
    'across 0 h': partial(make_wcs, center=(0.0, 20.0)),
    'at 360 degrees': partial(make_wcs, center=(359.9999, 20.0)),
    'at -10 degrees': partial(make_wcs, center=(-10.0, 20.0)),
}
for _method in METHODS:
    for _name, _make in _WCS.items():
        for _give in ('CCDData', 'header', 'argument'):
            add(
                'WCS',
                f'{_method} {_name} as {_give}',
                partial(_check_wcs, method=_method, make=_make, give=_give),
                quick=_method == 'inpaint'
                and _give == 'header'
                and _name
                in ('CD matrix', 'galactic', 'at the pole', 'across 0 h', 'mirrored'),
            )


def _sip():
    wcs = make_wcs()
    wcs.wcs.ctype = 'RA---TAN-SIP', 'DEC--TAN-SIP'
    a, b = np.zeros((4, 4)), np.zeros((4, 4))
    a[2, 0], b[0, 2] = 2e-5, -3e-5
    wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.set()
    return wcs


def _tpv():
    header = make_wcs().to_header()
    header['CTYPE1'], header['CTYPE2'] = 'RA---TPV', 'DEC--TPV'
    header['PV1_0'], header['PV1_1'], header['PV1_4'] = 0.0, 1.0, 1e-3
    header['PV2_0'], header['PV2_1'] = 0.0, 1.0
    return WCS(header)


def _sliced():
    header = make_wcs().to_header()
    header['WCSAXES'] = 3
    header['CTYPE3'], header['CRVAL3'], header['CRPIX3'] = 'FREQ', 3e12, 1.0
    header['CDELT3'], header['CUNIT3'] = 1e9, 'Hz'
    return WCS(header)


def _generalised():
    center = make_wcs()
    steps = models.Shift(-(center.wcs.crpix[0] - 1)) & models.Shift(
        -(center.wcs.crpix[1] - 1)
    )
    steps |= models.Scale(-1.6 / 3600) & models.Scale(1.6 / 3600)
    steps |= models.Pix2Sky_TAN() | models.RotateNative2Celestial(83.8, -5.4, 180)
    frame = gwcs.coordinate_frames.CelestialFrame(
        reference_frame=coordinates.ICRS(), unit=(u.deg, u.deg)
    )
    detector = gwcs.coordinate_frames.Frame2D(name='detector', unit=(u.pix, u.pix))
    return gwcs.WCS([(detector, steps), (frame, None)])


def _check_odd_wcs(context, *, method, make):
    wcs = make()
    sources = wcs.pixel_to_world(*XY.T, *([0] if wcs.pixel_n_dim == 3 else []))
    sources = sources[0] if isinstance(sources, list) else sources
    given = (
        NDData(make_data(), unit='Jy/pix', wcs=wcs)
        if wcs.pixel_n_dim == 2
        else (
            make_data(),
            wcs.to_header(),
        )
    )
    result = check_removal(context, method, given, sources, rtol=2e-3)
    # It is written, and read again, with the positions where they were.
    path = result.write(context.folder / 'out')[0]
    again = WCS(fits.getheader(path), fits.open(path))
    if again.has_celestial and wcs.pixel_n_dim == 2:
        x, y = again.celestial.world_to_pixel(sources)
        context.compare('x in the written file', x, XY[:, 0], atol=0.01)
        context.compare('y in the written file', y, XY[:, 1], atol=0.01)


for _method in METHODS:
    for _name, _make in {
        'SIP': _sip,
        'TPV': _tpv,
        'three axes': _sliced,
        'gWCS': _generalised,
    }.items():
        add(
            'WCS',
            f'{_method} {_name}',
            partial(_check_odd_wcs, method=_method, make=_make),
            accept=(RIGHT, WARNED) if _name != 'three axes' else (RIGHT, REFUSED),
            quick=_method == 'inpaint',
        )


def _edit(**cards):
    def make():
        header = make_wcs().to_header()
        for key, value in cards.items():
            key = key.replace('_', '-') if key.startswith('DATE') else key
            if value is None:
                del header[key]
            else:
                header[key] = value
        return header

    return make


#: Headers that are not what they should be; those on the right may be taken.
_HEADERS = {
    'no CTYPE': (_edit(CTYPE1=None, CTYPE2=None), (RIGHT, REFUSED)),
    'linear': (_edit(CTYPE1='LINEAR', CTYPE2='LINEAR'), (RIGHT, REFUSED)),
    'CTYPE of two right ascensions': (_edit(CTYPE2='RA---TAN'), (REFUSED, WARNED)),
    'CTYPE unknown': (_edit(CTYPE1='FOO--TAN', CTYPE2='BAR--TAN'), (REFUSED, WARNED)),
    'projections differ': (_edit(CTYPE2='DEC--SIN'), (REFUSED, WARNED)),
    'projection unknown': (
        _edit(CTYPE1='RA---XXX', CTYPE2='DEC--XXX'),
        (REFUSED, WARNED),
    ),
    'CDELT of zero': (_edit(CDELT1=0.0), (REFUSED, WARNED)),
    'CDELT of NaN': (_edit(CDELT1='NaN'), (REFUSED, WARNED)),
    'CDELT tiny': (_edit(CDELT1=-1e-30, CDELT2=1e-30), (REFUSED, WARNED)),
    'CDELT huge': (_edit(CDELT1=-1.0, CDELT2=1.0), (REFUSED, WARNED)),
    'CDELT in arcsec': (_edit(CDELT1=-1.6, CDELT2=1.6), (REFUSED, WARNED)),
    'CDELT missing': (_edit(CDELT1=None, CDELT2=None), (REFUSED, WARNED)),
    'singular PC': (
        _edit(PC1_1=1.0, PC1_2=1.0, PC2_1=1.0, PC2_2=1.0),
        (REFUSED, WARNED),
    ),
    'sheared': (_edit(PC1_1=1.0, PC1_2=0.5, PC2_1=0.0, PC2_2=1.0), (REFUSED, WARNED)),
    'pixels not square': (_edit(CDELT1=-1.3 * 1.6 / 3600), (REFUSED, WARNED)),
    'pixels of 0.8 by 3.2': (
        _edit(CDELT1=-0.8 / 3600, CDELT2=3.2 / 3600),
        (REFUSED, WARNED),
    ),
    'CRVAL of NaN': (_edit(CRVAL1='NaN'), (REFUSED, WARNED)),
    'CRVAL text': (_edit(CRVAL1='05:35:12'), (REFUSED, WARNED)),
    'declination of 120': (_edit(CRVAL2=120.0), (REFUSED, WARNED)),
    'CUNIT of metres': (_edit(CUNIT1='m', CUNIT2='m'), (REFUSED, WARNED)),
    'CUNIT unknown': (_edit(CUNIT1='foo', CUNIT2='foo'), (REFUSED, WARNED)),
    'RADESYS unknown': (_edit(RADESYS='MARS'), (REFUSED, WARNED)),
    'RADESYS J2000': (_edit(RADESYS='J2000'), (RIGHT, WARNED)),
    'RADESYS B1950': (_edit(RADESYS='B1950'), (RIGHT, REFUSED)),
    'RADESYS lower case': (_edit(RADESYS='icrs'), (RIGHT, REFUSED)),
    'EQUINOX text': (_edit(EQUINOX='J2000'), (RIGHT, REFUSED)),
    'WCSAXES of 5': (_edit(WCSAXES=5), (RIGHT, REFUSED)),
    'CRPIX far away': (_edit(CRPIX1=1e9), (RIGHT, REFUSED)),
    'bad date': (_edit(DATE_OBS='yesterday'), (RIGHT, WARNED)),
    'LONPOLE of 0': (_edit(LONPOLE=0.0), (RIGHT,)),
    'CUNIT arcsec': (
        _edit(
            CUNIT1='arcsec',
            CUNIT2='arcsec',
            CDELT1=-1.6,
            CDELT2=1.6,
            CRVAL1=83.8 * 3600,
            CRVAL2=-5.4 * 3600,
        ),
        (RIGHT,),
    ),
}


#: These say openly that there are no world coordinates.
_PLAIN = [_HEADERS[name][0] for name in ('no CTYPE', 'linear')]


def _check_header(context, *, method, make, give):
    header = make()
    data = make_data()
    given, call = (data, header), {}
    if give == 'HDU':
        given = fits.ImageHDU(data, header, name='image')
    elif give == 'file':
        given = context.folder / 'map.fits'
        fits.PrimaryHDU(data, header).writeto(given, output_verify='ignore')
    elif give == 'argument':
        given, call = data, {'wcs': header}
    result = check_removal(context, method, given, rtol=1e-9, **call)
    if make not in _PLAIN:
        known = 'sky_center' in result.photometry.colnames
        context.check(known, 'no sky positions')


for _name, (_make, _accept) in _HEADERS.items():
    for _give in ('pair', 'HDU', 'file', 'argument'):
        add(
            'WCS',
            f'inpaint {_name} in a {_give}',
            partial(_check_header, method='inpaint', make=_make, give=_give),
            accept=_accept,
            says='WCS|wcs|celestial|pixel|square|CTYPE|CDELT|CRVAL|RADESYS|frame|CUNIT'
            '|EQUINOX|header|scale',
            warning='WCS|wcs|celestial|frame|RADESYS|date',
            quick=_give == 'file',
        )

_NO_WCS = {
    'text': 'TAN',
    'number': 3,
    'array': np.eye(2),
    'empty dict': {},
    'empty header': fits.Header(),
    'empty WCS': WCS(naxis=2),
    'WCS of one axis': WCS(naxis=1),
    'WCS of four axes': WCS(naxis=4),
    'list': [1, 2],
    'True': True,
    'SkyCoord': SkyCoord(0, 0, unit='deg'),
}


def _check_no_wcs(context, *, wcs):
    check_removal(context, 'inpaint', make_data(), wcs=wcs)


for _name, _wcs in _NO_WCS.items():
    add(
        'WCS',
        f'inpaint wcs is {_name}',
        partial(_check_no_wcs, wcs=_wcs),
        accept=(REFUSED,),
        says='wcs',
        quick=True,
    )


def _check_two_wcs(context, *, method):
    ccd = CCDData(make_data(), unit='Jy/pix', wcs=make_wcs())
    check_removal(context, method, ccd, wcs=make_wcs())


for _method in METHODS:
    add(
        'WCS',
        f'{_method} given twice',
        partial(_check_two_wcs, method=_method),
        accept=(REFUSED,),
        says='wcs was given',
    )
