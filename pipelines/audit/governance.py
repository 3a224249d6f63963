"""Checks that the candidate is whole, of its date, reconciled, and rests on every required delivery.

What belongs here: what the governance products say of the release. What does not: parties and their protection.
"""

from __future__ import annotations

from datetime import date

from pipelines.audit.content import PROOF, RULES, SUPERSEDES
from pipelines.audit.gates import Verdict
from pipelines.audit.lawful import PURPOSES
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.usage import ledger_name
from pipelines.contracts.frequency import days

COVERAGE, RECONCILIATION = "shared.coverage", "shared.reconciliation"
_OF_ALL = ("ingest", "lake")  # steps that every delivery has; others are of contracts with a trailer, or sums in a mart


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
    """Every required contract was reconciled on the date, and so was whatever came on it, from delivery to lake."""
    table = subject.tables.need(RECONCILIATION, ("contract", "step", "business_date"))
    day = subject.content.business_date
    sql = f"select distinct contract, step from {table.view} where business_date = ?"
    found = set(subject.tables.rows(sql, [day]))
    seen = {contract for contract, _ in found}
    absent = [contract_id for contract_id in _required(subject) if contract_id not in seen]
    faults = [f"not reconciled: {', '.join(absent)}"] if absent else []
    came = sorted(contract for contract, through in delivered_through(subject).items() if through == day)
    for step in _OF_ALL:
        if skipped := [contract for contract in came if contract not in absent and (contract, step) not in found]:
            faults.append(f"came, and step {step} was not reconciled: {', '.join(skipped)}")
    return verdict(faults, f"{len(seen)} contracts")


def required(subject: Subject) -> Verdict:
    """Every required contract is there as of the date, and nothing of it is owed."""
    table, day = subject.tables.need(COVERAGE, ("contract", "business_date", "status")), subject.content.business_date
    sql = f"select contract from {table.view} where business_date = ? and status <> 'absent'"
    seen = {contract for (contract,) in subject.tables.rows(sql, [day])}
    absent = [contract_id for contract_id in _required(subject) if contract_id not in seen]
    faults, through = [f"absent: {', '.join(absent)}"] if absent else [], delivered_through(subject)
    for name in [name for name in _required(subject) if name in seen]:
        schedule, newest = subject.schedule(name), through.get(name)
        if schedule.behind(newest, day):
            faults.append(f"{name}: {schedule.said(newest, day)}; {ask(subject, name)}")
    return verdict(faults, f"{len(_required(subject))} required contracts")


def carried(subject: Subject) -> Verdict:
    """No optional contract that the bank delivers is behind its frequency by more days than it may be carried."""
    day, through = subject.content.business_date, delivered_through(subject)
    late, behind = [], 0
    for name in sorted(subject.agreed_on & through.keys() - set(_required(subject))):
        contract, schedule, newest = subject.catalog.sources[name], subject.schedule(name), through.get(name)
        since = schedule.behind(newest, day)
        behind += since > 0
        if since > contract.carry_forward_days or (since and newest is None):
            allowed = f"{days(since)} behind, {contract.carry_forward_days} allowed"
            late.append(f"{name}: {allowed}: {schedule.said(newest, day)}; {ask(subject, name)}")
    return verdict(late, f"{behind} contracts carried")


def delivered_through(subject: Subject) -> dict[str, date | None]:
    """Of each contract that a mart rests on, the last date it came for as of the business date, if it ever came."""
    table = subject.tables.need(COVERAGE, ("contract", "delivered_through", "business_date"))
    sql = f"select contract, max(delivered_through) from {table.view} where business_date = ? group by 1"
    return dict(subject.tables.rows(sql, [subject.content.business_date]))


def ask(subject: Subject, contract_id: str) -> str:
    """What to do about a delivery that is owed."""
    return f"ask {subject.catalog.sources[contract_id].owner} for it and run the night again"


def _required(subject: Subject) -> list[str]:
    """The required contracts among those that the bank agreed to deliver."""
    agreed_on = {feed.contract for feed in subject.catalog.feeds(subject.content.bank)}
    return sorted(each for each in agreed_on if subject.catalog.sources[each].criticality == "required")
