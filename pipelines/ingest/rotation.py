"""Rotation: every token of the lake made anew under the next version of the token keys, or none of them.

What belongs here: the files that hold tokens or their hashes (lake, ledger), how they are replaced together, and what
is done about a rotation that was killed. What does not: keys (`pipelines.vault`); what is computed from the lake
(warehouse, crosswalk), which the next run makes anew because the hashes of what was landed have changed.

The new files are built in the vault. `ready.json` there is the moment at which the rotation counts: before it, nothing
has happened; after it, files take their places until none is left, whoever does it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import lake, ledger
from pipelines.settings import Home, InputError, make_directory, write_private
from pipelines.vault import key_file, store
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import with_tokens


@dataclass(frozen=True)
class Rotated:
    """What a rotation did. `tokens` counts cells of the lake."""

    version: int
    files: int
    tokens: int


def rotate(catalog: Catalog, home: Home, from_environment: str | None) -> Rotated:
    """Move the home to the next version of the token keys. The run lock must be held, and `recover` have been called.

    A key file gets a secret for it; in the environment it must stand already. Raises InputError, with nothing changed,
    where it does not, or where the vault store does not explain a token of the lake.
    """
    ring = KeyRing.of_home(home.vault, from_environment)
    if ring.newest == ring.version:
        if from_environment is not None:
            raise InputError(
                f"{key_file.VARIABLE} has {ring.newest} keys, and version {ring.version} is in use: add a new one at "
                f"the end, after a comma, as `openssl rand -hex 32` prints it; keep those before it"
            )
        key_file.append(home.vault)
        ring = KeyRing.of_home(home.vault, from_environment)
    to = ring.at(ring.version + 1)
    built = make_directory(_room(home)) / "files"
    try:
        made, tokens = _build(catalog, home, ring, to, built)
    except Exception:
        recover(home)
        raise
    write_private(_room(home) / "ready.json", json.dumps(vars(to.token_version())).encode())
    recover(home)
    return Rotated(to.version, len(made), tokens)


def recover(home: Home) -> bool:
    """Finish a rotation that was killed, or undo it where nothing has changed yet. Returns whether it was finished."""
    room = _room(home)
    ready = room / "ready.json"
    finished = ready.exists()
    if finished:
        built = room / "files"
        for path in sorted(each for each in built.rglob("*") if each.is_file()):
            path.replace(home.path / path.relative_to(built))
        key_file.write_token_version(home.vault, key_file.TokenVersion(**json.loads(ready.read_text())))
        ready.unlink()
    shutil.rmtree(room, ignore_errors=True)
    return finished


def is_interrupted(home: Home) -> bool:
    """Whether a rotation was killed after it began to count."""
    return (_room(home) / "ready.json").exists()


def _room(home: Home) -> Path:
    return home.vault / "rotation"


def _build(catalog: Catalog, home: Home, ring: KeyRing, to: KeyRing, built: Path) -> tuple[dict[Path, str], int]:
    """Make every file that changes, at its place below `built`; returns the hash of each lake file, and the tokens."""
    made: dict[Path, str] = {}
    tokens = 0
    for contract in catalog.sources.values():
        names = [column.lake_name for column in contract.columns if column.identifier]
        for source, day, path in _landed(home, contract) if names else ():
            with pq.ParquetFile(path) as file:
                rows = file.read()
            values = store.read_values(home, ring, contract.id, source, day)
            renamed, count = _renamed(rows, names, values, to, f"{contract.id} of {source}, {day}")
            if count:
                new = built / path.relative_to(home.path)
                lake.write_parquet(new, renamed)
                made[path], tokens = hashlib.sha256(new.read_bytes()).hexdigest(), tokens + count
    for path in sorted((home.control / "landing").glob("*.*.parquet")):
        _restate(home, path, made, built)
    return made, tokens


def _landed(home: Home, contract: Contract) -> Iterator[tuple[str, date, Path]]:
    for path in sorted((home.lake / contract.id).glob("source=[!_]*/business_date=*/part.parquet")):
        source, day = (part.partition("=")[2] for part in path.parts[-3:-1])
        yield source, date.fromisoformat(day), path


def _renamed(rows: pa.Table, names: list[str], values: pl.DataFrame, to: KeyRing, what: str) -> tuple[pa.Table, int]:
    """`rows` with the tokens of `values` under `to` instead of those that they have, and how many there are."""
    new = with_tokens(values.select("kind", "value", old="token"), to)
    count = 0
    for name in names:
        if name not in rows.column_names:
            continue  # landed before the contract had the column
        place, given = rows.column_names.index(name), pl.Series(name, rows.column(name)).cast(pl.String)
        found = given.to_frame().join(new, left_on=name, right_on="old", how="left", maintain_order="left")["token"]
        if unknown := found.null_count() - given.null_count():
            raise InputError(
                f"{what}: the vault store does not explain {unknown} tokens in {name}. Run the night again; if it was "
                f"landed by an earlier release of the platform, `zhongtai backfill`, which lands it anew. Then rotate"
            )
        field = rows.schema.field(name)
        rows = rows.set_column(place, field, found.to_arrow().cast(field.type))
        count += len(given) - given.null_count()
    return rows, count


def _restate(home: Home, path: Path, made: dict[Path, str], built: Path) -> None:
    """Let the ledger at `path` tell of the new files, where one of them is its own."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    landings = [
        replace(one, landed_sha256=new)
        if (new := made.get(lake.partition(home.lake, one.contract, one.source, one.business_date)))
        and one.landed_sha256 is not None
        else one
        for one in ledger.read(path)
    ]
    if landings != ledger.read(path):
        rows = [vars(landing) for landing in landings]
        lake.write_parquet(built / path.relative_to(home.path), pa.Table.from_pylist(rows, schema=schema))
