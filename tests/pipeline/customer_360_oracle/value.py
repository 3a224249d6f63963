"""What the bank earned from the party in a year."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from customer_360_oracle.bank import Bank, Row, threshold
from customer_360_oracle.credit import events_of_loans, loans_of, runs
from customer_360_oracle.flows import ends_of_day
from customer_360_oracle.party import Party
from customer_360_oracle.window import ZERO, rounded, share, total, within

CONTRACTS = ("core.transaction", "loan.contract", "wealth.holding")


def margin(loan: Row, paid: list[Row], bank: Bank) -> Decimal:
    """The interest of a loan less what funding it cost; a share of its principal where no payment is known."""
    inside = [each for each in paid if within(each["known"], bank.as_of, 365)]
    if inside and loan["annual_rate"]:
        interest = Fraction(total(each["amount"] - each["principal_amount"] for each in inside))
        kept = 1 - Fraction(threshold("value.funding_rate")) / Fraction(loan["annual_rate"])
        return rounded(interest * max(Fraction(0), kept), 2)
    return of(threshold("value.loan_margin"), loan["principal"]) if runs(loan, bank.as_of) else ZERO


def of(rate: Decimal, amount: Decimal) -> Decimal:
    """A share of an amount, in cents."""
    return rounded(Fraction(rate) * Fraction(amount), 2)


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Income by where it comes from."""
    ends_of, events = ends_of_day(bank, everyone), events_of_loans(bank)
    booked, lent = bank.delivered("core.transaction"), bank.delivered("loan.contract")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mean = rounded(Fraction(total(ends_of.get(party.party_id, []))) / 365, 2)
        deposits = of(threshold("value.deposit_margin"), max(mean, ZERO)) if booked else None
        margins = (margin(loan, events[loan["loan_key"]]["paid"], bank) for loan in loans_of(bank, party))
        loans = total(margins) if lent else None
        market_value = row["wealth_market_value"]
        fees = None if market_value is None else of(threshold("value.wealth_fee"), market_value)
        parts = [row["fee_amount_365d"], deposits, loans, fees]
        return {
            "value_deposit_margin_365d": deposits,
            "value_loan_margin_365d": loans,
            "value_wealth_fees_365d": fees,
            "value_income_365d": sum((each for each in parts if each is not None), ZERO) if booked else None,
            "value_completeness": share(bank.delivered(*CONTRACTS), len(CONTRACTS)),
        }

    return tell
