"""Whose records of partners, bureau and hospitals count: of those who consent to their being shared.

Belongs here: a party's word on a source, and rows by party as far as it allows. Does not belong here: any column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

import yaml

from customer_360_oracle.bank import CONTRACTS, POLICY, Bank, Row


@cache
def stated(contract: str) -> dict[str, Any]:
    """What a source contract says of itself."""
    domain, _, table = contract.partition(".")
    text = (CONTRACTS / "sources" / domain / f"{table}.odcs.yaml").read_text("utf-8")
    return {each["property"]: each["value"] for each in yaml.safe_load(text)["customProperties"]}


class Sharing:
    """What parties said of a contract's being shared with the bank, by the business date."""

    def __init__(self, bank: Bank, contract: str) -> None:
        data_class = stated(contract)["dataClass"]
        purpose = POLICY["lawful_use"]["sharing"][data_class]["consent"]
        assert stated(contract)["legalBasis"] in ("consent", "separate_consent")
        self.bank, self.contract = bank, contract
        events = bank.of_customers(bank.ever("consent.event"), "core.party", "holder", "party_key")
        self._said: dict[str, list[Row]] = {
            party: [
                row for row in rows
                if (row["purpose"], row["data_class"]) == (purpose, data_class)
                and row["event_time"].date() <= bank.as_of
            ]
            for party, rows in events.items()
        }  # fmt: skip

    def word(self, party: str, source: str) -> bool | None:
        """Whether the party consents to this source's sharing its records; None where it never said."""
        said = [row for row in self._said.get(party, []) if not row["partner"] or row["partner"] == source]
        last = max(said, key=lambda row: (row["event_time"], row["action"] == "withdraw"), default=None)
        return last and last["action"] == "grant"

    def rows(self, rows: Iterable[Row], role: str, *columns: str) -> dict[str, list[Row]]:
        """`Bank.of_parties`, without what is held back."""
        found: dict[str, list[Row]] = defaultdict(list)
        for party, mine in self.bank.of_parties(rows, self.contract, role, *columns).items():
            if told := [row for row in mine if self.word(party, row["source"])]:
                found[party] = told
        return found

    def says_yes(self, party: str) -> bool:
        """Whether at least one source that delivered may tell of the party."""
        return any(self.word(party, source) for source in self.bank.deliveries(self.contract))
