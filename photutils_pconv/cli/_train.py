# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``train``.
"""

__all__ = []


def _train(options):
    from photutils_pconv.training import DivergenceError, run_training

    try:
        path = run_training(
            options.config, resume=options.resume, overwrite=options.overwrite
        )
    except DivergenceError as exc:
        raise ValueError(str(exc)) from exc
    print(path)
