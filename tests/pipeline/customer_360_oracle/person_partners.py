"""What hospitals, the credit bureau and social security know of the party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.sharing import Sharing
from customer_360_oracle.window import delivered_share, ratio, share, within

MEDICAL, REPORT, CONTRIBUTION = "medical.payment", "bureau.credit_report", "social_security.contribution"


def medical(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Payments at hospitals."""
    payments = Sharing(bank, MEDICAL).rows(bank.ever(MEDICAL), "patient", "patient_national_id_token")
    hospitals = bank.deliveries(MEDICAL)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        year = [each for each in payments.get(party.party_id, []) if within(each["paid_on"], bank.as_of, 365)]
        delivered = [hospitals[hospital] for hospital in {each["source"] for each in year}]
        return {
            "medical_payments_365d": len(year) or None,
            "medical_completeness": delivered_share(bank.as_of, 365, delivered, len(hospitals)),
        }

    return tell


def bureau(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """The last credit report known."""
    reports = Sharing(bank, REPORT).rows(bank.ever(REPORT), "subject", "national_id_token", "uscc_token")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = sorted(reports.get(party.party_id, []), key=lambda each: (each["report_date"], each["report_key"]))
        last = mine[-1] if mine else None
        return {
            "bureau_open_loans": last and last["open_loans"],
            "bureau_loan_balance": last and last["loan_balance"],
            "bureau_card_utilisation": last and ratio(last["card_balance"], last["card_limit"]),
            "bureau_worst_days_past_due_24m": last and last["worst_days_past_due_24m"],
            "bureau_inquiries_6m": last and last["inquiries_6m"],
            "bureau_report_age_days": last and (bank.as_of - last["report_date"]).days,
            "bureau_completeness": share(bool(last), 1),
        }

    return tell


def social_security(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Contributions of the insured."""
    paid = Sharing(bank, CONTRIBUTION).rows(bank.ever(CONTRIBUTION), "insured", "national_id_token")
    sources = bank.deliveries(CONTRIBUTION)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = paid.get(party.party_id, [])
        year = [each for each in mine if within(each["period"], bank.as_of, 365)]
        last = max(year, key=lambda each: (each["period"], each["known"], each["contribution_key"]), default=None)
        delivered = [sources[source] for source in {each["source"] for each in mine}]
        return {
            "months_contributed_365d": len({each["period"] for each in year}) or None,
            "contribution_base": last and last["base_amount"],
            "social_security_completeness": delivered_share(bank.as_of, 365, delivered, len(delivered)),
        }

    return tell
