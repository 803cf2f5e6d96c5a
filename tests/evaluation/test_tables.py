# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of joining tables of several maps."""

from astropy.table import QTable

from photutils_pconv.evaluation.tables import label_rows, stack_tables


def test_labelled_and_stacked():
    one = QTable({'flux': [1.0, 2.0]}, units={'flux': 'Jy'}, meta={'a': 1})
    two = QTable({'flux': [3000.0]}, units={'flux': 'mJy'}, meta={'a': 2})
    labelled = [
        label_rows(table, {'map': name, 'setup': 'x'})
        for name, table in (('m', one), ('n', two))
    ]
    assert one.colnames == ['flux']
    joined = stack_tables(labelled)
    assert joined.colnames == ['map', 'setup', 'flux']
    assert list(joined['map']) == ['m', 'm', 'n']
    assert joined['flux'].to_value('Jy').tolist() == [1.0, 2.0, 3.0]
