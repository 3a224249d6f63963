"""Balances, flows and spending: what the bookings say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.party import Party, holdings
from customer_360_oracle.window import ZERO, covered, rounded, total, within

WINDOWS = (30, 90, 365)
SPENDING = ("grocery", "dining", "travel", "online", "education")


def booked(bank: Bank) -> list[tuple[str, Row]]:
    """Every booking with each party that owned its account on the day on which it became known."""
    by_day: dict[Any, list[Row]] = defaultdict(list)
    for row in bank.ever("core.transaction"):
        by_day[row["known"]].append(row)
    found: list[tuple[str, Row]] = []
    for day, rows in by_day.items():
        owners: dict[str, list[str]] = defaultdict(list)
        for party, accounts in holdings(bank, day)["owner"].items():
            for account in accounts:
                owners[account].append(party)
        found += [(party, row) for row in rows for party in owners[row["account_key"]]]
    return found


def ends_of_day(bank: Bank, everyone: dict[str, Party]) -> dict[str, list[Decimal]]:
    """Of each party with an account, the total of the accounts owned today at the end of 365 days, today first."""
    net: dict[str, dict[Any, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in bank.ever("core.transaction"):
        net[row["account_key"]][row["known"]] += row["amount"] * (1 if row["direction"] == "credit" else -1)
    found = {}
    for party in everyone.values():
        if party.owned:
            left, ends = total(each for account in party.owned for each in net[account].values()), []
            for back in range(365):
                ends.append(left)
                left -= total(net[account].get(bank.as_of - timedelta(days=back), ZERO) for account in party.owned)
            found[party.party_id] = ends
    return found


def balances(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """What is on the accounts, today and over a year."""
    ends_of = ends_of_day(bank, everyone)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        ends = ends_of.get(party.party_id)
        return {
            "balance": ends[0] if ends else None,
            "balance_min_90d": min(ends[:90]) if ends else None,
            "balance_min_365d": min(ends) if ends else None,
            "balance_avg_90d": rounded(Fraction(sum(ends[:90])) / 90, 2) if ends else None,
        }

    return tell


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Sums and counts over windows."""
    bookings: dict[str, list[Row]] = defaultdict(list)
    for party, each in booked(bank):
        bookings[party].append(each)
    completeness = covered(bank.as_of, 365, bank.first_row("core.transaction"))

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {"flows_completeness": completeness}
        debits: dict[int, list[Row]] = {}
        for days in WINDOWS:
            inside = [each for each in bookings[party.party_id] if within(each["known"], bank.as_of, days)]
            credits = [each for each in inside if each["direction"] == "credit"]
            debits[days] = [each for each in inside if each["direction"] == "debit"]
            income = (
                each["amount"] for each in credits
                if each["purpose"] in ("salary", "pension") or each["channel"] == "transfer_in"
            )  # fmt: skip
            told |= {
                f"credit_amount_{days}d": total(each["amount"] for each in credits),
                f"debit_amount_{days}d": total(each["amount"] for each in debits[days]),
                f"credit_count_{days}d": len(credits),
                f"debit_count_{days}d": len(debits[days]),
                f"income_amount_{days}d": total(income),
            }
        for purpose in ("household", "insurance", "loan_payment"):
            paid = (each["amount"] for each in debits[90] if each["purpose"] == purpose)
            told[f"{purpose}_amount_90d"] = total(paid)
        for channel in ("cash_out", "card"):
            told[f"{channel}_amount_90d"] = total(each["amount"] for each in debits[90] if each["channel"] == channel)
        fees = [each for each in debits[365] if each["purpose"] in ("statement_fee", "penalty_interest")]
        return told | {
            "penalty_interest_count_365d": sum(each["purpose"] == "penalty_interest" for each in fees),
            "fee_amount_365d": total(each["amount"] for each in fees),
        }

    return tell


def spending(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """What the party spent its money on, by the category of the merchant."""
    first = min((row["known"] for row in bank.ever("core.transaction") if row["merchant_category"]), default=None)
    spent: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for party, each in booked(bank):
        if each["merchant_category"] and each["direction"] == "debit" and within(each["known"], bank.as_of, 90):
            spent[party, each["merchant_category"]].append(each["amount"])

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {
            f"{category}_amount_90d": total(spent[party.party_id, category]) if first else None
            for category in SPENDING
        }  # fmt: skip
        return told | {"spending_completeness": covered(bank.as_of, 90, first)}

    return tell
