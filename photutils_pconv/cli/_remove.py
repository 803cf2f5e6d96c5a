# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv remove``.
"""

import os

import numpy as np

from photutils_pconv.cli._common import add_output
from photutils_pconv.cli._removal import (
    add_removal_options,
    make_remover,
    prepare_output,
    write_result,
)

__all__ = ['add_parser', 'add_planes', 'read_plane', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'remove',
        help='clean a map and measure its sources',
        description='Clean a map and measure its sources. The options have the '
        'names and the defaults of the keywords of NeuralSourceRemover.',
    )
    parser.set_defaults(run=run)
    parser.add_argument('map', metavar='MAP', help='a FITS file')
    parser.add_argument(
        'catalogue', metavar='CATALOGUE', help='CSV, ECSV, VOTable or FITS table'
    )
    groups = add_removal_options(parser)
    add_planes(groups['map and setup'])
    group = add_output(parser)
    group.add_argument('--plot', action='store_true', help='write removal.png too')
    return parser


def run(options):
    """Clean a map and write what came of it."""
    from photutils_pconv.inputs.tables import read_source_table

    axes = prepare_output(options, plot=options.plot)
    # An extension of the map's own file goes by its name.
    mask = options.mask_hdu or read_plane(options.mask)
    coverage_mask = read_plane(options.coverage_mask)
    error = options.error_hdu or read_plane(options.error)
    sources = read_source_table(
        options.catalogue, hdu=options.catalogue_hdu, table_id=options.table_id
    )
    remover = make_remover(options)
    result = remover(
        options.map,
        sources,
        hdu=options.map_hdu,
        mask=mask,
        coverage_mask=coverage_mask,
        error=error,
        beam=options.beam,
    )
    write_result(result, options, axes=axes)
    if not options.quiet:
        flagged = np.count_nonzero(result.photometry['flags'])
        print(f'{len(result.photometry)} sources, {flagged} of them flagged')


def add_planes(group):
    """
    Add what goes with the map: a remover takes it when it is called.

    Parameters
    ----------
    group : argument group
        To which to add it.
    """
    group.add_argument(
        '--map-hdu', metavar='HDU', help='the map: number, NAME or NAME,VERSION'
    )
    group.add_argument(
        '--catalogue-hdu', metavar='HDU', help='the table of a FITS catalogue'
    )
    group.add_argument('--table-id', metavar='ID', help='the table of a VOTable')
    mask = group.add_mutually_exclusive_group()
    mask.add_argument(
        '--mask', metavar='FILE[EXT]', help='an image that is not 0 in bad pixels'
    )
    mask.add_argument(
        '--mask-hdu', metavar='HDU', help="the same, as an extension of the map's file"
    )
    group.add_argument(
        '--coverage-mask',
        metavar='FILE[EXT]',
        help='an image that is not 0 in pixels without data',
    )
    error = group.add_mutually_exclusive_group()
    error.add_argument(
        '--error',
        metavar='FILE[EXT]',
        help="an image of the map's standard deviation",
    )
    error.add_argument(
        '--error-hdu', metavar='HDU', help="the same, as an extension of the map's file"
    )
    group.add_argument(
        '--beam',
        type=float,
        nargs='+',
        metavar='ARCSEC',
        help='FWHM of the beam, or of its two axes, for a map in Jy/beam (default: the '
        "header's)",
    )


def read_plane(text):
    """
    Read an image from ``FILE`` or ``FILE[EXT]``, with its unit if it has one.

    Parameters
    ----------
    text : str or `None`
        What was given.

    Returns
    -------
    image : `~numpy.ndarray`, `~astropy.units.Quantity` or `None`
        The image; `None` where nothing was given.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read, or has not one image.
    """
    from astropy.io import fits

    from photutils_pconv.inputs.fits import read_fits_plane

    if text is None:
        return None
    path, extension = text, None
    if text.endswith(']') and not os.path.exists(text):
        path, _, extension = text[:-1].rpartition('[')
    if extension is None and os.path.isfile(path):
        try:
            with fits.open(path) as hdus:
                names = {
                    # The name may be missing; the number never is.
                    number: hdu.name or str(number)
                    for number, hdu in enumerate(hdus)
                    if hdu.is_image and hdu.shape
                }
        except OSError as exc:
            msg = f'{path} cannot be read as a FITS file: {exc}'
            raise ValueError(msg) from exc
        if len(names) != 1:
            msg = (
                f'{path} has {len(names)} images ({", ".join(names.values())}): name '
                f'one of them, {path}[EXT]'
            )
            raise ValueError(msg)
        (extension,) = names
    return read_fits_plane(path, extension)
