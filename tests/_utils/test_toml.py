# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of configurations from and to dictionaries and TOML files.
"""

from dataclasses import dataclass, field

import pytest

from photutils_pconv._utils.config import TABLE, Section, number, path, texts
from photutils_pconv._utils.toml import Configuration


@dataclass(frozen=True, kw_only=True)
class Part(Section):
    """A section."""

    _title = '[part]'

    count: int = number(3, low=1, kind=int)
    names: tuple = texts(paths=True)


@dataclass(frozen=True, kw_only=True)
class Whole(Configuration):
    """A configuration with everything that has a path."""

    width: float = number(0.5, above=0)
    output: str = path('out', output=True)
    model: str = path('')
    options: dict = field(
        default_factory=dict, metadata={**TABLE, 'path_keys': ('psf',)}
    )
    part: Part = field(default_factory=Part, metadata={'section': Part})


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a TOML file with some content."""
    for name in ('model.bin', 'psf.fits', 'a.json'):
        (tmp_path / name).touch()

    def read(content):
        file = tmp_path / 'config.toml'
        file.write_text(content)
        return Whole.from_toml(file)

    return read


def test_round_trip():
    config = Whole(width=2, part=Part(names=['a', '/b/c']), options={'n': [1, 2]})
    values = config.to_dict()
    assert Whole.from_dict(values) == config
    assert values['part'] == {'count': 3, 'names': ['a', '/b/c']}
    values['options']['n'].append(3)
    assert config.options == {'n': [1, 2]}
    assert config.to_dict(full_paths=False)['part']['names'] == ['a', 'c']


def test_paths_begin_at_the_file(read, tmp_path):
    config = read(
        "model = 'model.bin'\noptions = { psf = 'psf.fits', other = 'psf.fits' }\n"
        "[part]\nnames = ['a.json', 'b.json']\n"
    )
    assert config.output == str(tmp_path / 'out')
    assert config.model == str(tmp_path / 'model.bin')
    # What is no file there may be the name of something bundled.
    assert config.part.names == (str(tmp_path / 'a.json'), 'b.json')
    assert config.options == {'psf': str(tmp_path / 'psf.fits'), 'other': 'psf.fits'}


@pytest.mark.parametrize(
    ('content', 'error', 'message'),
    [
        ('widht = 1', ValueError, "config.toml.*'widht' in the conf.*mean 'width'"),
        ('count = 1', ValueError, r'it belongs to \[part\]'),
        ('[part]\nwidth = 1', ValueError, 'it belongs to the top level'),
        ('[part]\ncount = 0', ValueError, r'part\.count must be an integer from 1'),
        ('part = 1', TypeError, r'config.toml.*\[part\] must be a table'),
        ('width = ', ValueError, 'config.toml'),
        ("width = 'x'", TypeError, 'config.toml.*width must be a number'),
    ],
)
def test_what_is_wrong_is_named(read, content, error, message):
    with pytest.raises(error, match=message):
        read(content)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no configuration file'):
        Whole.from_toml(tmp_path / 'none.toml')
