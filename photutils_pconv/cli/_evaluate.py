# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv evaluate``.
"""

from pathlib import Path

from photutils_pconv.cli._common import add_output, prepare_folder

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'evaluate', help="repeat the paper's evaluation, with a report"
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        'config',
        metavar='CONFIG',
        nargs='?',
        help='a TOML file (default: the bundled models on simulated fields)',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='fewer and smaller fields, fewer sources: minutes',
    )
    parser.add_argument('--model', help='a bundled model or a weights file')
    parser.add_argument(
        '--setups',
        nargs='+',
        metavar='SETUP',
        help="such as scanmap/green, or files of setups (default: the model's, or "
        'all of PACS)',
    )
    parser.add_argument(
        '--maps',
        nargs='+',
        metavar='PATH',
        default=(),
        help='maps to clean, each with a source list of its name beside it, or '
        'folders of such pairs',
    )
    parser.add_argument(
        '--stars',
        nargs='+',
        metavar='PATH',
        default=(),
        help='maps of standard stars, or folders of them',
    )
    parser.add_argument(
        '--no-fields',
        action='store_true',
        help='no simulated fields: only the maps and stars given',
    )
    parser.add_argument('--seed', type=int, help='seed of the simulated fields')
    parser.set_defaults(usage_error=parser.error)
    parser.add_argument(
        '--scheduler',
        metavar='ADDRESS',
        help='the scheduler of a running cluster of dask that works on the simulated '
        'fields',
    )
    parser.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='the number of processes on this machine that do (default: this one)',
    )
    add_output(parser)
    return parser


def run(options):
    """Evaluate and say how many of the limits are met."""
    from dataclasses import replace

    if options.scheduler is not None and options.workers is not None:
        options.usage_error('--workers are those of this machine, not of --scheduler')
    from photutils_pconv.evaluation.config import EvaluationConfig
    from photutils_pconv.evaluation.run import run_evaluation

    prepare_folder(options)
    for path in (*options.maps, *options.stars):
        if not Path(path).expanduser().exists():
            msg = f'no such file or folder: {path}'
            raise FileNotFoundError(msg)
    config = EvaluationConfig()
    if options.config is not None:
        config = EvaluationConfig.from_toml(options.config)
    changes = {
        'maps': [*config.maps, *options.maps],
        'stars': [*config.stars, *options.stars],
    }
    if options.model is not None:
        changes['model'] = options.model
    if options.setups is not None:
        changes['setups'] = options.setups
    if options.seed is not None:
        changes['seed'] = options.seed
    if options.no_fields:
        changes.update(n_fields=0, fields=())
    with _connect(options) as client:
        evaluation = run_evaluation(
            replace(config, **changes),
            options.output,
            quick=options.quick,
            overwrite=options.overwrite,
            report=None if options.quiet else lambda line: print(line, flush=True),
            executor=client,
        )
    if not options.quiet:
        verdicts = evaluation.tables['verdicts']
        for kind in ('met', 'not met'):
            print(f'{sum(verdicts["verdict"] == kind)} limits {kind}')


def _connect(options):
    """Get a client of dask, if one is asked for."""
    from contextlib import nullcontext

    if options.scheduler is None and options.workers is None:
        return nullcontext()
    from photutils_pconv.scale.clusters import connect

    return connect(options.scheduler, n_workers=options.workers)
