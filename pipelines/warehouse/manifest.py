"""dbt's manifest, from which Dagster's assets are defined: parsed again only when the dbt project changed.

Belongs here: when the manifest is fresh and where it lies. Columns of marts and sources come from data_contracts/, but
by way of generated files in the dbt project; so the project alone decides.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from pipelines.settings import PASSAGE_DIR, make_directory
from pipelines.warehouse.run import Dbt

_READ = {".sql", ".yml", ".yaml", ".csv", ".md", ".py"}
_NOT_OURS = {"target", "logs"}
_PARSED = "partial_parse.msgpack"


def manifest(dbt: Dbt) -> Path:
    """The manifest of the project as it is now, for the home of `dbt`.

    Its name carries the digest of what it was parsed from: one that exists is fresh, and a reader never sees half of
    it. Takes milliseconds then, and some seconds of dbt where a file changed or the home is new.
    """
    make_directory(dbt.home.path, PASSAGE_DIR)
    directory = make_directory(dbt.home.dbt)
    wanted = directory / f"manifest-{_digest(dbt)}.json"
    if not wanted.exists():
        waited = dbt.close()  # it is parsing the same files, and started again it finds them parsed
        _parse(dbt, wanted)
        if waited:
            dbt.start()
    return wanted


def _digest(dbt: Dbt) -> str:
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')} {dbt.home.path}".encode())
    for path in sorted(dbt.project.rglob("*")):
        name = path.relative_to(dbt.project)
        if path.suffix in _READ and not _NOT_OURS & set(name.parts):
            digest.update(f"\0{name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _parse(dbt: Dbt, wanted: Path) -> None:
    """Parse in a directory of its own, then put the manifest and dbt's parsed project in place, each in one step."""
    make_directory(dbt.target)
    older = list(wanted.parent.glob("manifest-*.json"))
    with tempfile.TemporaryDirectory(prefix=".parse-", dir=wanted.parent) as scratch:
        if (dbt.target / _PARSED).exists():
            shutil.copyfile(dbt.target / _PARSED, Path(scratch) / _PARSED)
        dbt.write_manifest(Path(scratch))
        (Path(scratch) / _PARSED).replace(dbt.target / _PARSED)
        (Path(scratch) / "manifest.json").replace(wanted)
    for path in older:
        path.unlink(missing_ok=True)
