# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The products of an observation: their names, and one of them out of an archive.
"""

import re
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from photutils_pconv._utils.writing import write_atomically
from photutils_pconv.archive.downloads import DISK_FULL, refuse_page
from photutils_pconv.archive.errors import (
    ArchiveError,
    ArchiveFormatError,
    NotInArchiveError,
)

__all__ = [
    'LARGEST_CONTENT',
    'LARGEST_MAP',
    'MAP_MAKERS',
    'MapWanted',
    'Product',
    'parse_product',
    'unpack_product',
]

#: The products of each map maker, without the camera's letter (B, G, or R).
MAP_MAKERS = {
    'JScanam': ('HPPJSMAP',),
    'Unimap': ('HPPUNIMAP',),
    # level 2, and before SPG 13, had the second name
    'high-pass': ('HPPHPFMAP', 'HPPPMAP'),
    'naive': ('HPPNAIVEMAP',),
}
#: The largest map (bytes as it is stored), by choice.
LARGEST_MAP = 10 * 10**9
#: What the files of an archive may have together (bytes), by choice.
LARGEST_CONTENT = 200 * 10**9
_MOST_FILES = 100_000
_BLOCK = 1 << 20

# hpacs_25HPPJSMAPB_blue_1757_p5129_00_v1.0_1470980842635.fits.gz, and of level 2
# hpacs1342217404_20hpppmapb_00_1469423089198.fits.gz
_NAME = re.compile(
    r'hpacs(?P<obsid>\d{10})?_(?P<level>\d\d)(?P<product>hpp[a-z]*map)(?P<camera>[bgr])'
    r'(?:_(?P<filter>blue|green))?[\w.+-]*?(?:_(?P<stamp>\d+))?\.fits(?:\.gz)?',
    re.IGNORECASE,
)
_LEVELS = {'20': '2', '25': '2.5', '30': '3'}


@dataclass(frozen=True)
class Product:
    """
    What the name of a file of the archive says.

    Parameters
    ----------
    name : str
        The file's name, without folders.

    map_maker : str
        One of `MAP_MAKERS`.

    level : str
        ``'2'``, ``'2.5'``, or ``'3'``.

    band : str or `None`
        The band; `None` if the name has only the blue camera, which is that of
        two bands.

    stamp : int
        A number that rises with time.
    """

    name: str
    map_maker: str
    level: str
    band: str | None
    stamp: int


@dataclass(frozen=True)
class MapWanted:
    """
    The map that is asked for.

    Parameters
    ----------
    obsid : str
        The observation.

    band : str
        The band.

    map_maker : str
        The map maker.
    """

    obsid: str
    band: str
    map_maker: str

    def is_met_by(self, product):
        """
        Say whether a product is the map.

        Parameters
        ----------
        product : `Product`
            The product.

        Returns
        -------
        met : bool
            Whether it is, as far as its name says.
        """
        same_band = product.band == self.band or (
            product.band is None and self.band != 'red'
        )
        return product.map_maker == self.map_maker and same_band


def parse_product(path):
    """
    Read what the name of a file says.

    Parameters
    ----------
    path : str
        The file, with folders or without.

    Returns
    -------
    product : `Product` or `None`
        What it is; `None` if it is no map of PACS.
    """
    name = PurePosixPath(str(path)).name
    found = _NAME.fullmatch(name)
    if found is None or found['level'] not in _LEVELS:
        return None
    stem = found['product'].upper()
    makers = [maker for maker, stems in MAP_MAKERS.items() if stem in stems]
    if not makers:
        return None
    camera = found['camera'].upper()
    band = {'R': 'red', 'G': 'green'}.get(camera)
    if band is None and found['filter']:
        band = found['filter'].lower()
    return Product(
        name=name,
        map_maker=makers[0],
        level=_LEVELS[found['level']],
        band=band,
        stamp=int(found['stamp'] or 0),
    )


def unpack_product(archive, folder, wanted):
    """
    Take one map out of a tar file, and nothing else.

    Parameters
    ----------
    archive : `~pathlib.Path`
        The tar file.

    folder : `~pathlib.Path`
        Where to put the map, under its own name without folders.

    wanted : `MapWanted`
        The map.

    Returns
    -------
    path, product : `~pathlib.Path` and `Product`
        The map's file, and what its name says.

    Raises
    ------
    ArchiveFormatError
        If the file is no tar file or a damaged one; if a path in it leads out of
        its folder; if it holds links or devices; or if it grows beyond the bounds.

    NotInArchiveError
        If it has no such map; the message lists those that it has.
    """
    with open(archive, 'rb') as handle:
        refuse_page(handle.read(4096), 'the archive', 'The service')
    try:
        with tarfile.open(archive, 'r:*') as tar:
            member, product = _choose(_list_members(tar), wanted)
            path = folder / product.name
            write_atomically(path, lambda target: _copy(tar, member, target))
    except (tarfile.TarError, EOFError, OSError, ValueError) as exc:
        if isinstance(exc, ArchiveError):
            raise
        _raise_if_full(exc, folder)
        msg = (
            f'What came of {wanted.obsid} is no tar file, or a truncated one '
            f'({exc}): it is removed. Try again.'
        )
        raise ArchiveFormatError(msg) from exc
    return path, product


def _list_members(tar):
    """Look at everything in an archive before any of it is used."""
    members, total = [], 0
    for number, member in enumerate(tar):
        path = PurePosixPath(member.name.replace('\\', '/'))
        if path.is_absolute() or '..' in path.parts or ':' in path.parts[0:1]:
            what = 'a path that leads out of its folder'
        elif member.issym() or member.islnk():
            what = 'a link'
        elif member.issparse():
            what = 'a file with gaps'
        elif not (member.isfile() or member.isdir()):
            what = 'a device'
        else:
            what = None
        if what is not None:
            msg = (
                f'The tar file is not unpacked: it has {what}, {member.name!r}, which '
                'the archive does not make.'
            )
            raise ArchiveFormatError(msg)
        total += member.size
        if total > LARGEST_CONTENT or number >= _MOST_FILES:
            msg = (
                f'The tar file is not unpacked: it holds more than '
                f'{LARGEST_CONTENT / 1e9:g} GB or {_MOST_FILES} files.'
            )
            raise ArchiveFormatError(msg)
        members.append(member)
    return members


def _choose(members, wanted):
    """Choose a product by its name; of several versions the last one."""
    products = [
        (member, product)
        for member in members
        if member.isfile() and (product := parse_product(member.name)) is not None
    ]
    fitting = [pair for pair in products if wanted.is_met_by(pair[1])]
    if not fitting:
        raise NotInArchiveError(_describe_lack(products, wanted))
    member, product = max(fitting, key=lambda pair: (pair[1].level, pair[1].stamp))
    if member.size > LARGEST_MAP:
        msg = (
            f'{product.name} is not unpacked: it has {member.size / 1e9:.0f} GB, more '
            f'than the {LARGEST_MAP / 1e9:g} GB that a map may have.'
        )
        raise ArchiveFormatError(msg)
    return member, product


def _describe_lack(products, wanted):
    """Say what there is instead of what was asked for."""
    what = f'{wanted.obsid} has no {wanted.band} map by {wanted.map_maker}'
    if not products:
        return f'{what}: the archive sent no maps at all.'
    there = sorted(
        {f'{p.band or "blue or green"} by {p.map_maker}' for _, p in products}
    )
    return f'{what}; it has {", ".join(there)}.'


def _copy(tar, member, target):
    """Copy a member, as much as its header says and no more."""
    left = member.size
    with tar.extractfile(member) as source, open(target, 'xb') as sink:
        while left > 0:
            block = source.read(min(_BLOCK, left))
            if not block:
                msg = 'unexpected end of data'
                raise tarfile.ReadError(msg)
            sink.write(block)
            left -= len(block)


def _raise_if_full(error, folder):
    if getattr(error, 'errno', None) in DISK_FULL:
        msg = (
            f'The disk is full: the map has no room in {folder}. Make room, or set '
            'XDG_CACHE_HOME to a larger disk.'
        )
        raise ArchiveError(msg) from error
