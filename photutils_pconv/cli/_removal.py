# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What ``remove`` and ``demo`` share: the options of a removal, and its output.
"""

import argparse

from photutils_pconv._utils.optional import require
from photutils_pconv.cli._common import prepare_folder
from photutils_pconv.removal.table_files import TABLE_FORMATS, name_table

__all__ = [
    'OPTION_GROUPS',
    'SHELL_DEFAULTS',
    'add_removal_options',
    'add_result_options',
    'make_remover',
    'prepare_output',
    'write_result',
]

#: The groups of the help, with the options of `NeuralSourceRemover` in each.
OPTION_GROUPS = {
    'map and setup': ('mode', 'band', 'setup', 'resample'),
    'method and PSF': (
        'model',
        'method',
        'psf',
        'fit_positions',
        'fit_psf_shape',
        'fit_sizes',
        'recenter',
    ),
    'photometry and errors': (
        'aperture_radii',
        'aperture_corrections',
        'error_method',
        'detection_threshold',
        'upper_limit_probability',
        'colour_correction',
        'calibration_error',
    ),
    'cleaned map': ('fill', 'draw_seed', 'subtract_wings'),
    'running': (
        'batch_size',
        'device',
        'precision',
        'turns',
        'threads',
        'progress_bar',
    ),
}

#: The one default that is not Python's: at a terminal there is someone who
#: waits. ``--quiet`` turns the bar off, too.
SHELL_DEFAULTS = {'progress_bar': True}

#: What stands for the value of an option in the help, where its name in
#: capitals would say less.
_METAVARS = {
    'aperture_radii': 'ARCSEC',
    'aperture_corrections': 'TABLE',
    'batch_size': 'N',
    'calibration_error': 'SHARE',
    'colour_correction': 'SPECTRUM',
    'detection_threshold': 'SNR',
    'draw_seed': 'SEED',
    'threads': 'N',
    'turns': 'N',
    'upper_limit_probability': 'P',
}


def add_removal_options(parser, *, fixed=()):
    """
    Add the options of a removal, in groups.

    They have the names and the defaults of the keywords of
    `~photutils_pconv.NeuralSourceRemover`, but for `SHELL_DEFAULTS`.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The command's parser.

    fixed : sequence of str, optional
        The options that the command decides itself.

    Returns
    -------
    groups : dict
        The argument group of each title in `OPTION_GROUPS`.
    """
    described = _describe_options()
    title_of = {name: title for title, names in OPTION_GROUPS.items() for name in names}
    groups = {title: parser.add_argument_group(title) for title in OPTION_GROUPS}
    order = [*title_of, *(name for name in described if name not in title_of)]
    for name in order:
        if name in fixed:
            continue
        # What nobody has put into a group can be used all the same.
        group = groups.get(title_of.get(name), parser)
        _add_option(group, name, described[name])
    return groups


def make_remover(options, *, aperture_corrections=None):
    """
    Make the remover that the parsed options describe.

    This is the one place where options become keywords of
    `~photutils_pconv.NeuralSourceRemover`. An option that the command does
    not have keeps its default.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options.

    aperture_corrections : table, optional
        A table of encircled energies, instead of that in the options.

    Returns
    -------
    remover : `~photutils_pconv.NeuralSourceRemover`
        The remover.
    """
    from photutils_pconv.removal.remover import NeuralSourceRemover
    from photutils_pconv.setups.eef_files import read_eef_file

    keywords = {
        name: getattr(options, name)
        for name in _describe_options()
        if hasattr(options, name)
    }
    if aperture_corrections is None:
        aperture_corrections = read_eef_file(options.aperture_corrections)
    keywords['aperture_corrections'] = aperture_corrections
    keywords['progress_bar'] = options.progress_bar and not options.quiet
    return NeuralSourceRemover(**keywords)


def add_result_options(group):
    """
    Add what a result is to be written as.

    Parameters
    ----------
    group : argument group
        The group of the output.
    """
    group.add_argument(
        '--table-formats',
        nargs='+',
        choices=tuple(TABLE_FORMATS),
        default=['ecsv'],
        metavar='FORMAT',
        help=f'formats of the photometry: {", ".join(TABLE_FORMATS)} (default: ecsv)',
    )
    group.add_argument(
        '--regions',
        action='store_true',
        help='write holes.reg too: the holes as regions of DS9',
    )


def prepare_output(options, *, plot, others=()):
    """
    Find out what would prevent the output before the work, not after it.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options.

    plot : bool
        Whether there is to be a plot.

    others : iterable of `~pathlib.Path`, optional
        What is going to be written besides the result.

    Raises
    ------
    FileExistsError, NotADirectoryError
        If the files cannot be written; see `prepare_folder`.

    ImportError
        If a plot is asked for and matplotlib is missing.
    """
    from photutils_pconv._utils.plotting import make_axes

    formats = getattr(options, 'table_formats', ['ecsv'])
    names = ['cleaned.fits', *map(name_table, formats)]
    names += ['removal.png'] if plot else []
    if getattr(options, 'regions', False):
        # That it is missing is said before the work.
        require('regions', purpose='--regions', install="'photutils-pconv[regions]'")
        names.append('holes.reg')
    prepare_folder(options, [*(options.output / name for name in names), *others])
    if plot:
        # Says what to install where matplotlib is missing.
        make_axes(1)


def write_result(result, options, *, plot):
    """
    Write a result and say where it went.

    Parameters
    ----------
    result : `~photutils_pconv.removal.SourceRemovalResult`
        The result.

    options : `~argparse.Namespace`
        The parsed options.

    plot : bool
        Whether there is to be a plot.

    Returns
    -------
    paths : tuple of `~pathlib.Path`
        The files.
    """
    from photutils_pconv._utils.plotting import make_axes
    from photutils_pconv.removal.views import N_COLUMNS

    figures = {}
    if plot:
        axes = make_axes(4, n_columns=N_COLUMNS, wcs=result.map_input.wcs)
        figures['removal.png'] = result.plot(axes=axes)
    paths = result.write(
        options.output,
        overwrite=options.overwrite,
        figures=figures,
        table_formats=getattr(options, 'table_formats', 'ecsv'),
        regions=getattr(options, 'regions', False),
    )
    if not options.quiet:
        for path in paths:
            print(path)
    return paths


def _describe_options():
    """Describe all keywords of a remover, those of the setup included."""
    from photutils_pconv.removal.options import removal_options

    text = {'default': None, 'kind': str, 'choices': None, 'many': False}
    return {
        'mode': {
            'help': "'scanmap' or 'parallel' (default: that in the map's header)",
            **text,
        },
        'band': {
            'help': "'blue', 'green' or 'red' (default: that in the map's header)",
            **text,
        },
        **removal_options(),
    }


def _add_option(group, name, about):
    """Add one option as it is described."""
    flag = f'--{name.replace("_", "-")}'
    default = SHELL_DEFAULTS.get(name, about['default'])
    text = about['help']
    is_switch = about['kind'] is bool
    if default is not None:
        shown = ('on' if default else 'off') if is_switch else default
        text = f'{text} (default: {shown})'
    text = text.replace('%', '%%')
    if is_switch:
        action = group.add_argument(
            flag, action=argparse.BooleanOptionalAction, help=text
        )
    else:
        action = group.add_argument(
            flag,
            type=about['kind'],
            choices=about['choices'],
            nargs='+' if about['many'] else None,
            metavar=_METAVARS.get(name),
            help=text,
        )
    # Before Python 3.13 a switch that knows its default adds it to its help.
    action.default = default
