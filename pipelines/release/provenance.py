"""What a release was made from: deliveries, contracts, policy, code, keys, by hash or version.

What does not belong here: times, hosts, run ids; they would make the same release differ (see `publish.run_record`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.contracts.load import Catalog
from pipelines.ingest import ledger
from pipelines.settings import PROJECT, Home
from pipelines.vault.keys import KeyRing

_ENGINES = (
    "duckdb",
    "dbt-core",
    "dbt-duckdb",
    "polars",
    "polars-hash",
    "pyarrow",
    "great-expectations",
    "splink",
    "scipy",
    "pypinyin",
)
# Match models and tags decide as code does.
_CODE = (
    ("pipelines", "*.py"),
    ("dbt_project", "*.sql"),
    ("dbt_project", "*.yml"),
    ("data_contracts/identity", "*.yaml"),
    ("data_contracts/tags", "*.yaml"),
)


def describe(catalog: Catalog, home: Home, ring: KeyRing, business_date: date) -> dict[str, Any]:
    """Everything that decides the content of a release, as plain JSON values."""
    contracts = {**catalog.sources, **catalog.marts, **catalog.products}
    return {
        "deliveries": _deliveries(home, business_date),
        "contracts": {c.id: {"version": c.version, "sha256": c.sha256} for c in contracts.values()},
        "policy": {"version": catalog.policy.version, "sha256": catalog.policy.sha256},
        "code": {"version": version("zhongtai"), "sha256": code_digest()},
        "engines": {name: version(name) for name in _ENGINES},
        "key_fingerprint": ring.fingerprint(),
    }


def code_digest() -> str:
    """Hash of the platform's own code: Python, SQL, dbt's YAML, match models and tags, by relative path."""
    digest = hashlib.sha256()
    for folder, pattern in _CODE:
        for path in sorted((PROJECT / folder).rglob(pattern)):
            if "target" not in path.relative_to(PROJECT).parts:
                digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + _sha256(path).encode())
    return digest.hexdigest()


def _deliveries(home: Home, through: date) -> list[dict[str, Any]]:
    """Each delivered file once, with the business dates and the rows that were landed from it."""
    files: dict[tuple[str, ...], dict[str, Any]] = {}
    for landing in ledger.read_all(home):
        if landing.measure != "rows" or landing.business_date > through or landing.delivery is None:
            continue
        day = landing.business_date.isoformat()
        name = (landing.contract, landing.source, landing.delivery, landing.delivery_sha256 or "")
        entry = files.setdefault(name, {**dict(zip(_NAMED, name, strict=True)), "first": day, "rows": 0})
        entry["last"] = day
        entry["rows"] += int(landing.delivered)
    return [files[name] for name in sorted(files)]


_NAMED = ("contract", "source", "delivery", "sha256")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
