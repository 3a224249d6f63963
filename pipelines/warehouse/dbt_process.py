"""The process dbt works in: it imports dbt and reads the project while others still work, then carries out one order.

Belongs here: what runs inside that process. Nothing of this package or of Dagster is imported, so that it starts fast.
When it ends, however it ends, the operating system takes back its memory and DuckDB's lock on the warehouse file.

    dbt_process.py PROJECT TARGET [PLACE]

It parses, then reads one order from standard input, a line of JSON: {"args": [...], "env": {...}}; the end of the input
ends the process. With PLACE it writes the manifest there first, and says so: {"parsed": {...}}.

Standard output is a line of JSON per result of a node, as dbt logs it, and at last one {"finished": {...}}.
"""

from __future__ import annotations

import gc

gc.disable()  # a fifth of the time that the imports take; the process is short

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from typing import Any, TextIO  # noqa: E402

import duckdb  # noqa: E402
from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: E402
from dbt.cli.main import dbtRunner, dbtRunnerResult  # noqa: E402
from dbt.contracts.graph.manifest import Manifest  # noqa: E402
from dbt_common.events.base_types import BaseEvent, EventLevel, EventMsg  # noqa: E402
from dbt_common.events.event_manager import EventManager  # noqa: E402
from dbt_common.events.functions import msg_to_dict  # noqa: E402

RESULT_EVENTS = {"LogModelResult", "LogSeedResult", "LogSnapshotResult", "LogTestResult"}
# Neither the package index nor the vendor is asked for anything; results reach us as events, not as log lines.
FLAGS = ("--no-version-check", "--no-send-anonymous-usage-stats", "--log-level", "none", "--log-level-file", "none")
NO_JSON = ("--no-write-json",)
STOPPED = 130


def main(project: str, target: str, place: str | None = None) -> None:
    """Parse the project, write its manifest to `place`, then carry out the order that arrives."""
    orders, results = _streams()
    _leave_out_debug_events()
    if place is None:
        result = parsed = dbtRunner().invoke([*FLAGS, *NO_JSON, "parse", *_places(project, target)])
    else:
        result = parsed = dbtRunner().invoke([*FLAGS, "parse", *_places(project, place)])
        print(json.dumps({"parsed": _outcome(parsed)}), file=results, flush=True)
    gc.freeze()
    gc.enable()
    if line := orders.readline():
        threading.Thread(target=_end_with, args=[orders], daemon=True).start()
        order = json.loads(line)
        os.environ.update(order["env"])
        if result.success:
            runner = dbtRunner(manifest=result.result, callbacks=[_Reporter(results)])
            result = runner.invoke([*FLAGS, *NO_JSON, *order["args"], *_places(project, target)])
        _close_warehouse()
    outcome = _outcome(result) | {"whole": parsed.success and _is_whole(parsed.result, result)}
    print(json.dumps({"finished": outcome}), file=results, flush=True)
    os._exit(0)  # nothing is left to tidy up, and tearing dbt's modules down takes half a second


def _places(project: str, target: str) -> list[str]:
    return ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]


class _Reporter:
    """Sends the result of a node when it is there. dbt calls from several threads."""

    def __init__(self, results: TextIO) -> None:
        self._results, self._lock = results, threading.Lock()

    def __call__(self, event: EventMsg) -> None:
        if event.info.name in RESULT_EVENTS:
            message = msg_to_dict(event)
            message["rows"], message["columns"] = _table(message["data"])
            with self._lock:
                print(json.dumps(message), file=self._results, flush=True)


def _table(data: dict[str, Any]) -> tuple[int | None, list[tuple[str, str]] | None]:
    """Rows and columns of the table that was just built: DuckDB keeps them, so it costs a millisecond."""
    node = data["node_info"]
    if node["materialized"] not in ("table", "incremental", "seed", "snapshot") or node["node_status"] != "success":
        return None, None
    handle = DuckDBConnectionManager.env().handle()
    try:
        cursor, name = handle.cursor(), node["node_relation"]["relation_name"]
        rows = cursor.execute(f"select count(*) from {name}").fetchone()[0]
        return rows, [(column, type_.lower()) for column, type_, *_ in cursor.execute(f"describe {name}").fetchall()]
    except duckdb.Error:
        return None, None
    finally:
        handle.close()


def _outcome(result: dbtRunnerResult) -> dict[str, Any]:
    """What became of the order: every node that did not succeed, with the words of the database."""
    nodes = getattr(result.result, "results", None) or []
    broken = [node for node in nodes if node.status in ("error", "runtime error", "fail", "partial success")]
    return {
        "success": result.success,
        "exception": str(result.exception) if result.exception else None,
        "skipped": sum(node.status == "skipped" for node in nodes),
        "broken": [
            {
                "unique_id": node.node.unique_id,
                "path": node.node.original_file_path,
                "status": str(node.status),
                "message": node.message,
                "compiled": node.node.compiled_path,
            }
            for node in broken
        ],
    }


def _is_whole(project: Manifest, result: dbtRunnerResult) -> bool:
    """Whether every model was carried out, and every test of a model or of what one reads, of the whole project."""
    models = {name: node for name, node in project.nodes.items() if node.resource_type == "model"}
    concerned = {*models, *(parent for node in models.values() for parent in node.depends_on_nodes)}
    tests = {
        name for name, node in project.nodes.items()
        if node.resource_type == "test" and concerned.intersection(node.depends_on_nodes)
    }  # fmt: skip
    return models.keys() | tests <= {node.node.unique_id for node in getattr(result.result, "results", None) or []}


def _close_warehouse() -> None:
    """Give the file back before the result is told: the write-ahead log is folded in, the lock is gone."""
    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager.env().close()


def _end_with(orders: TextIO) -> None:
    """Whoever ordered is gone or wants it stopped: end at once. DuckDB undoes what was not committed."""
    orders.read()
    os._exit(STOPPED)


def _leave_out_debug_events() -> None:
    """dbt makes 30 events of a node and wraps each in two messages. Nobody reads those for debugging."""
    fire = EventManager.fire_event

    def told(manager: EventManager, e: BaseEvent, level: EventLevel | None = None, *args: Any, **kwargs: Any) -> None:
        if (level or e.level_tag()) != EventLevel.DEBUG:
            fire(manager, e, level, *args, **kwargs)

    EventManager.fire_event = told


def _streams() -> tuple[TextIO, TextIO]:
    """Where orders come from and results go. What libraries print goes to standard error, not among the results."""
    orders = os.fdopen(os.dup(0), encoding="utf-8")
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return orders, results


if __name__ == "__main__":
    main(*sys.argv[1:])
