"""What a release was made from: deliveries, contracts, policy, code, keys, people's decisions, by hash or version.

What does not belong here: times, hosts, run ids. What `describe` tells is part of a release's id, and so the same night
on the same past has the same one. `stood_on` is told of the run as well, with what came of it.
"""

from __future__ import annotations

import hashlib
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.admission import decisions as admission_decisions
from pipelines.contracts.load import Catalog
from pipelines.history.store import statements
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
# Match models, tags and refusals decide as code does; the policy map is published.
_CODE = (
    ("pipelines", "*.py"),
    ("dbt_project", "*.sql"),
    ("dbt_project", "*.yml"),
    ("data_contracts/identity", "*.yaml"),
    ("data_contracts/tags", "*.yaml"),
    ("data_contracts", "refusals.yaml"),
    ("data_contracts", "policy_map.yaml"),
)


def describe(catalog: Catalog, home: Home, ring: KeyRing, business_date: date) -> dict[str, Any]:
    """Everything that decides the content of a release, as plain JSON values."""
    return {
        "deliveries": deliveries(home, business_date),
        **of_project(catalog),
        "key_fingerprint": ring.fingerprint(),
        "decisions_sha256": _decisions(home),
        "admission_decisions_sha256": admission_decisions.fingerprint(home, business_date),
        "identity_before": _named(stood_on(home)["before"]),
    }


def of_project(catalog: Catalog) -> dict[str, Any]:
    """What decides the content of every release of the same day alike: contracts, policy, code, libraries."""
    contracts = {**catalog.sources, **catalog.marts, **catalog.products}
    return {
        "contracts": {c.id: {"version": c.version, "sha256": c.sha256} for c in contracts.values()},
        "policy": {"version": catalog.policy.version, "sha256": catalog.policy.sha256},
        "code": {"version": version("zhongtai"), "sha256": code_digest()},
        "engines": {name: version(name) for name in _ENGINES},
    }


def stood_on(home: Home) -> dict[str, Any]:
    """Which state of who is who a release stands on that is published now, and which state that one followed on.

    Of each its business date, a hash of all that is kept of what nights changed until then, and what it was made from,
    as digests; None where there was none.
    """
    from pipelines.identity import state

    days = state.dates(home)
    known = kept_states(home)
    told = [
        {"business_date": day.isoformat(), "sha256": known[day], "made_from": state.made_from(home, day)}
        for day in days[-2:]
    ]
    before, after = [None, None, *told][-2:]
    return {"after": after, "before": before}


def followed_on(home: Home, business_date: date) -> dict[str, str] | None:
    """The last release of an earlier business date: who was on a list there stays by wider limits. None without one."""
    before = [one for one in statements(home) if one.business_date < business_date]
    last = max(before, key=lambda one: (one.business_date, one.sequence), default=None)
    return last and {"business_date": last.business_date.isoformat(), "release": last.release}


def _decisions(home: Home) -> str | None:
    """Fingerprint of people's decisions, as the night read them whose parties are published; None without a party."""
    # Imported late: matching brings libraries that the command line and the UI do without.
    from pipelines.identity import state

    days = state.dates(home)
    return state.made_from(home, days[-1])["decisions"] if days else None


def kept_states(home: Home) -> dict[date, str]:
    """Of each night a hash of all that is kept of what it and the nights before it changed of who is who."""
    from pipelines.identity import state

    found, so_far = {}, b""
    for day in state.dates(home):
        digest = hashlib.sha256(so_far)
        digest.update(day.isoformat().encode())
        for path in sorted((home.identity / "state" / day.isoformat()).iterdir()):
            digest.update(path.name.encode() + b"\0" + _sha256(path).encode())
        so_far = digest.digest()
        found[day] = digest.hexdigest()
    return found


def _named(state: dict[str, Any] | None) -> dict[str, Any] | None:
    """A state by its date and hash alone."""
    return state and {name: state[name] for name in ("business_date", "sha256")}


def code_digest() -> str:
    """Hash of the platform's own code: Python, SQL, dbt's YAML, match models, tags and refusals, by relative path."""
    digest = hashlib.sha256()
    for folder, pattern in _CODE:
        for path in sorted((PROJECT / folder).rglob(pattern)):
            if "target" not in path.relative_to(PROJECT).parts:
                digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + _sha256(path).encode())
    return digest.hexdigest()


def deliveries(home: Home, through: date) -> list[dict[str, Any]]:
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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
