"""Runs the suites of a candidate with Great Expectations, by SQL on DuckDB.

Great Expectations is imported here and by `data_docs` alone, and late: the import takes seconds, so `preload` can be
started while something else runs. It gives verdicts; what was seen is put into words by `failures`.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from pipelines.audit.failures import broken_row
from pipelines.audit.gates import State
from pipelines.audit.tables import Table, Tables, view_statements, without_values
from pipelines.contracts.expectations import Expectation

_CHECK = "check"
_OF_TABLES = ("columns", "key")  # kinds that no single row breaks
_ALL = "every row"
_lock = threading.Lock()
_databases = itertools.count()


class _Dialect(StrEnum):
    DUCKDB = "duckdb"


def preload() -> None:
    """Import Great Expectations and teach it DuckDB. Safe to call from any thread, any number of times."""
    with _lock:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        # Without one connection that stays open every query result is gone before it is read.
        from great_expectations.execution_engine import sqlalchemy_execution_engine as execution

        if _Dialect.DUCKDB not in execution._PERSISTED_CONNECTION_DIALECTS:
            execution._PERSISTED_CONNECTION_DIALECTS += (_Dialect.DUCKDB,)
        # It reports a failing query with its text and values; what may be said of one is said in the evidence.
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)


def preload_in_background() -> threading.Thread:
    """Start `preload` beside what the caller does next; a failing import is reported by whoever needs it."""

    def attempt() -> None:
        with contextlib.suppress(ImportError):
            preload()

    thread = threading.Thread(target=attempt, name="preload-great-expectations", daemon=True)
    thread.start()
    return thread


def validate(
    tables: Tables, suites: Mapping[str, Iterable[Expectation]], business_date: date
) -> dict[str, tuple[State, str]]:
    """State of every expectation by id, with the reason where it was not audited."""
    found: dict[str, tuple[State, str]] = {}
    with opened(tables) as (gx, source):
        for product_id, suite in suites.items():
            table = tables.by_product[product_id]
            found |= _validate_table(gx, source, table, list(suite), business_date)
    return found


@contextlib.contextmanager
def opened(tables: Tables) -> Iterator[tuple[Any, Any]]:
    """Great Expectations, and a source with an asset per usable product, of a context that leaves no file."""
    preload()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource, TableAsset
    from sqlalchemy import create_engine

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    # A database in memory has no lock and leaves no file; its name makes it one for all connections.
    url = f"duckdb:///:memory:audit_{os.getpid()}_{next(_databases)}"

    def options() -> dict[str, Any]:
        # Each statement on its own: a failing check must not abort the transaction of the others.
        return {"connect_args": {"config": dict(tables.config)}, "isolation_level": "AUTOCOMMIT"}

    with contextlib.ExitStack() as stack:
        engine = create_engine(url, **options())
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
        for statement in view_statements(tables):
            connection.exec_driver_sql(statement)
        # All assets at once: whenever one is added, the context writes out everything that it has.
        assets = [TableAsset(name=table.contract.id, table_name=table.view) for table in tables.usable()]
        source = context.data_sources.add_sql(
            SQLDatasource(name="candidate", connection_string=url, kwargs=options(), assets=assets)
        )
        execution = source.get_execution_engine()
        for end in (source.get_engine().dispose, execution.engine.dispose, execution.close):
            stack.callback(end)
        yield gx, source


def _validate_table(
    gx: Any, source: Any, table: Table, suite: list[Expectation], business_date: date
) -> dict[str, tuple[State, str]]:
    found: dict[str, tuple[State, str]] = {}
    asked = []
    for expectation in suite:
        if reason := table.unusable(expectation.columns if expectation.kind != "columns" else ()):
            found[expectation.id] = ("not_audited", reason)
        else:
            asked.append(expectation)
    if not asked:
        return found
    asset = source.get_asset(table.contract.id)
    batch = asset.get_batch(asset.build_batch_request())

    def objects(expectations: Iterable[Expectation]) -> dict[str, Any]:
        return {each.id: as_gx(gx, each, table, business_date) for each in expectations}

    of_rows = [each for each in asked if each.kind not in _OF_TABLES]
    if of_rows:
        # Mostly no row breaks anything: one query asks of all of them, and each is asked alone where it finds a row.
        broken = " or ".join(f"({broken_row(each, table, business_date)})" for each in of_rows)
        others = objects(each for each in asked if each.kind in _OF_TABLES)
        seen = _verdicts(gx, batch, others | {_ALL: _unexpected(gx, f"where {broken}", _ALL)})
        if seen.pop(_ALL)[0] == "passed":
            return found | seen | {each.id: ("passed", "") for each in of_rows}
    return found | _verdicts(gx, batch, objects(asked))


def _verdicts(gx: Any, batch: Any, objects: Mapping[str, Any]) -> dict[str, tuple[State, str]]:
    suite = gx.ExpectationSuite(name="asked", expectations=list(objects.values()))
    outcome = batch.validate(suite, result_format="BOOLEAN_ONLY")
    found = {result.expectation_config.meta[_CHECK]: _state(result) for result in outcome.results}
    # A query that aborts the whole evaluation leaves expectations without any result.
    return {check: found.get(check, ("not_audited", "the engine gave no result")) for check in objects}


def as_gx(gx: Any, expectation: Expectation, table: Table, business_date: date) -> Any:
    """An expectation of ours as one of Great Expectations, that tells its id as meta."""
    meta, expect = {_CHECK: expectation.id}, gx.expectations
    columns, arguments = list(expectation.columns), expectation.arguments
    match expectation.kind:
        case "columns":
            return expect.ExpectTableColumnsToMatchOrderedList(column_list=columns, meta=meta)
        case "required":
            return expect.ExpectColumnValuesToNotBeNull(column=columns[0], meta=meta)
        case "values":
            return expect.ExpectColumnValuesToBeInSet(column=columns[0], value_set=list(arguments["values"]), meta=meta)
        case "range":
            limits = {"min_value": arguments["minimum"], "max_value": arguments["maximum"]}
            return expect.ExpectColumnValuesToBeBetween(column=columns[0], **limits, meta=meta)
        case "key":
            # Its own expectation for this joins the table with its groups: three times the cost.
            condition = f"group by {', '.join(columns)} having count(*) > 1"
        case _:
            condition = f"where {broken_row(expectation, table, business_date)}"
    return _unexpected(gx, condition, expectation.id)


def _unexpected(gx: Any, condition: str, check: str) -> Any:
    # Great Expectations fills placeholders in braces, so those of the condition are doubled.
    query = "select 1 from {batch} " + condition.replace("{", "{{").replace("}", "}}")
    return gx.expectations.UnexpectedRowsExpectation(unexpected_rows_query=query, meta={_CHECK: check})


def _state(result: Any) -> tuple[State, str]:
    if reason := _exception(result.exception_info or {}):
        return "not_audited", reason
    return ("passed", "") if result.success else ("failed", "")


def _exception(info: Mapping[str, Any]) -> str:
    """The message of an exception: given directly, or for each metric that could not be computed."""
    details = [info] if "raised_exception" in info else [d for d in info.values() if isinstance(d, Mapping)]
    raised = [str(d.get("exception_message") or "an exception") for d in details if d.get("raised_exception")]
    return "; ".join(sorted({without_values(message) for message in raised}))
