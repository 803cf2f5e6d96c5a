# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the choice of the HDU that is the map, and of the table that is meant."""

import io
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Resource, VOTableFile
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.cli import main
from photutils_pconv.inputs import parse_map, parse_sources, read_source_table

SHAPE = (12, 15)
MAP = np.random.default_rng(20261128).normal(size=SHAPE)


def write(path, *planes):
    """Write HDUs of (name, data, cards); the first is the primary one."""
    hdus = []
    for i, (name, data, cards) in enumerate(planes):
        hdu = (fits.ImageHDU if i else fits.PrimaryHDU)(data)
        if name is not None:
            hdu.header['EXTNAME'] = name
        hdu.header.update(cards)
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)
    return path


def other(seed=1):
    """Return an image that is not the map."""
    return np.random.default_rng(seed).uniform(1, 2, size=SHAPE)


AUXILIARY = [
    'COVERAGE',
    'coverage',
    'ERROR',
    'stDev',
    'error_map',
    'ERRORMAP',
    'imageError',
    'FLUX_ERR',
    'WHT',
    'weightmap',
    'VARIANCE',
    'IVAR',
    'nHits',
    'EXPTIME',
    'Exposure Map',
    'NOISE',
    'SIGNAL_TO_NOISE',
    'S/N',
    'DQ',
    'DATA QUALITY',
    'FLAGS',
    'BACKGROUND',
    'PSF',
    'unc-250',
    'SIGMA1',
    'RESIDUAL',
]
SIGNAL = [
    'IMAGE',
    'image',
    'Signal',
    'SCI',
    'science',
    'DATA',
    'map',
    'FLUX',
    'SIGNAL_MAP',
    'PSW_image',
    'BKG_SUBTRACTED_IMAGE',
    'sci-1',
]


@pytest.mark.parametrize('name', AUXILIARY)
@pytest.mark.parametrize('first', [False, True])
def test_beside_unnamed_map(tmp_path, name, first):
    """What is named as something else is not the map, wherever it is."""
    planes = [(name, other(), {}), (None, MAP, {})][:: 1 if first else -1]
    path = write(tmp_path / 'map.fits', (None, None, {}), *planes)
    assert_array_equal(parse_map(path).data[0], MAP[0])


@pytest.mark.parametrize('name', SIGNAL)
@pytest.mark.parametrize('second', ['ERROR', 'FOO', None])
def test_named_as_signal(tmp_path, name, second):
    path = write(
        tmp_path / 'map.fits',
        (None, None, {}),
        (second, other(), {}),
        (name, MAP, {}),
        ('nhit', other(2), {}),
    )
    assert_array_equal(parse_map(path).data, MAP)


@pytest.mark.parametrize('name', AUXILIARY)
def test_only_something_else(tmp_path, name):
    path = write(tmp_path / 'map.fits', (None, None, {}), (name, other(), {}))
    with pytest.raises(ValueError, match=r'no image that is named as a map.*--map-hdu'):
        parse_map(path)
    assert_array_equal(parse_map(path, hdu=1).data, other())


@pytest.mark.parametrize(
    'names', [('SCI', 'SCI'), ('SIGNAL', 'DATA'), ('A', 'B'), (None, None), ('A', None)]
)
@pytest.mark.parametrize('primary', [False, True])
def test_ambiguous(tmp_path, names, primary):
    """Two maps: asked about, and chosen by number, name or version."""
    planes = [
        (name, data, {}) for name, data in zip(names, (MAP, other()), strict=True)
    ]
    empty = [] if primary else [(None, None, {})]
    path = write(tmp_path / 'map.fits', *empty, *planes)
    if names[0] == names[1] == 'SCI':
        with fits.open(path, mode='update') as hdus:
            hdus[-1].header['EXTVER'] = 2
    with pytest.raises(ValueError, match=r'several images .*12 x 15.*hdu=.*--map-hdu'):
        parse_map(path)
    n = len(empty)
    assert_array_equal(parse_map(path, hdu=n).data, MAP)
    assert_array_equal(parse_map(path, hdu=str(n + 1)).data, other())
    if names[0] == names[1] == 'SCI':
        assert_array_equal(parse_map(path, hdu=('SCI', 2)).data, other())
        assert_array_equal(parse_map(path, hdu='sci,1').data, MAP)
        with pytest.raises(ValueError, match="several HDUs 'SCI'"):
            parse_map(path, hdu='SCI')


def test_unit_tells(tmp_path):
    """Of two images without telling names, one is in a unit of maps."""
    path = write(
        tmp_path / 'map.fits',
        ('A', other(), {'BUNIT': 's'}),
        ('B', MAP, {'BUNIT': 'mJy/pixel'}),
    )
    with pytest.warns(AstropyUserWarning, match='HDU 1 is taken, for its unit'):
        assert_array_equal(parse_map(path).data, MAP)


@pytest.mark.parametrize('hdu', [7, -1, 'NONE', ('image', 3), 'table', 1.5, True])
def test_no_such_hdu(tmp_path, hdu):
    path = write(tmp_path / 'map.fits', (None, None, {}), ('image', MAP, {}))
    table = fits.BinTableHDU.from_columns(
        [fits.Column('a', 'D', array=[1.0])], name='table'
    )
    fits.append(path, table.data, table.header)
    with pytest.raises((ValueError, TypeError), match=r'HDU'):
        parse_map(path, hdu=hdu)


@pytest.mark.parametrize('lead', [(1,), (1, 1)])
@pytest.mark.parametrize('name', [None, 'image', 'SIGNAL'])
def test_degenerate_axes(tmp_path, map_wcs, lead, name):
    """Scanamorphos and CASA store one plane with further axes."""
    cards = {'CTYPE3': 'FREQ', 'CRVAL3': 1e12, 'CDELT3': 1e9, 'CRPIX3': 1.0}
    cards |= dict(map_wcs.to_header())
    cards['WCSAXES'] = 3
    path = write(
        tmp_path / 'map.fits',
        (name, MAP.reshape(*lead, *SHAPE), cards),
        ('COVERAGE', np.ones(SHAPE), {}),
    )
    with pytest.warns(AstropyUserWarning, match='its only plane is taken'):
        parsed = parse_map(path)
    assert_array_equal(parsed.data, MAP)
    sky = map_wcs.pixel_to_world(3.0, 4.0)
    assert parsed.wcs.pixel_to_world(3.0, 4.0).separation(sky).arcsec < 1e-6
    # the result goes back into a map of two axes
    assert parsed.like_input(parsed.data).shape == SHAPE


@pytest.mark.parametrize('shape', [(2, *SHAPE), (1, 3, *SHAPE), (2, 1, *SHAPE)])
@pytest.mark.parametrize('name', [None, 'image'])
def test_cube(tmp_path, shape, name):
    """A cube is refused, and no plane beside it is taken in its place."""
    path = write(
        tmp_path / 'map.fits', (name, np.ones(shape), {}), ('COVERAGE', other(), {})
    )
    with pytest.raises(ValueError, match='Choose one plane'):
        parse_map(path)


# ---- catalogues ----------------------------------------------------------

RA = np.array([83.8, 83.79, 83.81, 83.8])
DEC = np.array([-5.4, -5.39, -5.41, -5.395])
POSITIONS = Table({'ra': RA, 'dec': DEC})
GUIDE = Table({'ra': [10.0], 'dec': [20.0]})
HEADER_CARDS = Table({'Field Header Card': ['SIMPLE  = T']})


def write_tables(path, tables):
    """Write named tables into a FITS file."""
    hdus = [fits.PrimaryHDU()]
    for name, table in tables:
        hdus.append(fits.table_to_hdu(table))
        hdus[-1].header['EXTNAME'] = name
    fits.HDUList(hdus).writeto(path)
    return path


def test_ldac(tmp_path):
    """The tables of SExtractor: header cards, then the objects."""
    objects = Table({'ALPHA_J2000': RA, 'DELTA_J2000': DEC, 'X_IMAGE': RA})
    path = write_tables(
        tmp_path / 's.ldac', [('LDAC_IMHEAD', HEADER_CARDS), ('LDAC_OBJECTS', objects)]
    )
    assert_array_equal(read_source_table(path)['ALPHA_J2000'], RA)


@pytest.mark.parametrize('guide_first', [True, False])
@pytest.mark.parametrize('hdu', ['SOURCES', 'sources', 1, '1', ('SOURCES', 1)])
def test_two_tables(tmp_path, guide_first, hdu):
    tables = [('GUIDE', GUIDE), ('SOURCES', POSITIONS)][:: 1 if guide_first else -1]
    path = write_tables(tmp_path / 's.fits', tables)
    with pytest.raises(ValueError, match=r'several tables .*--catalogue-hdu'):
        read_source_table(path)
    with pytest.raises(ValueError, match=r'1 .*2 .*rows'):
        parse_sources(path)
    if hdu in (1, '1') and guide_first:
        hdu = 2
    assert_array_equal(read_source_table(path, hdu=hdu)['ra'], RA)
    with pytest.raises(ValueError, match="no HDU 'X'"):
        read_source_table(path, hdu='X')


def write_votable(path, tables, *, resources=1):
    """Write named tables into a VOTable."""
    votable = VOTableFile()
    for name, table in tables:
        one = from_table(table).get_first_table()
        one.name, one.ID = name, name
        if not votable.resources or resources > 1:
            votable.resources.append(Resource())
        votable.resources[-1].tables.append(one)
    votable.to_xml(str(path))
    return path


@pytest.mark.parametrize('resources', [1, 2])
@pytest.mark.parametrize('ending', ['vot', 'xml', 'txt'])
def test_votable(tmp_path, resources, ending):
    two = [('guide', GUIDE), ('sources', POSITIONS)]
    path = write_votable(tmp_path / f's.{ending}', two, resources=resources)
    with pytest.raises(ValueError, match='0 guide; 1 sources.*--table-id'):
        read_source_table(path)
    for table_id in ('sources', 1, '1'):
        assert_array_equal(read_source_table(path, table_id=table_id)['ra'], RA)
    with pytest.raises(ValueError, match="no single table 'x'"):
        read_source_table(path, table_id='x')
    # only one of them has positions
    two[0] = 'notes', Table({'note': ['a']})
    path = write_votable(tmp_path / 't.xml', two, resources=resources)
    assert_array_equal(read_source_table(path)['ra'], RA)


@pytest.mark.parametrize(
    ('ending', 'keyword'), [('csv', 'hdu'), ('csv', 'table_id'), ('fits', 'table_id')]
)
def test_option_of_another_format(tmp_path, ending, keyword):
    path = tmp_path / f's.{ending}'
    POSITIONS.write(path, format='fits' if ending == 'fits' else 'ascii.csv')
    with pytest.raises(ValueError, match=f'{keyword} is for'):
        read_source_table(path, **{keyword: 1})


def test_command_line(tmp_path, map_wcs, monkeypatch):
    """The four options reach the readers."""
    seen = {}

    class Remover:
        def __init__(self, *_, **__):
            pass

        def __call__(self, data, sources, **kwargs):
            seen.update(data=data, sources=sources, **kwargs)
            message = 'stop here'
            raise ValueError(message)

    monkeypatch.setattr('photutils_pconv.removal.remover.NeuralSourceRemover', Remover)
    tables = [('GUIDE', GUIDE), ('SOURCES', POSITIONS)]
    path = write_tables(tmp_path / 's.fits', tables)
    start = ['remove', 'map.fits', str(path), '-o', str(tmp_path / 'out')]
    stderr = io.StringIO()
    monkeypatch.setattr(sys, 'stderr', stderr)
    assert main(start) == 1
    assert '--catalogue-hdu' in stderr.getvalue()
    options = ['--catalogue-hdu', 'SOURCES', '--map-hdu', 'SCI,2', '--mask-hdu', 'DQ']
    assert main([*start, *options]) == 1
    assert seen['hdu'] == 'SCI,2'
    assert seen['mask'] == 'DQ'
    assert_allclose(seen['sources']['ra'], RA)
    path = write_votable(tmp_path / 's.xml', tables)
    start[2] = str(path)
    assert main([*start, '--table-id', 'SOURCES']) == 1
    assert_allclose(seen['sources']['ra'], RA)
