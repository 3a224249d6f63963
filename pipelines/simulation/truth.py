"""What the world knows and no delivery says: who is whom, who defaults, what a contact changes, what is planted.

Written beside the deliveries, never read by the pipeline. Belongs here: the tables of the truth. Does not belong here:
anything that is delivered.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from pipelines.settings import PRIVATE_DIR, PRIVATE_FILE, make_directory
from pipelines.simulation.campaigns import Campaign
from pipelines.simulation.companies import Companies
from pipelines.simulation.frames import dates
from pipelines.simulation.keys import campaign_key, loan_key, party_key, staff_key
from pipelines.simulation.people import People
from pipelines.simulation.world import World

Table = Callable[[World], Iterator[pl.DataFrame]]


def tables() -> dict[str, Table]:
    """The tables of the truth by name, each in parts."""
    return {
        "identity": _identity,
        "customer": _customers,
        "default": _defaults,
        "ring": _rings,
        "guarantee_circle": _circles,
        "treatment": _treatments,
        "staff": _staff,
    }


def write_truth(world: World, directory: Path) -> None:
    """Write the tables that are not there yet; the truth of a world does not change from day to day."""
    make_directory(directory, PRIVATE_DIR)
    for name, table in tables().items():
        path = directory / f"{name}.parquet"
        if not path.exists():
            _write(path, table(world))


def _write(path: Path, parts: Iterator[pl.DataFrame]) -> None:
    hidden = path.with_name(f".{path.name}.part")
    first = next(parts).to_arrow()
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file, pq.ParquetWriter(file, first.schema) as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part.to_arrow().cast(first.schema))
    hidden.replace(path)


def _identity(world: World) -> Iterator[pl.DataFrame]:
    """Which person or company each record of each system is of."""
    from pipelines.simulation.emitters.judicial import defendants
    from pipelines.simulation.records import identity_truth

    records = identity_truth(world)
    yield records
    cases = defendants(world).with_columns(source=pl.lit("court"), contract=pl.lit("judicial.case"))
    yield cases.select(pl.col(name).cast(kind) for name, kind in records.schema.items())


def _customers(world: World) -> Iterator[pl.DataFrame]:
    """Latent scores of everybody who is or becomes a customer, and when they stop or leave."""
    people = world.people
    rows = np.flatnonzero(people.join < world.settings.horizon_days)
    yield pl.DataFrame(
        {
            "person": rows,
            "party_key": party_key(False, rows),
            "household": people.household[rows],
            "joined_on": dates(world, people.join[rows]),
            "risk": people.risk[rows],
            "value": people.value[rows],
            "digital": people.digital[rows],
            "has_second_record": people.is_duplicate[rows],
            "dormant_from": dates(world, people.dormant[rows]),
            "leaves_from": dates(world, people.flight[rows]),
        }
    )


def _defaults(world: World) -> Iterator[pl.DataFrame]:
    """Financial distress of people and companies: its shock, what is missed, when it is a default, when it ends."""
    for kind, of in (("person", world.people), ("company", world.companies)):
        yield _distress(world, kind, of)


def _distress(world: World, kind: str, of: People | Companies) -> pl.DataFrame:
    line = of.timeline
    rows = np.flatnonzero(line.shock < world.settings.horizon_days)
    return pl.DataFrame(
        {
            "entity_kind": [kind] * len(rows),
            "entity": rows,
            "party_key": party_key(kind == "company", rows),
            "risk": of.risk[rows].astype(np.float64),
            "depth": line.depth[rows].astype(np.float64),
            "shock_on": dates(world, line.shock[rows]),
            "peak_on": dates(world, line.peak[rows]),
            "first_missed_on": dates(world, line.miss[rows]),
            "default_on": dates(world, line.default[rows]),
            "cured_on": dates(world, line.cure[rows]),
        },
        schema_overrides={"entity_kind": pl.String},
    )


def _rings(world: World) -> Iterator[pl.DataFrame]:
    """Members of fraud rings, with the phone, device and dwelling that they share by number."""
    people = world.people
    rows = np.flatnonzero(people.ring >= 0)
    yield pl.DataFrame(
        {
            "ring": people.ring[rows],
            "person": rows,
            "party_key": party_key(False, rows),
            "phone": people.phone[rows],
            "device": people.device[rows],
            "address": people.address[rows],
        }
    )


def _circles(world: World) -> Iterator[pl.DataFrame]:
    """Loans of companies that stand surety for each other in a circle."""
    loans = world.loans
    rows = np.flatnonzero(loans.circle >= 0)
    yield pl.DataFrame(
        {
            "circle": loans.circle[rows],
            "loan_key": loan_key(rows),
            "borrower": loans.borrower[rows],
            "guarantor": loans.guarantor[rows],
        }
    )


def _treatments(world: World) -> Iterator[pl.DataFrame]:
    """What a contact changes for each member of each campaign's target group."""
    for campaign in world.campaigns:
        yield _members(world, campaign)


def _members(world: World, campaign: Campaign) -> pl.DataFrame:
    members = world.members(campaign)
    return pl.DataFrame(
        {
            "campaign_key": [campaign_key(campaign.number)] * len(members.person),
            "person": members.person.astype(np.int64),
            "held_out": members.held_out,
            "base": members.base.astype(np.float64),
            "effect": members.effect.astype(np.float64),
        },
        schema_overrides={"campaign_key": pl.String},
    )


def _staff(world: World) -> Iterator[pl.DataFrame]:
    """Which members of staff edit customer data as their peers do not."""
    rows = np.arange(len(world.staff))
    yield pl.DataFrame({"staff_key": staff_key(rows), "is_abnormal": world.staff.abnormal})
