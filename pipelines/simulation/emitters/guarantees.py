"""What the lending system delivers of guarantees: who stands surety, by name and number.

Guarantors need not be customers, so their names and numbers come from the citizens and companies themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.emitters.lending import loan_keys, running
from pipelines.simulation.frames import dates, delivers
from pipelines.simulation.records import citizens

if TYPE_CHECKING:
    from pipelines.simulation.world import World


@delivers("loan.guarantee", "lending")
def guarantees(world: World, day: int, source: str) -> pl.DataFrame:
    """Guarantees of the loans on the books."""
    frame, loan = world.cached("lending.guarantees", lambda: _guarantees(world))
    return frame.filter(pl.Series(running(world, day)[loan]))


def _guarantees(world: World) -> tuple[pl.DataFrame, np.ndarray]:
    loans = world.loans
    loan = np.flatnonzero(loans.guarantor >= 0)
    guarantor, is_company = loans.guarantor[loan], loans.is_company[loan]
    rng = world.streams.of("lending.guarantees")
    unnumbered = rng.random(len(loan)) < behaviour().lending.guarantor_unnumbered
    frame = pl.DataFrame(
        {
            "guarantee_key": keys.text_key("GU", keys.spread(loan, 43)),
            "loan_key": loan_keys(world).gather(pl.Series(loan.astype(np.uint32))),
            "guarantor_name": _either(
                is_company, guarantor, citizens.company_names(world), citizens.full_names(world)
            ),
            "guarantor_national_id": _some(~is_company & ~unnumbered, guarantor, citizens.national_ids(world)),
            "guarantor_uscc": _some(is_company & ~unnumbered, guarantor, citizens.credit_codes(world)),
            "guaranteed_amount": loans.principal[loan],
            "signed_on": dates(world, loans.granted[loan]),
        }
    )  # fmt: skip
    return frame, loan


def _some(known: np.ndarray, numbers: np.ndarray, texts: pl.Series) -> pl.Series:
    """Texts of the numbers that are `known`, null for others."""
    rows = pl.Series(np.where(known, numbers, 0).astype(np.uint32))
    return pl.select(pl.when(pl.Series(known)).then(texts.gather(rows))).to_series()


def _either(is_company: np.ndarray, numbers: np.ndarray, companies: pl.Series, people: pl.Series) -> pl.Series:
    return _some(is_company, numbers, companies).fill_null("") + _some(~is_company, numbers, people).fill_null("")
