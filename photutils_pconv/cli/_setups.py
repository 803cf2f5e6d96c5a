# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv setups``.
"""

import json

from photutils_pconv.cli._common import add_overwrite

__all__ = ['add_parser', 'run']

# The columns of the list: titles, and the widths of all but the last.
_TITLES = ('setup', 'instrument', 'wavelength', 'pixel scale', 'FWHM', 'PSF')
_WIDTHS = (15, 11, 11, 13, 13)


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'setups',
        help='list, show or make observing setups',
        description='List the observing setups, show one (JSON), or make one from a '
        'PSF and write it to a file, which every option --setup takes.',
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument(
        'name',
        metavar='SETUP',
        nargs='?',
        help='the name of a setup to show, or its file',
    )
    group = parser.add_argument_group('a setup from a PSF')
    group.add_argument(
        '--psf',
        metavar='FILE|ARCSEC',
        help='a FITS image of the PSF, or the FWHM of a Gaussian (arcsec)',
    )
    group.add_argument(
        '-o', '--output', metavar='FILE', help='the file to write, NAME.json'
    )
    for name, metavar, text in (
        ('pixel-scale', 'ARCSEC', 'pixel scale of maps (default: FWHM / 3.5)'),
        (
            'psf-pixel-scale',
            'ARCSEC',
            "that of a PSF's image (default: its header's)",
        ),
        ('wavelength', 'MICRON', 'wavelength'),
        ('aperture-radius', 'ARCSEC', 'default aperture radius (default: the FWHM)'),
    ):
        group.add_argument(f'--{name}', type=float, metavar=metavar, help=text)
    group.add_argument('--instrument', default='', help='instrument')
    group.add_argument('--name', dest='new_name', help='name (default: that of FILE)')
    add_overwrite(group)
    return parser


def run(options):
    """Make a setup, print one, or list them."""
    if options.psf is not None or options.output is not None:
        _write(options)
    elif options.name is not None:
        _show(options.name)
    else:
        _list()


def _write(options):
    """Make a setup from a PSF, and write it."""
    from pathlib import Path

    import astropy.units as u

    from photutils_pconv.setups.setup import ObservingSetup

    if options.psf is None or options.output is None or options.name is not None:
        options.usage_error('a new setup needs --psf and --output, and no SETUP')
    try:
        psf = float(options.psf) * u.arcsec
    except ValueError:
        psf = options.psf
    setup = ObservingSetup.from_psf(
        psf,
        pixel_scale=options.pixel_scale,
        psf_pixel_scale=options.psf_pixel_scale,
        name=options.new_name or Path(options.output).stem,
        instrument=options.instrument,
        wavelength=options.wavelength,
        aperture_radius=options.aperture_radius,
    )
    for path in setup.write(options.output, overwrite=options.overwrite):
        print(path)


def _show(name):
    """Print a setup, and where its numbers come from."""
    from photutils_pconv.setups.bundled import bundled_setups
    from photutils_pconv.setups.registry import get_setup

    setup = get_setup(setup=name)
    values = setup.to_dict() | {'psf': repr(setup.psf)}
    described = bundled_setups().get(name)
    if described is not None:
        values['psf'] = described.psf
        values['references'] = described.references
    print(json.dumps(values, indent=2))


def _list():
    """Print a line for each setup."""
    from photutils_pconv.setups.bundled import bundled_setups
    from photutils_pconv.setups.registry import get_setup, list_setups

    _print_row(_TITLES)
    for name in list_setups():
        setup = get_setup(setup=name)
        described = bundled_setups().get(name)
        wavelength = setup.wavelength
        _print_row(
            (
                name,
                setup.instrument,
                '' if wavelength is None else f'{wavelength:.4g}',
                f'{setup.pixel_scale:.4g}',
                f'{setup.psf_fwhm:.4g}',
                repr(setup.psf) if described is None else described.psf,
            )
        )


def _print_row(texts):
    """Print a row of the list."""
    cells = [text.ljust(width) for text, width in zip(texts, _WIDTHS, strict=False)]
    print('  '.join([*cells, texts[-1]]).rstrip())
