# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What is asked of the services: the Herschel Science Archive, ESASky, and VizieR.
"""

import io
import re
from contextlib import closing

import astropy.units as u
from astropy.io import votable

from photutils_pconv.archive.errors import ArchiveFormatError
from photutils_pconv.archive.queries import import_astroquery, make_tap, run_query

__all__ = [
    'ESASKY',
    'HSA',
    'VIZIER',
    'HsaTap',
    'data_url',
    'find_esasky_maps',
    'find_esasky_region',
    'make_vizier',
    'query_vizier',
]

HSA = 'The Herschel Science Archive'
ESASKY = 'ESASky'
VIZIER = 'VizieR'

# Without a TOP, astroquery gives 2000 rows at most, and says nothing. All PACS
# observations together are fewer than this.
_ALL_ROWS = 1_000_000
# The limits that are known of TAP services begin here.
_DOUBTFUL_ROWS = 2000


class HsaTap:
    """
    The tables of the Herschel Science Archive.

    Parameters
    ----------
    patience : `~photutils_pconv.archive.Patience`
        How long to wait, and how often to ask.
    """

    def __init__(self, patience):
        module = import_astroquery('esa.hsa')
        self.patience = patience
        tap, self._connections = make_tap(module.conf.METADATA_ACTION, patience)
        self._hsa = module.HSAClass(tap_handler=tap)

    def query(self, adql):
        """
        Run a query that has a TOP of its own.

        Parameters
        ----------
        adql : str
            The query.

        Returns
        -------
        table : `~astropy.table.Table`
            The answer.
        """
        with closing(self._connections):
            return run_query(
                lambda: self._hsa.query_hsa_tap(adql),
                patience=self.patience,
                service=HSA,
            )

    def select(self, columns, tables, condition):
        """
        Get all rows that fulfil a condition, and not some of them.

        Parameters
        ----------
        columns : sequence of str
            The columns.

        tables : str
            The table, or several with their JOIN.

        condition : str
            The condition.

        Returns
        -------
        table : `~astropy.table.Table`
            The rows.

        Raises
        ------
        ArchiveFormatError
            If the service keeps rows back.
        """
        rest = f'FROM {tables} WHERE {condition}'
        table = self.query(f'SELECT TOP {_ALL_ROWS} {", ".join(columns)} {rest}')
        if len(table) >= _DOUBTFUL_ROWS:
            counted = self.query(f'SELECT TOP 1 COUNT(*) AS how_many {rest}')
            number = int(counted[counted.colnames[0]][0])
            if number > len(table):
                msg = (
                    f'{HSA} found {number} rows and gave {len(table)}: ask for less, '
                    'such as a smaller radius.'
                )
                raise ArchiveFormatError(msg)
        return table

    def find_columns(self, table, wanted):
        """
        Look up what the columns of a table are called today.

        Parameters
        ----------
        table : str
            The table.

        wanted : dict of tuple of str
            The names that each column may have, the usual one first; whether
            it may be missing is said by a last name of ``''``.

        Returns
        -------
        names : dict of str or `None`
            The name of each.

        Raises
        ------
        ArchiveFormatError
            If a column is gone; the message lists those that there are.
        """
        found = self.query(
            f'SELECT TOP {_ALL_ROWS} column_name FROM tap_schema.columns '
            f"WHERE table_name = '{table}'"
        )
        there = [] if not found.colnames else [str(n) for n in found[found.colnames[0]]]
        known = {name.strip('"').lower(): name for name in there}
        if not known and not all('' in choices for choices in wanted.values()):
            msg = (
                f'{HSA} has no table {table} any more, which this version of '
                'photutils-pconv asks: look for a newer one.'
            )
            raise ArchiveFormatError(msg)
        names = {}
        for key, choices in wanted.items():
            hits = [known[name] for name in choices if name in known]
            if not hits and '' not in choices:
                msg = (
                    f'{HSA} has changed: its table {table} has no column '
                    f'{choices[0]!r} any more. It has: {", ".join(sorted(there))}. '
                    'Look for a newer photutils-pconv.'
                )
                raise ArchiveFormatError(msg)
            names[key] = hits[0] if hits else None
        return names


def data_url(obsid, level):
    """
    Give the address of an observation's products, as ``HSA.get_observation``.

    Parameters
    ----------
    obsid : str
        The observation.

    level : str
        The archive's name of the level, such as ``'LEVEL2_5'``.

    Returns
    -------
    url : str
        The address.
    """
    base = import_astroquery('esa.hsa').conf.DATA_ACTION
    return (
        f'{base}&retrieval_type=OBSERVATION&observation_id={obsid}'
        f'&instrument_name=PACS&product_level={level}'
    )


def find_esasky_maps(obsids, *, patience):
    """
    Ask ESASky for the single maps of observations.

    Parameters
    ----------
    obsids : sequence of str
        The observations.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait, and how often to ask.

    Returns
    -------
    table : `~astropy.table.Table` or `None`
        A row for each map, with whatever columns ESASky has; `None` if there
        is none.
    """
    return _ask_esasky(
        lambda esasky: esasky.query_ids_maps(
            observation_ids=list(obsids),
            missions=['Herschel'],
            # Without a limit it is 2000, as said above.
            row_limit=_ALL_ROWS,
            cache=False,
        ),
        patience,
    )


def find_esasky_region(position, radius, *, patience):
    """
    Ask ESASky for the maps whose footprints touch a circle.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord`
        The centre.

    radius : `~astropy.units.Quantity` or `None`
        The radius; `None` for the position alone.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait, and how often to ask.

    Returns
    -------
    table : `~astropy.table.Table` or `None`
        As `find_esasky_maps`.
    """
    return _ask_esasky(
        lambda esasky: esasky.query_region_maps(
            position,
            0 * u.deg if radius is None else radius,
            missions=['Herschel'],
            row_limit=_ALL_ROWS,
            cache=False,
        ),
        patience,
    )


def _ask_esasky(ask, patience):
    """Ask ESASky for its table of Herschel maps; give None if it has no row."""
    module = import_astroquery('esasky')
    tap, connections = make_tap(f'{module.conf.urlBase}/tap', patience, plus=True)
    esasky = module.ESASkyClass(tap_handler=tap)
    with closing(connections):
        found = run_query(lambda: ask(esasky), patience=patience, service=ESASKY)
    return found[0] if len(found) else None


def make_vizier(patience):
    """
    Make a VizieR that gives all columns of all rows.

    Parameters
    ----------
    patience : `~photutils_pconv.archive.Patience`
        How long to wait.

    Returns
    -------
    vizier : object
        An instance of astroquery's class.
    """
    module = import_astroquery('vizier')
    return module.VizierClass(columns=['**'], row_limit=-1, timeout=patience.timeout)


def query_vizier(vizier, centre, radius, catalogue, *, patience):
    """
    Ask VizieR for the tables of a catalogue within a circle.

    Parameters
    ----------
    vizier : object
        What `make_vizier` gave.

    centre : `~astropy.coordinates.SkyCoord`
        The centre.

    radius : `~astropy.units.Quantity`
        The radius.

    catalogue : str
        The catalogue's name at the CDS.

    patience : `~photutils_pconv.archive.Patience`
        How often to ask.

    Returns
    -------
    tables : dict of `~astropy.table.Table`
        Those that have sources there, by name.
    """

    def ask():
        answer = vizier.query_region_async(
            centre.icrs, radius=radius, catalog=catalogue, cache=False
        )
        # astroquery itself takes an error for an empty catalogue.
        answer.raise_for_status()
        return _read_tables(answer.content)

    return run_query(ask, patience=patience, service=VIZIER)


def _read_tables(content):
    """The tables of a VOTable that have rows, by name."""
    file = votable.parse(io.BytesIO(content), verify='ignore', invalid='mask')
    for info in [*file.infos, *(one for r in file.resources for one in r.infos)]:
        if re.match('(?i)error', f'{info.name}') or info.value == 'ERROR':
            msg = f'{info.value} {info.content or ""}'.strip()
            raise ValueError(msg)
    return {
        one.name: one.to_table(use_names_over_ids=True)
        for one in file.iter_tables()
        if one.name and len(one.array)
    }
