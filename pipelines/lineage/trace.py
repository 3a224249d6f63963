"""What one compiled query reads: the origins of each of its columns, of its rows, and every table, by sqlglot.

Belongs here: SQL. Does not belong here: what follows over many models (`graph`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

_LAYERS = {"staging", "intermediate", "marts"}
_PLACE = re.compile(
    r".*/(?:lake/(?P<lake>[^/]+)/.*|(?P<folder>control|identity|relation|history)/(?P<file>\w+).*)\.parquet"
)
_DECIDES_ROWS = ("where", "joins", "group", "having", "qualify", "distinct", "limit")
ROWS = "(rows)"  # as a column of a table: which rows it has

Keys = Mapping[str, frozenset[str]]


@dataclass(frozen=True, order=True)
class Origin:
    """A column of a model, or of a contract's table."""

    table: str
    column: str


@dataclass(frozen=True)
class Trace:
    """What one model reads: origins of each of its columns, of what decides on its rows, and every table.

    `deciding` are the tables whose rows make rows of the model: all but those that are looked up by their key.
    """

    columns: dict[str, frozenset[Origin]]
    rows: frozenset[Origin]
    tables: frozenset[str]
    deciding: frozenset[str]


def named(contract_id: str) -> str:
    """What a contract's table is called in a lineage."""
    return contract_id.replace(".", "__")


def _with_names(tree: exp.Expression) -> exp.Expression:
    """Replace files and dbt's schemas by plain table names. Raises ValueError for a table of nobody."""

    def rename(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Table):
            return node
        if isinstance(node.this, exp.Func):
            found = _PLACE.fullmatch(node.this.find(exp.Literal).this)
            if found is None:
                raise ValueError(f"reads a file that no contract describes: {node.sql('duckdb')}")
            name = named(found["lake"] or f"{found['folder']}.{found['file']}")
        elif node.db in _LAYERS:
            name = node.name
        elif node.db:
            raise ValueError(f"reads a table outside the project: {node.sql('duckdb')}")
        else:
            return node
        return exp.alias_(exp.to_table(name), node.alias, table=True) if node.alias else exp.to_table(name)

    return tree.transform(rename, copy=False)


# Cached: a test traces a project again in which one model is another.
@cache
def parsed(sql: str) -> exp.Expression:
    """A query with its tables by their plain names. It is kept: not to be changed. Raises as `trace` does."""
    return _with_names(sqlglot.parse_one(sql, dialect="duckdb"))


@cache
def tables_in(sql: str) -> frozenset[str]:
    """Names of the tables that a query mentions, its own parts included."""
    return frozenset(table.name for table in parsed(sql).find_all(exp.Table))


@cache
def trace(sql: str, around: tuple[tuple[str, tuple[str, ...]], ...], known: frozenset[tuple[str, frozenset[str]]]
           ) -> Trace:  # fmt: skip
    """What `sql` reads. `around` are the columns of the tables that it reads, `known` the keys of models.

    Raises ValueError for a file or table of nobody, and for a column that belongs to no table.
    """
    schema, keys = {table: dict.fromkeys(columns, "varchar") for table, columns in around}, dict(known)
    qualified = qualify(parsed(sql).copy(), dialect="duckdb", schema=schema, quote_identifiers=False)
    root = build_scope(qualified)
    assert root is not None
    scopes = list(root.traverse())
    resolver = _Resolver(scopes, keys)
    columns = {name: resolver.output(root, n) for n, name in enumerate(qualified.named_selects)}
    rows = frozenset().union(*(resolver.deciding(scope) for scope in scopes))
    read = [
        (source.name, alias in resolver.looked_up(scope))
        for scope in scopes
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table)
    ]
    deciding = frozenset(table for table, looked_up in read if not looked_up)
    return Trace(columns, rows, frozenset(table for table, _ in read), deciding)


@cache
def adds_up_deliveries(sql: str) -> bool:
    """Whether every row of a model is a total of a whole delivery: by source and date, with no other choice of rows."""
    selects = list(parsed(sql).find_all(exp.Select))
    return bool(selects) and all(map(_is_total, selects))


def _is_total(select: exp.Select) -> bool:
    group, where = select.args.get("group"), select.args.get("where")
    looked_at = {column.name for column in where.find_all(exp.Column)} if where else set()
    return (
        group is not None
        and [column.sql() for column in group.expressions] == ["source", "business_date"]
        and looked_at <= {"business_date"}
        and not any(select.args.get(part) for part in ("joins", "having", "qualify", "windows", "laterals"))
    )


class Reader:
    """What a lineage asks of the SQL of one model."""

    def tables_in(self, sql: str) -> frozenset[str]:
        """Names of the tables that a query mentions."""
        return tables_in(sql)

    def adds_up_deliveries(self, sql: str) -> bool:
        """Whether a query adds up whole deliveries and does nothing else."""
        return adds_up_deliveries(sql)

    def trace(
        self, sql: str, around: tuple[tuple[str, tuple[str, ...]], ...], keys: frozenset[tuple[str, frozenset[str]]]
    ) -> Trace:
        """What a query reads, by the columns and keys of the tables that it mentions."""
        return trace(sql, around, keys)


class _Resolver:
    """Follows columns through the scopes of one query to the tables it reads."""

    def __init__(self, scopes: list[Scope], keys: Keys) -> None:
        self._scopes = {id(scope.expression): scope for scope in scopes}
        self._keys = keys
        self._known: dict[tuple[int, int], frozenset[Origin]] = {}
        self._looked_up: dict[int, dict[str, tuple[exp.Join, dict[str, exp.Expression]]]] = {}

    def output(self, scope: Scope, position: int) -> frozenset[Origin]:
        """Origins of the output column at `position` of a scope."""
        key = (id(scope.expression), position)
        if key not in self._known:
            if isinstance(scope.expression, exp.SetOperation):
                branches = (self.output(branch, position) for branch in scope.set_operation_scopes)
                self._known[key] = frozenset().union(*branches)
            else:
                self._known[key] = self._origins(scope.expression.selects[position])
        return self._known[key]

    def deciding(self, scope: Scope) -> frozenset[Origin]:
        """Origins of what the clauses of a scope look at to decide on its rows."""
        parts = (scope.expression.args.get(clause) for clause in _DECIDES_ROWS)
        aside = {id(join) for join, _ in self.looked_up(scope).values()}
        deciding = (one for part in parts for one in _listed(part) if id(one) not in aside)
        return frozenset().union(*(self._origins(one) for one in deciding))

    def looked_up(self, scope: Scope) -> dict[str, tuple[exp.Join, dict[str, exp.Expression]]]:
        """Joins that neither drop nor add rows, by the joined table's alias, with what its key is compared to."""
        if (known := self._looked_up.get(id(scope))) is not None:
            return known
        found = self._looked_up[id(scope)] = {}
        for join in _listed(scope.expression.args.get("joins")):
            alias = join.alias_or_name
            source = scope.sources.get(alias)
            if join.side.upper() == "LEFT" and not join.kind and isinstance(source, exp.Table):
                compared = _compared(join, alias)
                if compared and compared.keys() == self._keys.get(source.name):
                    found[alias] = (join, compared)
        return found

    def _origins(self, expression: exp.Expression) -> frozenset[Origin]:
        found = [self._of_column(column) for column in expression.find_all(exp.Column)]
        # count(*) names no column: what it comes to is decided by what is counted.
        counted = (count for count in expression.find_all(exp.Count) if isinstance(count.this, exp.Star))
        found += [self._counted(self._scopes[id(count.parent_select)]) for count in counted]
        return frozenset().union(*found)

    def _counted(self, scope: Scope) -> frozenset[Origin]:
        read = [source for _, source in scope.selected_sources.values() if isinstance(source, Scope)]
        return self.deciding(scope).union(*(self._counted(inner) for inner in (*read, *scope.set_operation_scopes)))

    def _of_column(self, column: exp.Column) -> frozenset[Origin]:
        scope: Scope | None = self._scopes[id(column.parent_select)]
        while scope is not None and column.table not in scope.sources:
            scope = scope.parent
        if scope is None:
            raise ValueError(f"{column.sql()} belongs to no table")
        source = scope.sources[column.table]
        if isinstance(source, exp.Table):
            found = frozenset([Origin(source.name, column.name)])
            if column.table not in (looked_up := self.looked_up(scope)):
                return found
            # Whether there is a row to take the value from is part of the value.
            _, compared = looked_up[column.table]
            found |= {Origin(source.name, name) for name in (ROWS, *compared)}
            return found.union(*(self._origins(other) for other in compared.values()))
        return self.output(source, source.expression.named_selects.index(column.name))


def _listed(part: object) -> list[exp.Expression]:
    return [one for one in (part if isinstance(part, list) else [part]) if isinstance(one, exp.Expression)]


def _compared(join: exp.Join, alias: str) -> dict[str, exp.Expression] | None:
    """What each column of `alias` must equal, where the condition of a join is nothing but that; else None."""
    found: dict[str, exp.Expression] = {}
    condition = join.args.get("on")
    for one in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        sides = [one.this, one.expression] if isinstance(one, exp.EQ) else []
        mine = [side for side in sides if isinstance(side, exp.Column) and side.table == alias]
        others = [side for side in sides if alias not in {column.table for column in side.find_all(exp.Column)}]
        if len(mine) != 1 or len(others) != 1 or mine[0].name in found:
            return None
        found[mine[0].name] = others[0]
    return found
