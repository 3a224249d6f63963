"""Who employs whom: by salaries paid under a payroll agreement, and by social security contributions.

The two are kinds of their own: what social security says may be used for less.
"""

from __future__ import annotations

from datetime import timedelta

from pipelines.relations.asof import AsOf
from pipelines.relations.kind import SAID, Kind, columns

_YEAR = timedelta(days=365)
# Share of the last twelve months in which there was evidence.
_MONTHS = "least(count(distinct date_trunc('month', since)), 12) / 12"


def _salaries(known: AsOf) -> str:
    """Salaries of a year from the account of an employer with an agreement, to the owners of the account paid into."""
    agreements = known.rows("payroll.agreement", "employer_party_key", "employer_account_token")
    bookings = known.rows(
        "core.transaction", "account_key", "booking_date", "direction", "purpose", "amount",
        "counterparty_account_token", since=known.day - _YEAR,
    )  # fmt: skip
    employers = (
        "select distinct agreement.employer_account_token as token, record.party_id "
        f"from {agreements} as agreement join record on record.contract = 'core.party' and record.role = 'holder' "
        "and record.record_key = agreement.employer_party_key"
    )
    # Kept, so that the engine does not begin with every pair of an employer and an account.
    known.keep(
        "salary",
        f"select employer.party_id, booking.* from {bookings} as booking join ({employers}) as employer "
        "on employer.token = booking.counterparty_account_token where booking.direction = 'credit' "
        f"and booking.purpose = 'salary' and booking.booking_date > date '{known.day - _YEAR}'",
    )
    return """
        select
            salary.party_id as from_party_id, employee.party_id as to_party_id, 'salary' as detail,
            salary.booking_date as since, null::date as until, salary.amount, null as weight, salary.source,
            salary.business_date as seen_on
        from salary
        join holding as employee using (account_key)
        where employee.role = 'owner' and employee.party_kind = 'person'
    """


def _contributions(known: AsOf) -> str:
    rows = known.rows(
        "social_security.contribution", "national_id_token", "employer_uscc_token", "period",
        since=known.day - _YEAR,
    )  # fmt: skip
    contract = "social_security.contribution"
    return f"""
        select
            employer.party_id as from_party_id, insured.party_id as to_party_id, 'contribution' as detail,
            row.period as since, null::date as until, null::decimal(18,2) as amount, null as weight, row.source,
            row.business_date as seen_on
        from {rows} as row
        {known.party_of("insured", contract, "insured", "row.national_id_token")}
        {known.party_of("employer", contract, "employer", "row.employer_uscc_token")}
        where row.period > date '{known.day - _YEAR}' and {known.shared(contract, by="insured", naming="employer")}
    """


KINDS = (
    Kind(
        "employer", ("payroll.agreement",),
        (
            "payroll.agreement.employer_party_key", "payroll.agreement.employer_account",
            *columns("core.transaction", "account_key booking_date direction purpose amount counterparty_account"),
            "core.account_holder.party_key", "core.account_holder.role",
        ),
        _salaries, strength=_MONTHS,
    ),
    Kind(
        "employer", ("social_security.contribution",),
        (*columns("social_security.contribution", "national_id employer_uscc period"), *SAID),
        _contributions, strength=_MONTHS,
    ),
)  # fmt: skip
