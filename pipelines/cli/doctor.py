"""`zhongtai doctor`: is this installation and this home fit for a night?"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import typer
from rich.console import Console

from pipelines.cli.options import JsonOption, State
from pipelines.contracts import dbt
from pipelines.ingest import deliveries
from pipelines.release import catalogue
from pipelines.settings import PRIVATE_DIR, PROJECT, InputError
from pipelines.vault import signing

_LEAST_FREE = 5 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `advice` says what to do where it is not well."""

    name: str
    well: bool
    seen: str
    advice: str = ""


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Look at Python, libraries, contracts, deliveries, disk, permissions, keys, locks and the current release."""
    findings = list(_examine(context.obj))
    if as_json:
        typer.echo(json.dumps({"well": all(f.well for f in findings), "findings": [f.__dict__ for f in findings]}))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            advice = "" if finding.well else f" -> {finding.advice}"
            console.print(f"{'ok  ' if finding.well else 'BAD '} {finding.name}: {finding.seen}{advice}", markup=False)
    if not all(finding.well for finding in findings):
        raise InputError(f"{sum(not finding.well for finding in findings)} things need attention")


def _examine(state: State) -> Iterator[Finding]:
    checks: tuple[Callable[[State], Iterator[Finding]], ...] = (
        _python,
        _contracts,
        _deliveries,
        _home,
        _lock,
        _release,
    )
    for check in checks:
        try:
            yield from check(state)
        except Exception as error:  # what keeps a check from being made is itself a finding
            yield Finding(check.__name__.strip("_"), False, f"{type(error).__name__}: {error}", "see the message")


def _python(_: State) -> Iterator[Finding]:
    running = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", (3, 11) <= sys.version_info[:2] < (3, 14), running, "use Python 3.11, 3.12 or 3.13")
    libraries = ("dagster", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "polars", "pyarrow")
    yield Finding("libraries", True, ", ".join(f"{name} {version(name)}" for name in libraries))


def _contracts(state: State) -> Iterator[Finding]:
    catalog = state.catalog
    feeds = [feed for bank in catalog.banks for feed in catalog.feeds(bank)]
    seen = f"{len(catalog.all())} contracts, {len(feeds)} feeds, policy {catalog.policy.version}"
    yield Finding("contracts", True, seen)
    stale = dbt.drifted(catalog, PROJECT / "dbt_project")
    yield Finding("derived files", not stale, f"{len(stale)} drifted", "run `zhongtai contracts sync`")


def _deliveries(state: State) -> Iterator[Finding]:
    for name in state.catalog.banks:
        place = deliveries.place(state.catalog.bank(name), state.settings)
        mine = name == (state.settings.bank or state.settings.home.bank())
        seen = f"{place} {'is there' if place.is_dir() else 'is not there'}"
        yield Finding(
            f"deliveries of {name}", place.is_dir() or not mine, seen, "deliver there, or set ZHONGTAI_DELIVERIES"
        )


def _home(state: State) -> Iterator[Finding]:
    home = state.settings.home
    bank = home.bank()
    yield Finding("home", True, f"{home.path} of bank {bank}" if bank else f"{home.path} is not used yet")
    existing = home.path if home.path.exists() else Path(PROJECT)
    free = shutil.disk_usage(existing).free
    yield Finding("disk", free > _LEAST_FREE, f"{free >> 30} GiB free", "free some room: a full disk stops the night")
    if bank:
        private = (
            home.lake,
            home.control,
            home.identity,
            home.quarantine,
            home.arrivals,
            home.vault,
            home.candidates,
            home.warehouse.parent,
        )
        open_ = [path.name for path in private if path.exists() and path.stat().st_mode & 0o777 != PRIVATE_DIR]
        yield Finding("permissions", not open_, f"open to others: {', '.join(open_) or 'none'}", "chmod 700 them")
        key = home.vault / "master.key"
        given = "in the environment" if state.settings.vault_key else str(key)
        yield Finding(
            "key", bool(state.settings.vault_key) or key.exists(), given, "restore it: without it no party keeps its id"
        )
        yield _signing(home.vault)


def _signing(vault: Path) -> Finding:
    """Whether the next publication can sign: the key is there, is the one of its fingerprint, and is believed."""
    current = signing.believed(vault).current
    if current is None:
        return Finding("signing key", True, "none yet: the first publication makes one")
    if current.distrusted is not None:
        return Finding("signing key", False, f"{current.fingerprint} is distrusted", "run `zhongtai signing rotate`")
    try:
        signing.sign(vault, current, b"")
    except InputError as error:
        return Finding("signing key", False, f"{error}", "see `zhongtai signing status`")
    return Finding("signing key", True, f"{current.fingerprint} signs")


def _lock(state: State) -> Iterator[Finding]:
    from pipelines.assets.lock import holder

    process = holder(state.settings.home)
    yield Finding("lock", True, f"held by process {process}: a run is under way" if process else "free")


def _release(state: State) -> Iterator[Finding]:
    home = state.settings.home
    for one in catalogue.list_releases(home):
        if damaged := one.damaged():
            yield Finding("release", False, damaged, "see `zhongtai releases list`")
    release = catalogue.current(home)
    if release is None:
        yield Finding(
            "release", not catalogue.was_published(home), catalogue.why_none(home), "see `zhongtai releases list`"
        )
        return
    problems = catalogue.verify_release(release, state.catalog)
    yield Finding(
        "release", not problems, f"{release.id}: {'; '.join(problems) or 'verified'}", "do not use it; publish again"
    )
