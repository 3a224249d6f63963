"""dbt's manifest, from which Dagster's assets are defined: parsed again only when the dbt project changed.

Belongs here: when the manifest is fresh and where it lies. Columns of marts and sources come from data_contracts/, but
by way of generated files in the dbt project; so the project alone decides.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from pipelines.settings import PASSAGE_DIR, make_directory, runs
from pipelines.warehouse.run import Dbt

_READ = {".sql", ".yml", ".yaml", ".csv", ".md", ".py"}
_NOT_OURS = {"target", "logs"}
_PARSED = "partial_parse.msgpack"
_PLACE = ".parse-"  # how the names begin of directories that are parsed into


def begin(dbt: Dbt) -> None:
    """Start dbt in the background: to wait for a build, and to write a manifest before where there is no fresh one."""
    if dbt.started:
        return
    wanted, place = _wanted(dbt), None
    if not wanted.exists():
        for left in dbt.home.dbt.glob(f"{_PLACE}*"):
            if not runs(left.name.removeprefix(_PLACE).partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        place = Path(tempfile.mkdtemp(prefix=f"{_PLACE}{os.getpid()}-{wanted.stem}-", dir=dbt.home.dbt))
        if (dbt.target / _PARSED).exists():
            shutil.copyfile(dbt.target / _PARSED, place / _PARSED)
    dbt.start(place)


def manifest(dbt: Dbt) -> Path:
    """The manifest of the project as it is now, for the home of `dbt`.

    Its name carries the digest of what it was parsed from: one that exists is fresh, and a reader never sees half of
    it. Takes milliseconds then, and some seconds of dbt where a file changed or the home is new. Where dbt was started
    it waits for a build afterwards, with the project as it is now.
    """
    wanted, waited, place = _wanted(dbt), dbt.started, dbt.parses_into
    if place is None and wanted.exists():
        return wanted
    if place is None or f"-{wanted.stem}-" not in place.name:
        dbt.close()  # what it has read is not what there is now
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
        begin(dbt)
    if (place := dbt.parses_into) is not None:
        try:
            dbt.parsed()
            _put(place, dbt, wanted)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    if not waited:
        dbt.close()
    return wanted


def _wanted(dbt: Dbt) -> Path:
    make_directory(dbt.home.path, PASSAGE_DIR)
    return make_directory(dbt.home.dbt) / f"manifest-{_digest(dbt)}.json"


def _digest(dbt: Dbt) -> str:
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')} {dbt.home.path}".encode())
    for path in sorted(dbt.project.rglob("*")):
        name = path.relative_to(dbt.project)
        if path.suffix in _READ and not _NOT_OURS & set(name.parts):
            digest.update(f"\0{name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _put(parsed: Path, dbt: Dbt, wanted: Path) -> None:
    """Put the manifest and dbt's parsed project in place, each in one step, and remove manifests of other projects."""
    older = [path for path in wanted.parent.glob("manifest-*.json") if path != wanted]
    (parsed / _PARSED).replace(make_directory(dbt.target) / _PARSED)
    (parsed / "manifest.json").replace(wanted)
    for path in older:
        path.unlink(missing_ok=True)
