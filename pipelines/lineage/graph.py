"""The lineage of a project: all of its models, each traced to what it reads, and from there on to contracts.

Belongs here: what descends from what. Does not belong here: what may descend from what (`purpose`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter

from pipelines.contracts.arrow import LAKE_COLUMNS
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.lineage.trace import ROWS, Keys, Origin, Reader, Trace, named

LEDGER = "control.landing"


class Lineage:
    """All models of a project, each traced to what it reads directly, and from there on to contracts.

    `keys` are the models of which a test says that a key identifies a row. A left join to one of them on exactly that
    key neither drops nor adds a row, so it does not decide on rows; but whether the looked-up row is there decides on
    the value of every column taken from it. `reader` reads the SQL.

    A Python step writes a table with a contract that declares the columns it is made from (`inputs`). A model that adds
    up whole deliveries, by source and date and nothing else, descends from the ledger, which holds the same totals.
    """

    def __init__(self, models: Mapping[str, str], catalog: Catalog, keys: Keys, reader: Reader | None = None) -> None:
        self.contracts: dict[str, Contract] = {named(contract.id): contract for contract in _readable(catalog)}
        self.traces: dict[str, Trace] = _traced(models, self.contracts, keys, reader or Reader())
        self.parents = cache(self._parents)
        self.reach = cache(self._reach)
        self.ancestors = cache(self._ancestors)
        self.row_ancestors = cache(self._row_ancestors)
        self.tables = cache(self._tables)

    def _parents(self, origin: Origin) -> frozenset[Origin]:
        """The columns that `origin` is made from directly; none for what was delivered."""
        if (contract := self.contracts.get(origin.table)) is not None:
            return _declared(contract, origin.column, self.contracts)
        if origin.column == ROWS:
            trace_ = self.traces[origin.table]
            return trace_.rows | {Origin(table, ROWS) for table in trace_.deciding if table in self.traces}
        return self.traces[origin.table].columns[origin.column]

    def path(self, origin: Origin, wanted: Iterable[Origin], around: Collection[Origin] = ()) -> list[Origin]:
        """A shortest way from `origin` back to one of `wanted`, both included; empty where there is none.

        It does not lead through a column of `around`.
        """
        goals, open_ = set(wanted), deque([(origin,)])
        seen = {origin}
        while open_:
            way = open_.popleft()
            if way[-1] in goals:
                return list(way)
            for parent in sorted(self.parents(way[-1]) - seen) if way[-1] not in around else ():
                seen.add(parent)
                open_.append((*way, parent))
        return []

    def _reach(self, origin: Origin, released: frozenset[Origin]) -> frozenset[Origin]:
        """`origin` and every column it descends from, not looking behind those that are `released`."""
        behind = () if origin in released else self.parents(origin)
        return frozenset([origin]).union(*(self.reach(parent, released) for parent in behind))

    def _ancestors(self, origin: Origin) -> frozenset[Origin]:
        """Every column that the value of `origin` descends from, itself included."""
        if origin.column == ROWS:
            return self.row_ancestors(origin.table)
        return frozenset([origin]).union(*(self.ancestors(parent) for parent in self.parents(origin)))

    def _row_ancestors(self, model: str) -> frozenset[Origin]:
        """Every column that a join, a filter or a grouping on the way to `model` looks at."""
        if model not in self.traces:
            return frozenset()
        looked_at = frozenset().union(*(self.ancestors(origin) for origin in self.traces[model].rows))
        return looked_at.union(*(self.row_ancestors(table) for table in self.traces[model].deciding))

    def _tables(self, model: str) -> frozenset[str]:
        """Every table on the way to `model`, whatever is read of it."""
        if model not in self.traces:
            return frozenset([model])
        return frozenset([model]).union(*(self.tables(table) for table in self.traces[model].tables))


def _traced(
    models: Mapping[str, str], contracts: Mapping[str, Contract], keys: Keys, reader: Reader
) -> dict[str, Trace]:
    schema = {name: _columns(contract) for name, contract in contracts.items()}
    mentioned = {name: reader.tables_in(sql) for name, sql in models.items()}
    found: dict[str, Trace] = {}
    for name in TopologicalSorter({name: some & models.keys() for name, some in mentioned.items()}).static_order():
        around = tuple((table, schema[table]) for table in sorted(mentioned[name] & schema.keys()))
        of_them = frozenset((table, key) for table, key in keys.items() if table in mentioned[name])
        found[name] = reader.trace(models[name], around, of_them)
        schema[name] = tuple(found[name].columns)
        if reader.adds_up_deliveries(models[name]):
            found[name] = _of_the_ledger(found[name], contracts[named(LEDGER)])
    return found


def _of_the_ledger(trace_: Trace, ledger: Contract) -> Trace:
    table = named(ledger.id)
    origins = frozenset(Origin(table, column.name) for column in ledger.columns)
    return Trace(dict.fromkeys(trace_.columns, origins), frozenset(), frozenset([table]), frozenset())


def _readable(catalog: Catalog) -> list[Contract]:
    return [*catalog.sources.values(), *catalog.derived.values()]


def _columns(contract: Contract) -> tuple[str, ...]:
    names = [column.lake_name if contract.kind == "source" else column.name for column in contract.columns]
    if contract.kind == "source":
        names += [*(name for name, _ in LAKE_COLUMNS), "source", "business_date"]
    return tuple(names)


def _declared(contract: Contract, name: str, contracts: Mapping[str, Contract]) -> frozenset[Origin]:
    """The inputs that a derived contract declares of a column, as columns of tables."""
    inputs = next((column.inputs for column in contract.columns if column.name == name), ())
    found = set()
    for one in inputs if contract.kind == "derived" else ():
        parent, _, column = one.rpartition(".")
        of = contracts[named(parent)]
        found.add(Origin(named(parent), of.column(column).lake_name if of.kind == "source" else column))
    return frozenset(found)
