# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Joining tables of several maps.
"""

from astropy.table import vstack

__all__ = ['label_rows', 'stack_tables']


def label_rows(table, labels):
    """
    Put columns of one value each before those of a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    labels : dict
        The values, by the columns' names.

    Returns
    -------
    table : `~astropy.table.Table`
        A copy with the columns.
    """
    table = table.copy()
    for k, (name, value) in enumerate(labels.items()):
        table.add_column([value] * len(table), name=name, index=k)
    return table


def stack_tables(tables):
    """
    Stack the rows of tables, whose metadata may differ.

    Parameters
    ----------
    tables : sequence of `~astropy.table.Table`
        The tables.

    Returns
    -------
    table : `~astropy.table.Table`
        All rows.
    """
    return vstack(list(tables), metadata_conflicts='silent')
