"""What the party owes: loans, arrears, cards, applications, sureties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.party import Party
from customer_360_oracle.products import cards as cards_of
from customer_360_oracle.window import ZERO, months_later, ratio, share, total, within

CONTRACTS = (
    "loan.contract", "loan.repayment", "loan.application", "loan.guarantee", "loan.collateral", "card.statement",
)  # fmt: skip


def events_of_loans(bank: Bank) -> dict[str, dict[str, list[Row]]]:
    """Instalments that fell due and payments received, by loan, in the order of the instalments."""
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: {"due": [], "paid": []})
    for row in bank.ever("loan.repayment"):
        if row["event_date"] <= bank.as_of:
            found[row["loan_key"]][row["event"]].append(row)
    for events in found.values():
        for rows in events.values():
            rows.sort(key=lambda row: (row["instalment_no"], row["event_date"]))
    return found


def arrears(events: dict[str, list[Row]], as_of: date) -> tuple[Any, int]:
    """What is due of a loan and not paid, and for how many days; payments settle the oldest instalment first."""
    first = min((row["instalment_no"] for row in events["due"]), default=1)
    # What was paid for an instalment that fell due before anything was delivered settles none that is known.
    left = total(row["amount"] for row in events["paid"] if row["instalment_no"] >= first)
    unpaid, oldest = ZERO, None
    for row in events["due"]:
        settled = min(left, row["amount"])
        left -= settled
        unpaid += row["amount"] - settled
        if settled < row["amount"]:
            oldest = oldest or row["event_date"]
    return unpaid, (as_of - oldest).days if oldest else 0


def loans_of(bank: Bank, party: Party) -> list[Row]:
    """Loans on record on accounts that the party owns."""
    return [row for row in bank.on_record("loan.contract") if row["account_key"] in party.owned]


def runs(loan: Row, as_of: date) -> bool:
    """Whether the agreed term has not passed."""
    return months_later(loan["granted_on"], loan["term_months"]) > as_of


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Loans and their arrears."""
    events, granted, repaid = events_of_loans(bank), bank.delivered("loan.contract"), bank.delivered("loan.repayment")
    start = bank.first_row("loan.repayment")

    def begun_before(loan: Row) -> bool:
        known = [each["instalment_no"] for rows in events[loan["loan_key"]].values() for each in rows]
        return min(known) > 1 if known else start is not None and months_later(loan["granted_on"], 1) < start

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        loans = loans_of(bank, party)
        active = [loan for loan in loans if runs(loan, bank.as_of)]
        due = [arrears(events[loan["loan_key"]], bank.as_of) for loan in loans]
        left = total(
            max(loan["principal"] - total(paid["principal_amount"] for paid in events[loan["loan_key"]]["paid"]), ZERO)
            for loan in loans
        )
        outstanding = None if any(map(begun_before, loans)) else left
        return {
            "loans_active": len(active) if granted else None,
            "loan_principal_active": total(loan["principal"] for loan in active) if granted else None,
            "loan_monthly_payment": total(loan["monthly_payment"] for loan in active) if granted else None,
            "loan_arrears_amount": total(amount for amount, _ in due) if repaid else None,
            "loan_days_past_due": max((days for _, days in due), default=0) if repaid else None,
            "loan_outstanding_principal": outstanding if repaid else None,
            "credit_completeness": share(bank.delivered(*CONTRACTS), len(CONTRACTS)),
        }

    return tell


def card_days(statements: list[Row], as_of: date) -> int:
    """Days since the first of the unbroken run of underpaid statements that ends with the latest that can be judged."""
    since = None
    for each, following in pairwise(statements):
        underpaid = following["paid_amount"] < each["minimum_due"]
        since = (since or each["due_date"]) if underpaid else None
    return (as_of - since).days if since else 0


def cards(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Credit cards."""
    held, told_of = cards_of(bank), bank.delivered("card.statement")
    statements: dict[str, list[Row]] = defaultdict(list)
    for each in sorted(bank.ever("card.statement"), key=lambda each: each["statement_date"]):
        statements[each["card_key"]].append(each)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        credit = [card for card in held.get(party.party_id, []) if card["card_kind"] == "credit"]
        mine = [statements[card["card_key"]] for card in credit]
        late = max((card_days(each, bank.as_of) for each in mine), default=0) if told_of else None
        owed = total(each[-1]["statement_balance"] for each in mine if each) if told_of else None
        limit = total(card["credit_limit"] or ZERO for card in credit) if told_of else None
        drawn = total(
            one["cash_advance_amount"] for each in mine for one in each
            if within(one["statement_date"], bank.as_of, 90)
        )  # fmt: skip
        worst = [days for days in (late, row["loan_days_past_due"]) if days is not None]
        return {
            "card_days_past_due": late,
            "card_statement_balance": owed,
            "card_limit": limit,
            "card_utilisation": None if owed is None else ratio(owed, limit),
            "card_cash_advance_90d": drawn if told_of else None,
            "days_past_due": max(worst, default=None),
        }

    return tell


def surety(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Applications, guarantees and collateral."""
    applied = bank.of_customers(bank.ever("loan.application"), "core.party", "holder", "party_key")
    guarantees, pledged = bank.on_record("loan.guarantee"), bank.on_record("loan.collateral")
    asked = bank.delivered("loan.application")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        loans, mine = {loan["loan_key"] for loan in loans_of(bank, party)}, applied.get(party.party_id, [])
        declined = (each["known"] for each in mine if each["decision"] == "declined")
        sureties = total(each["guaranteed_amount"] for each in guarantees if each["loan_key"] in loans)
        value = total(each["appraised_value"] for each in pledged if each["loan_key"] in loans)
        return {
            "applications_90d": sum(within(each["known"], bank.as_of, 90) for each in mine) if asked else None,
            "applications_declined_365d": sum(within(day, bank.as_of, 365) for day in declined) if asked else None,
            "guaranteed_by_others_amount": sureties if bank.delivered("loan.guarantee") else None,
            "collateral_value": value if bank.delivered("loan.collateral") else None,
        }

    return tell
