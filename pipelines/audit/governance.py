"""Checks that the candidate is whole, of its date, reconciled, and rests on every required delivery.

What belongs here: what the governance products say of the release. What does not: parties and their protection.
"""

from __future__ import annotations

from pipelines.audit.content import PROOF, RULES, SUPERSEDES
from pipelines.audit.gates import Verdict
from pipelines.audit.lawful import PURPOSES
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.usage import ledger_name

COVERAGE, RECONCILIATION = "shared.coverage", "shared.reconciliation"


def content(subject: Subject) -> Verdict:
    """The candidate hashes to the name of its directory, and holds a file per product, proofs and ledgers only."""
    expected = {f"{product.consumer}/{product.table}.parquet" for product in subject.catalog.products.values()}
    expected |= {f"{PROOF}/{RULES}", *(f"{PROOF}/{consumer}.parquet" for consumer in PURPOSES)}
    expected |= {f"{PROOF}/{ledger_name(consumer)}" for consumer in PURPOSES}
    found = {file.path for file in subject.content.files}
    faults = [f"unknown: {path}" for path in sorted(found - expected - {f"{PROOF}/{SUPERSEDES}"})]
    faults += [f"missing: {path}" for path in sorted(expected - found)]
    if subject.content.hash != subject.directory.name:
        faults.append("the files were changed after the candidate was built")
    return verdict(faults, f"{len(found)} files")


def business_date(subject: Subject) -> Verdict:
    """The date is a business date of the bank, and the marts were built for it: coverage speaks of it."""
    day = subject.content.business_date
    faults = []
    if not subject.catalog.bank(subject.content.bank).is_business_date(day):
        faults.append(f"{day} is not a business date of {subject.content.bank}")
    table = subject.tables.need(COVERAGE, ("business_date",))
    if not subject.tables.rows(f"select 1 from {table.view} where business_date = ? limit 1", [day]):
        faults.append(f"{COVERAGE} has no row of {day}: the marts were not built for it")
    return verdict(faults, day.isoformat())


def agreed(subject: Subject) -> Verdict:
    """No row of the reconciliation is broken."""
    keys = ("contract", "source", "step", "measure")
    table = subject.tables.need(RECONCILIATION, ("status", *keys))
    broken = subject.tables.rows(
        f"select {', '.join(keys)} from {table.view} where status is distinct from 'agreed' order by all"
    )
    return verdict(
        [f"{len(broken)} of {table.rows} comparisons are broken"] if broken else [],
        f"{table.rows} comparisons",
        [dict(zip(keys, row, strict=True)) for row in broken],
    )


def present(subject: Subject) -> Verdict:
    """Every required contract was reconciled on the date."""
    table = subject.tables.need(RECONCILIATION, ("contract", "business_date"))
    sql = f"select distinct contract from {table.view} where business_date = ?"
    seen = {contract for (contract,) in subject.tables.rows(sql, [subject.content.business_date])}
    absent = [contract_id for contract_id in _required(subject) if contract_id not in seen]
    return verdict([f"not reconciled: {', '.join(absent)}"] if absent else [], f"{len(seen)} contracts")


def required(subject: Subject) -> Verdict:
    """Every required contract is there on the date."""
    table = subject.tables.need(COVERAGE, ("contract", "business_date", "status"))
    sql = f"select contract from {table.view} where business_date = ? and status <> 'absent'"
    seen = {contract for (contract,) in subject.tables.rows(sql, [subject.content.business_date])}
    absent = [contract_id for contract_id in _required(subject) if contract_id not in seen]
    return verdict([f"absent: {', '.join(absent)}"] if absent else [], f"{len(_required(subject))} required contracts")


def carried(subject: Subject) -> Verdict:
    """No optional contract is carried for longer than it allows."""
    table = subject.tables.need(COVERAGE, ("contract", "status", "carried_days"))
    rows = subject.tables.rows(
        f"select contract, carried_days from {table.view} "
        f"where status = 'carried' and carried_days is not null order by all"
    )
    limits = {contract.id: contract.carry_forward_days for contract in subject.catalog.sources.values()}
    late = [
        f"{contract} is carried for {days} days, {limits[contract]} are allowed"
        for contract, days in rows
        if contract in limits and days > limits[contract]
    ]
    return verdict(late, f"{len(rows)} contracts carried")


def _required(subject: Subject) -> list[str]:
    """The required contracts among those that the bank agreed to deliver."""
    agreed_on = {feed.contract for feed in subject.catalog.feeds(subject.content.bank)}
    return sorted(each for each in agreed_on if subject.catalog.sources[each].criticality == "required")
