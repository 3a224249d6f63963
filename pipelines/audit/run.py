"""Audits one candidate: opens it, carries out every check of the registry, and writes the evidence.

What belongs here: the order of things, and that no check is lost. What does not: any check itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines.audit import (
    churn,
    consistency,
    drift,
    governance,
    group_size,
    lawful,
    privacy,
    raw_identifiers,
    references,
    usage,
    volume,
)
from pipelines.audit.content import read_content
from pipelines.audit.engine import preload_in_background, validate
from pipelines.audit.evidence import OF_PRIVACY, CheckResult, Evidence, Version
from pipelines.audit.failures import broken_row, failing_keys, observed
from pipelines.audit.gates import REGISTRY, Verdict, checked_of, expected_checks, gate_of, suites, types_check
from pipelines.audit.seal import description_hash, seal
from pipelines.audit.subject import Check, CheckEach, Subject
from pipelines.audit.tables import NotAudited, Table, Tables, open_tables, without_values
from pipelines.audit.upstream import Find, Upstream
from pipelines.audit.waivers import records, waived
from pipelines.contracts.expectations import Expectation
from pipelines.contracts.load import Catalog
from pipelines.contracts.waivers import Waiver

CHECKS: dict[str, Check] = {
    "candidate.content": governance.content,
    "candidate.business_date": governance.business_date,
    "reconciliation.agreed": governance.agreed,
    "reconciliation.present": governance.present,
    "coverage.required": governance.required,
    "coverage.carried": governance.carried,
    "consumers.consistent": consistency.consistent,
    "privacy.no_raw_identifier": raw_identifiers.no_raw_identifier,
    "privacy.no_party_id": privacy.no_party_id,
    "privacy.pseudonym_per_consumer": privacy.pseudonym_per_consumer,
    "privacy.lawful_use": lawful.lawful_use,
    "privacy.data_usage": usage.data_usage,
    "privacy.release_point": privacy.release_point,
}
# Gates with a check for each product, list or source contract.
CHECKS_OF_EACH: dict[str, CheckEach] = {
    "contract.references": references.complete,
    "coverage.fresh": volume.fresh,
    "volume.delivered": volume.delivered,
    "volume.published": volume.published,
    "list.churn": churn.members,
    "distribution.drift": drift.stable,
    "privacy.group_size": group_size.large_enough,
}


def audit_candidate(
    directory: Path,
    catalog: Catalog,
    crosswalk: Path,
    shelf: Path,
    *,
    upstream: Find | None = None,
    threads: int = 2,
    memory_limit: str = "4GB",
) -> Evidence:
    """Audit the candidate in `directory` and write evidence.json beside it, and its seal.

    `crosswalk` is the home's party_crosswalk.parquet: what may not be published. `shelf` is where its releases lie:
    what it is held against. `upstream` finds where failing rows came from. Raises ContentError where the directory is
    no candidate at all; everything else that is wrong is a check that did not pass.
    """
    preload_in_background()
    content, description = read_content(directory), description_hash(directory)
    with open_tables(directory, catalog, threads, memory_limit) as tables:
        subject = Subject(directory, content, catalog, tables, crosswalk, shelf)
        found = {name: _attempt(lambda check=check: check(subject)) for name, check in CHECKS.items()}
        for gate, check in CHECKS_OF_EACH.items():
            for name in checked_of(REGISTRY[gate], catalog):
                found[f"{gate}/{name}"] = _attempt(lambda check=check, name=name: check(subject, name))
        found |= {types_check(product_id): _types(table) for product_id, table in tables.by_product.items()}
        found |= _expectations(subject, tables)
    failed = [check for check, verdict in found.items() if verdict.state == "failed"]
    by_check = waived(catalog, content.bank, content.business_date, failed)
    evidence = Evidence(
        candidate_hash=content.hash,
        bank=content.bank,
        business_date=content.business_date,
        contracts={c.id: Version(c.version, c.sha256) for c in catalog.all().values()},
        policy=Version(catalog.policy.version, catalog.policy.sha256),
        checks=_results(catalog, found, by_check, upstream),
        waivers=records(catalog, content.bank, content.business_date, failed),
    )
    evidence.write(directory)
    seal(directory, description)
    return evidence


def _expectations(subject: Subject, tables: Tables) -> dict[str, Verdict]:
    business_date, found = subject.content.business_date, {}
    by_product = suites(subject.catalog)
    states = validate(tables, by_product, business_date)
    for product_id, suite in by_product.items():
        table = tables.by_product[product_id]
        for expectation in suite:
            state, reason = states[expectation.id]
            if state == "not_audited":
                found[expectation.id] = Verdict(state, reason)
            else:
                found[expectation.id] = _attempt(lambda e=expectation, t=table, s=state: _seen(subject, t, e, s))
    return found


def _seen(subject: Subject, table: Table, expectation: Expectation, state: str) -> Verdict:
    business_date, failed = subject.content.business_date, state == "failed"
    words = observed(subject.tables, table, expectation, business_date, failed)
    keys = ()
    if failed and expectation.kind != "columns":
        keys = failing_keys(subject.tables, table, broken_row(expectation, table, business_date))
    return Verdict(state, words, keys)


def _types(table: Table) -> Verdict:
    if table.schema is None:
        return Verdict("not_audited", table.fault)
    wrong = table.mistyped
    return Verdict("failed", "; ".join(wrong.values())) if wrong else Verdict("passed", f"{len(table.columns)} columns")


def _attempt(check: Callable[[], Verdict]) -> Verdict:
    """Carry out a check. One that cannot be is not audited; it never ends the audit and never counts as passed."""
    try:
        return check()
    except NotAudited as reason:
        return Verdict("not_audited", str(reason))
    except duckdb.Error as error:
        return Verdict("not_audited", without_values(str(error)))
    except Exception as error:  # any fault of a check is the check's, not the candidate's
        return Verdict("not_audited", type(error).__name__)


def _results(
    catalog: Catalog, found: dict[str, Verdict], waivers: dict[str, Waiver], upstream: Find | None
) -> tuple[CheckResult, ...]:
    descriptions = {e.id: e.description for suite in suites(catalog).values() for e in suite}
    withheld = any(verdict.state != "passed" for name, verdict in found.items() if name.startswith(OF_PRIVACY))
    results = []
    for check_id in sorted(expected_checks(catalog)):
        gate = gate_of(check_id)
        verdict = found.get(check_id, Verdict("not_audited", "the check was not carried out"))
        description = descriptions.get(check_id) or f"{gate.protects[0].upper()}{gate.protects[1:]}."
        keys = () if withheld else verdict.failing_keys
        waiver = waivers[check_id].name if check_id in waivers else None
        came = _came(upstream, check_id, verdict) if verdict.state == "failed" else None
        results.append(
            CheckResult(check_id, verdict.state, gate.severity, description, verdict.observed, keys, waiver, came)
        )
    return tuple(results)


def _came(upstream: Find | None, check_id: str, verdict: Verdict) -> Upstream | None:
    try:
        return upstream(check_id, verdict) if upstream else None
    except Exception:  # where a failure came from may be unknown; that it is one is not
        return None
