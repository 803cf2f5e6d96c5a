# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile input: many cases, each judged by itself.

Every case ends with the right answer against an independent number, with a
refusal that says what is accepted before the network ran, or with a documented
warning and flag. Anything else is bad, and the exit status is 1::

    python benchmarks/hostile.py
    python benchmarks/hostile.py --group units --group masks
    python benchmarks/hostile.py --case 'types/psf f4'
    python benchmarks/hostile.py -o benchmarks/results/hostile.md
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from _hostile_judge import VERDICTS, judge
from _hostile_registry import GROUPS, select
from _hostile_report import make_report
from threadpoolctl import threadpool_limits

__all__ = ['main', 'run_cases']


def run_cases(cases, *, show=None):
    """
    Judge many cases.

    Parameters
    ----------
    cases : sequence of `_hostile_case.Case`
        The cases.

    show : callable, optional
        Called with each `_hostile_judge.Judgement`.

    Returns
    -------
    judgements : list of `_hostile_judge.Judgement`
        What came of them.
    """
    judgements = []
    for case in cases:
        judgements.append(judge(case))
        if show is not None:
            show(judgements[-1])
    return judgements


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--group', action='append', choices=GROUPS, default=[])
    parser.add_argument('--case', action='append', default=[], help='part of a name')
    parser.add_argument('--quick', action='store_true', help='those of the tests')
    parser.add_argument('--list', action='store_true', help='only list the cases')
    parser.add_argument('--verbose', action='store_true', help='show all cases')
    parser.add_argument('-o', '--output', type=Path, help='a Markdown file to write')
    args = parser.parse_args()
    cases = select(groups=args.group, names=args.case, quick=args.quick)
    if args.list:
        print('\n'.join(f'{case.group}/{case.name}' for case in cases))
        return

    def show(judgement):
        if judgement.is_bad or args.verbose:
            case = judgement.case
            print(
                f'{judgement.verdict:14} {case.group}/{case.name} '
                f'({judgement.seconds:.1f} s): {judgement.detail[:300]}',
                flush=True,
            )

    import torch

    torch.set_num_threads(1)
    start = time.time()
    with threadpool_limits(1):
        judgements = run_cases(cases, show=show)
    counts = Counter(one.verdict for one in judgements)
    shown = ', '.join(f'{counts[name]} {name}' for name in VERDICTS if counts[name])
    print(f'{len(cases)} cases in {time.time() - start:.0f} s: {shown}')
    if args.output:
        args.output.write_text(make_report(judgements), encoding='utf-8')
    sys.exit(any(one.is_bad for one in judgements))


if __name__ == '__main__':
    main()
