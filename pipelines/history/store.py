"""The history on disk: one directory per release that changed or stated something, with a file of changes per mart.

A directory is written whole under another name, `.pending_…`, before its release exists, and takes its own name once it
does: only then it counts. Nothing in it is ever changed. Only this module writes below the history of a home.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.history.shape import Shape, read_shape
from pipelines.ingest.sql import pattern
from pipelines.settings import PRIVATE_FILE, Home, make_directory, make_durable, write_private

_PENDING, _BUILDING, _TOLD, _GROUPS = ".pending_", ".building_", "statement.json", ".groups"


@dataclass(frozen=True)
class Statement:
    """What one release stated: which business dates, each with a hash of the landings it rests on, of which marts."""

    sequence: int
    release: str
    business_date: date
    stated: dict[date, str]
    shapes: dict[str, Shape]

    @property
    def name(self) -> str:
        """Name of its directory; names sort as the statements were made."""
        return f"{self.sequence:08d}_{self.release}"

    def told(self) -> bytes:
        """As it is written."""
        text: dict[str, Any] = asdict(self) | {
            "business_date": self.business_date.isoformat(),
            "stated": {day.isoformat(): basis for day, basis in sorted(self.stated.items())},
            "shapes": {table: shape.as_json() for table, shape in sorted(self.shapes.items())},
        }
        return (json.dumps(text, sort_keys=True, indent=1) + "\n").encode()


def statements(home: Home) -> list[Statement]:
    """Every statement that counts, as they were made."""
    places = sorted(path for path in _folder(home).glob("[0-9]*") if path.is_dir())
    return [_read(path) for path in places]


def write(home: Home, statement: Statement, found: dict[str, tuple[pa.Table, pa.Table]]) -> Path:
    """Put a statement down durably, with changes and groups of each mart by table; it does not count yet."""
    building = make_directory(make_directory(_folder(home)) / f"{_BUILDING}{statement.name}")
    for table, (rows, groups) in sorted(found.items()):
        _write(building / f"{table}.parquet", rows)
        _write(building / f"{table}{_GROUPS}.parquet", groups)
    write_private(building / _TOLD, statement.told())
    make_durable(building)
    pending = building.rename(building.with_name(f"{_PENDING}{statement.name}"))
    make_durable(pending.parent)
    return pending


def count(pending: Path) -> None:
    """Let a statement count from now on: its release is there."""
    pending.rename(pending.with_name(pending.name.removeprefix(_PENDING)))
    make_durable(pending.parent)


def settle(home: Home, is_published: Callable[[str], bool]) -> None:
    """Bring to an end what a run that died left: a statement counts where its release exists, and is gone elsewhere."""
    for building in _folder(home).glob(f"{_BUILDING}*"):
        shutil.rmtree(building)
    for pending in sorted(_folder(home).glob(f"{_PENDING}*")):
        if is_published(_read(pending).release):
            count(pending)
        else:
            shutil.rmtree(pending)


@contextmanager
def engine(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; what does not fit there is spilled into the home."""
    with closing(duckdb.connect(":memory:", config={"temp_directory": str(home.history / ".spill")})) as con:
        yield con


def changes_of(home: Home, table: str) -> str:
    """SQL for every change of a mart's history that counts, with `_sequence`; only where there is a statement of it."""
    return f"read_parquet('{pattern(_folder(home))}/[0-9]*/{table}.parquet', union_by_name=true)"


def groups_of(home: Home, table: str, statement: Statement) -> str:
    """SQL for what the groups of a mart are worth on each date of a statement."""
    return f"read_parquet('{pattern(_folder(home))}/{statement.name}/{table}{_GROUPS}.parquet')"


def _folder(home: Home) -> Path:
    return home.history / "changes"


def _read(path: Path) -> Statement:
    told = json.loads((path / _TOLD).read_bytes())
    return Statement(
        told["sequence"],
        told["release"],
        date.fromisoformat(told["business_date"]),
        {date.fromisoformat(day): basis for day, basis in told["stated"].items()},
        {table: read_shape(table, shape) for table, shape in told["shapes"].items()},
    )


def _write(path: Path, rows: pa.Table) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        pq.write_table(rows.combine_chunks(), file, compression="zstd", store_schema=False)
        file.flush()
        os.fsync(file.fileno())
