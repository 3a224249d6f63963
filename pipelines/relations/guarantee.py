"""Who stands surety for whose loan.

A guarantor is the party that identity found for the guarantee; where it found none, because the guarantor's number
names somebody it knows already, the party with that number.
"""

from __future__ import annotations

from pipelines.relations.asof import AsOf
from pipelines.relations.kind import Kind


def _guaranteed(known: AsOf) -> str:
    guarantees = known.rows(
        "loan.guarantee", "loan_key", "guarantor_national_id_token", "guarantor_uscc_token", "guaranteed_amount",
        "signed_on",
    )  # fmt: skip
    return f"""
        select
            coalesce(guarantor.party_id, person.party_id, company.party_id) as from_party_id,
            borrower.party_id as to_party_id, 'surety' as detail, row.signed_on as since, null::date as until,
            row.guaranteed_amount as amount, cast(row.guaranteed_amount as double) / loan.principal as weight,
            row.source, row.business_date as seen_on
        from {guarantees} as row
        join {known.rows("loan.contract", "account_key", "principal")} as loan using (loan_key)
        join holding as borrower on borrower.account_key = loan.account_key and borrower.role = 'owner'
        left {known.party_of("guarantor", "loan.guarantee", "guarantor", "row.guarantee_key")}
        left join identified as person
            on person.kind = 'national_id' and person.token = row.guarantor_national_id_token
        left join identified as company on company.kind = 'uscc' and company.token = row.guarantor_uscc_token
        where coalesce(guarantor.party_id, person.party_id, company.party_id) is not null
    """


KINDS = (
    Kind(
        "guarantor", ("loan.guarantee",),
        (
            "loan.guarantee.guarantor_national_id", "loan.guarantee.guarantor_uscc", "loan.guarantee.guaranteed_amount",
            "loan.guarantee.signed_on", "loan.contract.account_key", "loan.contract.principal",
            "core.account_holder.party_key", "core.account_holder.role",
        ),
        _guaranteed, strength="max(weight)",
    ),
)  # fmt: skip
