"""Complaints, what the party says of the bank, and whether it pays salaries through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.window import covered, share, within

COMPLAINT = "service.complaint"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Complaints and answers to surveys."""
    complaints = bank.of_parties(bank.on_record(COMPLAINT), COMPLAINT, "complainant", "complaint_key")
    known = bank.delivered(COMPLAINT)
    latest = max((day for days in bank.deliveries(COMPLAINT).values() for day in days), default=None)
    answers = bank.of_customers(bank.ever("survey.nps"), "crm.customer", "customer", "customer_key")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = complaints.get(party.party_id, [])
        received = [each["received_at"].date() for each in mine]
        still = [each["received_at"].date() for each in mine if each["resolved_at"] is None]
        said = sorted(answers.get(party.party_id, []), key=lambda each: each["response_key"])
        last = max(said, key=lambda each: each["answered_on"], default=None)
        return {
            "complaints_365d": sum(within(day, bank.as_of, 365) for day in received) if known else None,
            "complaints_open": len(still) if known else None,
            "complaint_open_days": (bank.as_of - min(still)).days if still else None,
            "days_since_complaint": (bank.as_of - max(received)).days if received else None,
            "service_completeness": covered(bank.as_of, 365, bank.first_row(COMPLAINT), latest),
            "last_nps_score": last and last["score"],
            "survey_completeness": share(bool(said), 1),
        }

    return tell


def payroll(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Agreements to pay salaries."""
    agreements = bank.on_record("payroll.agreement")
    paying = bank.of_customers(agreements, "core.party", "holder", "employer_party_key")
    known = bank.delivered("payroll.agreement")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "has_payroll_agreement": party.party_id in paying if known else None,
            "payroll_completeness": share(known, 1),
        }

    return tell
