# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of units: accepted or refused at once, and written as FITS has them."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, StdDevUncertainty, VarianceUncertainty
from numpy.testing import assert_allclose

from photutils_pconv.inputs import parse_map
from photutils_pconv.inputs.headers import make_map_hdu
from photutils_pconv.inputs.unit_texts import format_unit
from photutils_pconv.removal import SourceRemovalResult
from photutils_pconv.removal.result_files import make_hdus

SHAPE = (30, 40)
BEAM = {'BMAJ': 7 / 3600}
PIXEL = (1.6 * u.arcsec) ** 2
BEAM_AREA = np.pi / 4 / np.log(2) * (7 * u.arcsec) ** 2

PER_PIXEL = """
    Jy/pixel Jy/pix mJy/pix uJy/pix nJy/pix pJy/pix fJy/pix Jy mJy Jy.pix-1
    1e-3_Jy/pix 10**-3_Jy/pixel 10**-2_Jy/pix 10^-3_Jy/pix 3_Jy/pix 0.5_mJy/pix
    1.7e-5_Jy 10**-23_erg_s-1_cm-2_Hz-1 erg/(s_cm2_Hz) W/(m2_Hz) 10**-26_W/(m2_Hz)
    2_W/(m2_Hz) AB AB/pix
"""
PER_AREA = """
    MJy/sr kJy/sr Jy/sr GJy/sr TJy/sr EJy/sr Jy/arcsec2 mJy/arcsec2 uJy/arcsec2
    MJy/arcsec2 Jy/arcmin2 Jy/deg2 mJy/deg2 MJy/rad2 Jy/mas2 Jy*sr**-1 sr-1_Jy
    10+3_Jy/sr 1000_Jy/sr 2.35e-5_MJy/sr 10**-26_W_m-2_Hz-1_sr-1 W/(m2_Hz_sr)
    erg/(s_cm2_Hz_sr) erg_s-1_cm-2_Hz-1_arcsec-2 7_erg_s-1_cm-2_Hz-1_arcsec-2 AB/arcsec2
    2_Jy/arcmin2
"""
PER_BEAM = 'Jy/beam mJy/beam uJy/beam 10**-3_Jy/beam 4_Jy/beam AB/beam beam-1_Jy'


def true_factor(unit):
    """Return Jy/pixel in one of a unit, by the areas."""
    if unit.is_equivalent(u.Jy / u.beam):
        return ((1 * unit).to(u.Jy / u.beam) * u.beam * PIXEL / BEAM_AREA).to_value(
            'Jy'
        )
    if unit.is_equivalent(u.Jy / u.sr):
        return (1 * unit * PIXEL).to_value('Jy')
    return (1 * unit).to_value(u.Jy if unit.is_equivalent(u.Jy) else u.Jy / u.pix)


@pytest.mark.parametrize('text', f'{PER_PIXEL} {PER_AREA} {PER_BEAM}'.split())
@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_in_and_out(tmp_path, map_wcs, text, dtype):
    """What is written is a unit of FITS, and of the same brightness."""
    unit = u.Unit(text.replace('_', ' '))
    data = np.random.default_rng(3).normal(1.0, 0.1, SHAPE).astype(dtype)
    parsed = parse_map(CCDData(data, unit=unit, wcs=map_wcs, meta=BEAM))
    assert parsed.jy_per_pixel == pytest.approx(true_factor(unit), rel=1e-6)
    written, factor = format_unit(parsed.unit)
    u.Unit(written, format='fits', parse_strict='raise')
    path = tmp_path / 'map.fits'
    primary = make_map_hdu(parsed.original, map_wcs.to_header(), written, factor=factor)
    primary.writeto(path)
    back = parse_map(path)
    rtol = 1e-12 if factor == 1 or dtype == np.float64 else 1e-6
    assert_allclose(
        back.data * back.jy_per_pixel, parsed.data * parsed.jy_per_pixel, rtol=rtol
    )
    if factor == 1:
        assert np.array_equal(fits.getdata(path), data)
    assert fits.getdata(path).dtype.itemsize == data.dtype.itemsize


@pytest.mark.parametrize('unit', ['Jy/pix', '3 Jy/pix', 'AB/arcsec2', '10**-3 Jy/pix'])
@pytest.mark.parametrize('kind', [StdDevUncertainty, VarianceUncertainty])
def test_all_planes(tmp_path, map_wcs, unit, kind):
    """The removed sources and the uncertainty are in the unit of the map."""
    rng = np.random.default_rng(4)
    data = rng.normal(1.0, 0.1, SHAPE)
    error = rng.uniform(0.1, 0.2, SHAPE)
    ccd = CCDData(data, unit=unit, wcs=map_wcs, uncertainty=kind(error))
    parsed = parse_map(ccd)
    result = SourceRemovalResult(
        cleaned=ccd,
        photometry=None,
        sources=ccd,
        holes=np.zeros(SHAPE, dtype=bool),
        map_input=parsed,
    )
    path = tmp_path / 'cleaned.fits'
    make_hdus(result).writeto(path)
    back = parse_map(path)
    factor = parsed.jy_per_pixel / back.jy_per_pixel
    assert_allclose(back.data, data * factor)
    assert_allclose(back.error, parsed.error * factor)
    with fits.open(path) as hdus:
        assert_allclose(hdus['SOURCES'].data, data * factor)
        assert hdus['SOURCES'].header['BUNIT'] == hdus[0].header['BUNIT']


NO_MAP = """
    mag dex dB mag(AB) mag(Jy) mag(Jy/sr) dex(Jy) dex(Jy/sr) dB(Jy) K mK uK ct adu DN
    electron count ct/s electron/s photon V mV % ST bol nmgy mgy nW/(m2_sr) W/(m2_um_sr)
    erg/(s_cm2_Angstrom) Jy_km/s Jy/(beam_km_s) Jy/(pix_sr) mag/arcsec2 ph/(s_cm2_Hz_sr)
    R m deg Jy2 Jy/s 1/sr
"""


@pytest.mark.parametrize('text', NO_MAP.split())
@pytest.mark.parametrize('how', ['ccd', 'file'])
def test_refused_at_once(tmp_path, map_wcs, text, how):
    """What is no surface brightness is refused with what is, in memory and in files."""
    text = text.replace('_', ' ')
    if how == 'ccd':
        if text == '%':
            given = CCDData(np.eye(*SHAPE), unit=u.percent, wcs=map_wcs)
        else:
            given = CCDData(np.eye(*SHAPE), unit=u.Unit(text), wcs=map_wcs)
    else:
        given = tmp_path / 'map.fits'
        header = map_wcs.to_header()
        header['BUNIT'] = text
        fits.PrimaryHDU(np.eye(*SHAPE), header).writeto(given)
    with pytest.raises(ValueError, match=r'accepted are Jy/pixel \(or Jy'):
        parse_map(given)
