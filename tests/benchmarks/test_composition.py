# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of a cleaned map's composition."""

import numpy as np
from astropy.table import Table


def test_report(load):
    """Figures of sources whose errors are known."""
    benchmark = load('composition')
    n = 40
    rng = np.random.default_rng(1)
    table = Table({'snr': np.repeat([8.0, 200.0], n), 'structure': np.full(2 * n, 2.0)})
    table['scatter'] = 4.0
    table['mismatch'] = np.repeat([0.2, 4.0], n)
    table['residual'] = np.repeat([1.0, 3.0], n)
    table['inpainted'] = 2.0
    for factor in benchmark.FACTORS:
        table[f'composed {factor}'] = 2.0 * factor
    table[f'composed {benchmark.KNOWN}'] = 1.0
    table['x_off'] = np.append(np.full(n, np.nan), rng.normal(0.0, 0.05, n))
    table['y_off'] = table['x_off']
    table['poor'] = np.arange(2 * n) == 0
    lines = benchmark.make_report(table).splitlines()
    assert '| 0 to 0.3 | 40 | 0.50 | 1.00 |' in lines
    assert '| 1.5 to 3 | 40 | 1.50 | 1.00 |' in lines
    assert '| sources | 40 | 0 | 0 | 40 | 0 |' in lines
    (composed,) = (line for line in lines if 'errors times 1.0' in line)
    assert composed.split(' | ')[1] == '0.500'
    (known,) = (line for line in lines if 'errors as they are' in line)
    assert known.split(' | ')[1] == '0.250'
    (poor,) = (line for line in lines if 'poor fits' in line)
    assert poor.split(' | ')[1] == '2.5'
    (position,) = (line for line in lines if 'position' in line)
    assert position.split(' | ')[1] == '-'
    assert abs(float(position.split(' | ')[4]) - 0.05) < 0.02
