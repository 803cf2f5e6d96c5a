# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The report of the hostile cases, in Markdown.
"""

from collections import Counter

from _hostile_judge import VERDICTS
from _run import describe_command

from photutils_pconv.network import package_versions

__all__ = ['make_report']


def make_report(judgements):
    """
    Make the report.

    Parameters
    ----------
    judgements : list of `_hostile_judge.Judgement`
        The judged cases.

    Returns
    -------
    text : str
        A table of the numbers of cases by group and verdict, and a list of
        those that are bad.
    """
    groups = list(dict.fromkeys(one.case.group for one in judgements))
    counts = Counter((one.case.group, one.verdict) for one in judgements)
    total = Counter(one.verdict for one in judgements)
    shown = [name for name in VERDICTS if total[name] or name in VERDICTS[:3]]
    lines = [
        '# Hostile input',
        '',
        f'- cases: {len(judgements)}, in '
        f'{sum(one.seconds for one in judgements):.0f} s of one thread',
        f'- versions: {", ".join(map(" ".join, package_versions().items()))}',
        describe_command(),
        '',
        f'| group | cases | {" | ".join(shown)} |',
        f'| --- | --: |{" --: |" * len(shown)}',
    ]
    for group in groups:
        row = [counts[group, name] for name in shown]
        lines.append(f'| {group} | {sum(row)} | {" | ".join(map(str, row))} |')
    row = [total[name] for name in shown]
    lines.append(f'| all | {sum(row)} | {" | ".join(map(str, row))} |')
    bad = [one for one in judgements if one.is_bad]
    if bad:
        lines += ['', '## What is not right', '']
        lines += [
            f'* {one.case.group}/{one.case.name}: {one.verdict} ('
            f'{one.detail[:200].replace("|", "/")})'
            for one in bad
        ]
    return '\n'.join(lines) + '\n'
