# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv migrate``.
"""

import shlex

from photutils_pconv.cli._common import add_overwrite, parse_folder, prepare_folder

__all__ = ['add_parser', 'run']

# The authors' sections that only a training has, and only an evaluation.
_TRAINING = ('optimization', 'loss', 'training')
_EVALUATION = ('observing_parameters', 'evaluation_functionalities')
_TOML = 'train.toml'


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'migrate',
        help="translate a configuration of the paper authors' program",
        description="Translate a configuration of the paper authors' program into "
        'commands, Python, and, for a training, a TOML file, and say what becomes of '
        'each key.',
    )
    parser.set_defaults(run=run)
    parser.add_argument('config', metavar='CONFIG', help='their JSON file')
    parser.add_argument(
        '--mode',
        choices=('scanmap', 'parallel'),
        help="the mode of a training's data, which their file does not say",
    )
    parser.add_argument(
        '-o',
        '--output',
        type=parse_folder,
        metavar='DIR',
        help='also write run.sh, run.py, keys.txt and, for a training, train.toml',
    )
    add_overwrite(parser)
    return parser


def run(options):
    """Translate a configuration, print it, and write it where asked to."""
    from photutils_pconv._utils.writing import write_bytes_atomically

    files = _make_files(_migrate(options), options.config)
    if options.output is not None:
        prepare_folder(options, [options.output / name for name in files])
        options.output.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_bytes_atomically(options.output / name, text.encode())
    for name, text in files.items():
        print(f'# {name}\n\n{text.rstrip()}\n')


def _migrate(options):
    """Decide what a configuration is of, and translate it."""
    from photutils_pconv.cli._reference_keys import ReferenceKeys, read_reference_config
    from photutils_pconv.cli._reference_removal import migrate_evaluation
    from photutils_pconv.cli._reference_training import migrate_training

    values = read_reference_config(options.config)
    keys = ReferenceKeys(values)
    if any(key in values for key in _EVALUATION):
        if options.mode is not None:
            msg = 'the configuration names the mode itself: leave --mode out'
            raise ValueError(msg)
        return migrate_evaluation(keys)
    if any(key in values for key in _TRAINING):
        path = _TOML if options.output is None else str(options.output / _TOML)
        return migrate_training(keys, mode=options.mode, path=path)
    msg = (
        f"{options.config} is no configuration of the authors' program: it has none of "
        f'the sections {", ".join((*_EVALUATION, *_TRAINING))}'
    )
    raise ValueError(msg)


def _make_files(migration, source):
    """Give the files of a migration, and what is in each."""
    head = f'# {migration.title}, from {source}\n'
    advice = '\n'.join(f'# {line}'.rstrip() for line in migration.advice.splitlines())
    commands = '\n'.join(
        f'photutils-pconv {shlex.join(one)}' for one in migration.commands
    )
    width = max((len(one.key) for one in migration.keys), default=0)
    notes = '\n'.join(
        f'{one.key:<{width}}  {one.status:<14}  {one.note}' for one in migration.keys
    )
    files = {
        'run.sh': f'{head}{commands}\n\n{advice}\n',
        'run.py': f'{head}{migration.python}',
        'keys.txt': f'{notes}\n',
    }
    if migration.toml:
        files[_TOML] = f'{head}{migration.toml}'
    return files
