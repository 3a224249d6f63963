"""The blocks together: the whole row of every party.

Belongs here: which blocks there are, and the order of the contract. Does not belong here: how a column is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from customer_360_oracle import (
    app,
    contact,
    credit,
    crm,
    environment,
    flows,
    identity,
    judicial,
    lifecycle,
    market,
    orders,
    person_partners,
    products,
    registry,
    service,
    supply_chain,
    tax,
    value,
    wealth,
)  # fmt: skip
from customer_360_oracle.bank import CONTRACTS, Bank
from customer_360_oracle.party import Party, parties

Values = dict[str, Any]
# A block is prepared once for a bank; what it gives is asked for each party, with what earlier blocks found.
Block = Callable[[Bank, dict[str, Party]], Callable[[Party, Values], Values]]
BLOCKS: tuple[Block, ...] = (
    identity.block, lifecycle.block, products.block, flows.balances, flows.block, flows.spending, credit.block,
    credit.cards, credit.surety, wealth.block, value.block, app.block, crm.block, crm.campaigns, service.block,
    contact.consents, contact.block, service.payroll, orders.block, market.block, supply_chain.block,
    person_partners.medical, person_partners.bureau, person_partners.social_security, tax.block, registry.block,
    judicial.block, environment.block,
)  # fmt: skip


def contracted_columns() -> list[str]:
    """The columns that the contract promises, in its order."""
    contract = yaml.safe_load((CONTRACTS / "marts/customer/customer_360.odcs.yaml").read_text("utf-8"))
    return [column["name"] for column in contract["schema"][0]["properties"]]


def recompute(bank: Bank) -> dict[str, Values]:
    """Every row of the mart by party id, as far as there is a block for its columns."""
    everyone = parties(bank)
    blocks = [block(bank, everyone) for block in BLOCKS]
    rows: dict[str, Values] = {}
    for party in everyone.values():
        row: Values = {"party_id": party.party_id, "business_date": bank.as_of, "party_kind": party.kind}
        for block in blocks:
            told = block(party, row)
            assert not (again := row.keys() & told.keys()), f"two blocks tell {again}"
            row |= told
        rows[party.party_id] = row
    return rows
