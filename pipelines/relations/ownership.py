"""Who owns and runs companies, by the public register: legal representatives, shareholders, directors, supervisors."""

from __future__ import annotations

from functools import partial

from pipelines.ingest.sql import literal
from pipelines.relations.asof import AsOf
from pipelines.relations.kind import Kind, columns

ROLES = ("legal_representative", "shareholder", "director", "supervisor")


def _in_role(role: str, known: AsOf) -> str:
    rows = known.rows("registry.role", "registration_key", "role", "share", "since", "until")
    return f"""
        select
            person.party_id as from_party_id, company.party_id as to_party_id, row.role as detail, row.since,
            row.until, null::decimal(18,2) as amount, row.share as weight, row.source, row.business_date as seen_on
        from {rows} as row
        {known.party_of("person", "registry.role", "person", "row.role_key")}
        {known.party_of("company", "registry.company", "company", "row.registration_key")}
        where row.role = {literal(role)} and row.since <= date '{known.day}'
    """


def _on_the_entry(known: AsOf) -> str:
    return f"""
        select
            person.party_id as from_party_id, company.party_id as to_party_id, 'legal_representative' as detail,
            row.founded_on as since, null::date as until, null::decimal(18,2) as amount, null as weight, row.source,
            row.business_date as seen_on
        from {known.rows("registry.company", "founded_on", "status")} as row
        {known.party_of("person", "registry.company", "legal_representative", "row.registration_key")}
        {known.party_of("company", "registry.company", "company", "row.registration_key")}
        where row.status <> 'deregistered'
    """


KINDS = (
    *(
        Kind(
            role, ("registry.role",),
            columns("registry.role", "person_name person_national_id role share since until"),
            partial(_in_role, role), strength="max(weight)" if role == "shareholder" else "1",
        )
        for role in ROLES
    ),
    Kind(
        "legal_representative", ("registry.company",),
        columns("registry.company", "legal_representative uscc founded_on status"), _on_the_entry,
    ),
)  # fmt: skip
