"""Traces that are kept from one night to the next: compiled SQL changes with the project, its dates every night.

Belongs here: what a trace follows from, and the file that traces are kept in. Does not belong here: tracing (`trace`),
and where a home has that file (`compiled`).

A trace is kept under a digest of all that it follows from: the SQL of one model, columns and keys of the tables that
it reads, sqlglot, and the code of this package. Whatever is damaged or of another version is traced anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot

from pipelines.lineage.trace import Origin, Reader, Trace
from pipelines.settings import write_private

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_Around = tuple[tuple[str, tuple[str, ...]], ...]
_Keys = frozenset[tuple[str, frozenset[str]]]


class Kept(Reader):
    """Reads SQL, and what it has read before from the file at `place`. The path of the `home` in SQL says nothing."""

    def __init__(self, place: Path, home: Path) -> None:
        self._place, self._home = place, str(home)
        self._known = _read(place)
        self._used: dict[str, Any] = {}

    def tables_in(self, sql: str) -> frozenset[str]:
        """As `Reader` has it."""
        return frozenset(self._told("tables", sql, lambda: sorted(super(Kept, self).tables_in(sql))))

    def adds_up_deliveries(self, sql: str) -> bool:
        """As `Reader` has it."""
        return self._told("total", sql, lambda: super(Kept, self).adds_up_deliveries(sql))

    def trace(self, sql: str, around: _Around, keys: _Keys) -> Trace:
        """As `Reader` has it."""
        beside = [around, sorted((name, sorted(key)) for name, key in keys)]
        return _trace(self._told("trace", sql, lambda: _plain(super(Kept, self).trace(sql, around, keys)), *beside))

    def write(self) -> None:
        """Keep what was used since this was made, and nothing else."""
        if self._used.keys() != self._known.keys():
            write_private(self._place, _json({"sha256": _sha256(_json(self._used)), "traces": self._used}))

    def _told(self, what: str, sql: str, read: Any, *beside: Any) -> Any:
        text = _DATE.sub("date", sql.replace(self._home, "home"))
        made_from = _sha256(_json([_version(), what, text, *beside]))
        if made_from not in self._used:
            self._used[made_from] = self._known[made_from] if made_from in self._known else read()
        return self._used[made_from]


@cache
def _version(package: Path = Path(__file__).parent) -> str:
    """Of what reads SQL: another one may read it in another way."""
    code = b"".join(path.read_bytes() for path in sorted(package.glob("*.py")))
    return f"sqlglot {sqlglot.__version__}, {_sha256(code)}"


def _read(place: Path) -> dict[str, Any]:
    """What is kept at `place`; nothing where it is not what was written there."""
    try:
        kept = json.loads(place.read_bytes())
        return kept["traces"] if kept["sha256"] == _sha256(_json(kept["traces"])) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _plain(trace: Trace) -> dict[str, Any]:
    return {
        "columns": [[name, _listed(origins)] for name, origins in trace.columns.items()],
        "rows": _listed(trace.rows),
        "tables": sorted(trace.tables),
        "deciding": sorted(trace.deciding),
    }


def _trace(plain: dict[str, Any]) -> Trace:
    columns = {name: _origins(listed) for name, listed in plain["columns"]}
    return Trace(columns, _origins(plain["rows"]), frozenset(plain["tables"]), frozenset(plain["deciding"]))


def _listed(origins: frozenset[Origin]) -> list[list[str]]:
    return sorted([origin.table, origin.column] for origin in origins)


def _origins(listed: list[list[str]]) -> frozenset[Origin]:
    return frozenset(Origin(table, column) for table, column in listed)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
