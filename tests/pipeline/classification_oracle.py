"""The five categories of every loan and credit card of a home, recomputed from the lake by the words of the articles.

Belongs here: what a facility is, who owes it, and its class, on one date; ladders are written out, not read from the
models. Does not belong here: arrears of a loan or a card as such (`customer_360_oracle.credit`), what must hold
(`test_loan_classification`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.credit import arrears, card_days, events_of_loans
from customer_360_oracle.products import cards as cards_of
from customer_360_oracle.window import ZERO, months_later, total

CLASSES = ("normal", "special_mention", "substandard", "doubtful", "loss")
# From how many days past due on (the first day, included) each class is the least one: articles 10 to 13, and 92.
LOAN_LADDER = ((8, 1), (91, 2), (271, 3), (361, 4))
CARD_LADDER = ((1, 1), (91, 2), (121, 3), (181, 4))
CENT = Decimal("0.01")


@dataclass
class Facility:
    """A loan or a card that something is or may be owed on; `amount` is None where it is not known."""

    kind: str
    number: str
    days: int
    amount: Decimal | None
    debtors: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    level: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What it is published under."""
        return self.kind, self.number

    @property
    def by_days(self) -> int:
        """The class by days past due alone."""
        ladder = LOAN_LADDER if self.kind == "loan" else CARD_LADDER
        return max((level for first, level in ladder if self.days >= first), default=0)


def facilities(bank: Bank) -> list[Facility]:
    """What is owed on the bank's date, without classes."""
    accounts = {row["account_key"] for row in bank.on_record("core.account")}
    standing = [row for row in bank.on_record("core.account_holder") if row["account_key"] in accounts]
    holders = bank.of_customers(standing, "core.party", "holder", "party_key")
    owners: dict[str, set[str]] = defaultdict(set)
    for party, rows in holders.items():
        for row in rows:
            if row["role"] == "owner":
                owners[row["account_key"]].add(party)
    return [each for each in (*_loans(bank, owners), *_cards(bank)) if each.debtors]


def _loans(bank: Bank, owners: dict[str, set[str]]) -> Iterable[Facility]:
    events, start = events_of_loans(bank), bank.first_row("loan.repayment")
    for loan in bank.on_record("loan.contract"):
        mine = events[loan["loan_key"]]
        unpaid, days = arrears(mine, bank.as_of)
        amount, is_whole = _owed(loan, mine, start)
        runs = months_later(loan["granted_on"], loan["term_months"]) > bank.as_of
        if unpaid or (is_whole and amount) or (runs and amount != 0):
            yield Facility("loan", loan["loan_key"], days, amount, owners[loan["account_key"]])


def _owed(loan: Row, events: dict[str, list[Row]], start: date | None) -> tuple[Decimal | None, bool]:
    """What is owed on a loan, and whether every instalment is on record."""
    numbers = [row["instalment_no"] for rows in events.values() for row in rows]
    if (min(numbers) == 1) if numbers else not (start and months_later(loan["granted_on"], 1) < start):
        return max(loan["principal"] - total(row["principal_amount"] for row in events["paid"]), ZERO), True
    first = events["due"][0] if events["due"] else None
    if first is None or not loan["annual_rate"] or first["amount"] == first["principal_amount"]:
        return None, False
    before = (first["amount"] - first["principal_amount"]) * 12 / loan["annual_rate"]
    paid = total(r["principal_amount"] for r in events["paid"] if r["instalment_no"] >= first["instalment_no"])
    return max(before.quantize(CENT, ROUND_HALF_UP) - paid, ZERO), False


def _cards(bank: Bank) -> Iterable[Facility]:
    statements: dict[str, list[Row]] = defaultdict(list)
    for each in sorted(bank.ever("card.statement"), key=lambda each: each["statement_date"]):
        statements[each["card_key"]].append(each)
    for party, cards in cards_of(bank).items():
        for card in cards:
            if card["card_kind"] == "credit":
                mine = statements[card["card_key"]]
                owed = mine[-1]["statement_balance"] if mine else ZERO
                yield Facility("card", card["card_key"], card_days(mine, bank.as_of), owed, {party})


def classified(home: Path, day: date) -> list[Facility]:
    """Every facility with its class and the codes of what speaks for it beyond the ladders."""
    bank = Bank(home, day)
    found, owed = facilities(bank), defaultdict(list)
    for facility in found:
        facility.level = facility.by_days
        for party in facility.debtors:
            owed[party].append(facility)
    cases = bank.of_parties(bank.on_record("judicial.case"), "judicial.case", "defendant", "case_key")
    reports = bank.of_parties(bank.ever("bureau.credit_report"), "bureau.credit_report", "subject",
                              "national_id_token", "uscc_token")  # fmt: skip
    impaired = {party: _impairment(cases.get(party, []), day) for party in owed}
    for party, mine in owed.items():
        grounds = dict.fromkeys(impaired[party], 2)
        if bank.kinds[party] == "organisation":
            # What is impaired counts as non-performing here, whatever its days.
            bad = [f for f in mine if f.by_days >= 2 or impaired[party]]
            grounds |= _other_debts(mine, bad, reports.get(party, []))
        for facility in mine:
            facility.reasons |= grounds.keys()
            facility.level = max(facility.level, *grounds.values(), 0)
    return found


def _impairment(cases: list[Row], day: date) -> set[str]:
    """Article 11, item 2: an enforcement that is open, or an entry in the list of dishonest debtors."""
    still = [each for each in cases if each["closed_on"] is None or each["closed_on"] > day]
    kinds = {each["case_type"] for each in still if each["filed_on"] <= day}
    codes = {"enforcement": "impaired_enforcement", "dishonest_debtor": "impaired_dishonest_debtor"}
    return {code for kind, code in codes.items() if kind in kinds}


def _other_debts(mine: list[Facility], bad: list[Facility], reports: list[Row]) -> dict[str, int]:
    """Articles 7, 10 item 4 and 11 item 4, of one non-retail debtor."""
    found = {}
    everything = total(f.amount or ZERO for f in mine)
    if bad:
        found["non_performing_here"] = 1
        share_known = all(f.amount is not None for f in bad) and everything
        if not share_known or total(f.amount or ZERO for f in bad) * 10 > everything:
            found["cross_default"] = 2
    if reports:
        last = max(reports, key=lambda each: (each["report_date"], each["known"]))
        late = total(f.amount or ZERO for f in mine if f.by_days >= 2)
        if late * 5 > max(everything, last["loan_balance"] + last["card_balance"]):
            found["late_at_all_banks"] = 2
        if last["worst_days_past_due_24m"] > 90:
            found["past_due_in_bureau"] = 1
    return found
