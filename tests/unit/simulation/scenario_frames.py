"""Frames of the scenario emitters, and what every one of them has to be: rows that its contract accepts.

What belongs here: making and checking frames for the tests beside it. What does not: what a scenario is about.
"""

from __future__ import annotations

from functools import cache

import duckdb
import polars as pl
from project import project_catalog

from pipelines.contracts.checks import row_checks
from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.simulation import emitters
from pipelines.simulation.frames import EMITTERS
from pipelines.simulation.raw import fields_of
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import World, build_world

BANK = "simbank"
SCENARIOS = [
    ("channel.app_event", "app"),
    ("crm.campaign", "campaigns"),
    ("crm.contact", "campaigns"),
    ("service.complaint", "service"),
    ("survey.nps", "survey"),
    ("consent.event", "consent"),
    ("ops.audit_log", "ops"),
    ("ecommerce.order", "taobu"),
    ("ecommerce.order", "pinhao"),
    ("market.stall_lease", "market_east"),
    ("market.stall_lease", "market_west"),
    ("market.daily_turnover", "market_east"),
    ("market.daily_turnover", "market_west"),
    ("supply_chain.invoice", "supply_chain"),
    ("supply_chain.shipment", "supply_chain"),
    ("medical.payment", "hospital"),
    ("tax.filing", "tax"),
    ("judicial.case", "court"),
    ("bureau.credit_report", "bureau"),
    ("social_security.contribution", "social_security"),
    ("environment.penalty", "environment"),
]
_DECIMALS = {"decimal(18,2)": 100, "decimal(9,4)": 10_000}
_PLAIN = {"string": pl.String, "date": pl.Date, "timestamp": pl.Datetime("us"), "boolean": pl.Boolean}
assert emitters  # importing it registers every emitter


@cache
def catalog() -> Catalog:
    return project_catalog()


@cache
def world(customers: int, seed: int = 5) -> World:
    return build_world(load_settings(), customers, seed)


def contract_of(contract: str) -> Contract:
    return catalog().sources[contract]


def feed_of(contract: str, source: str) -> Feed:
    return next(feed for feed in catalog().feeds(BANK) if (feed.contract, feed.source) == (contract, source))


def frame(of: World, contract: str, source: str, day: int) -> pl.DataFrame:
    return EMITTERS[contract, source](of, day, source)


def frames(of: World, contract: str, source: str, days: range) -> pl.DataFrame:
    """The frames of several days, one below the other, with their day."""
    parts = [frame(of, contract, source, day).with_columns(day=pl.lit(day)) for day in days]
    return pl.concat([part.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String)) for part in parts])


def check(of: World, contract: Contract, feed: Feed, found: pl.DataFrame, day: int) -> None:
    """Assert that a frame has the columns and types of its feed, and no row that its contract refuses."""
    fields = fields_of(feed, contract)
    assert set(found.columns) == {field.column for field in fields}, contract.id
    today = of.calendar.date(day)
    for column in contract.columns:
        if column.name not in found.columns:
            continue
        kind = found.schema[column.name]
        if column.type in _DECIMALS or column.type == "bigint":
            assert kind.is_integer(), (contract.id, column.name, kind)
        elif column.type == "string":
            assert kind == pl.String or isinstance(kind, pl.Enum | pl.Categorical), (contract.id, column.name, kind)
        else:
            assert kind == _PLAIN[column.type], (contract.id, column.name, kind)
        if column.type in ("date", "timestamp") and column.name not in ("ends_on", "due_on") and len(found):
            last = found[column.name].cast(pl.Date).max()
            assert last is None or last <= today, (contract.id, column.name, last)
    assert found.select(contract.key).n_unique() == len(found), contract.id
    violations(contract, found)


def violations(contract: Contract, found: pl.DataFrame) -> None:
    """Assert that no row that is not a deletion breaks a rule of its contract, by the very checks of ingest."""
    deleted = next((name for name in ("op", "OP") if name in found.columns), None)
    rows = found.filter(pl.col(deleted).cast(pl.String) != "D") if deleted else found
    scaled = [
        (pl.col(column.name) / _DECIMALS[column.type]).alias(column.name)
        for column in contract.columns if column.type in _DECIMALS and column.name in rows.columns
    ]  # fmt: skip
    missing = [pl.lit(None).alias(column.name) for column in contract.columns if column.name not in rows.columns]
    plain = rows.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String)).with_columns(*scaled, *missing)
    with duckdb.connect() as con:
        con.register("checked", plain.to_arrow())
        for rule in row_checks(contract):
            if rule.column in found.columns or rule.rule == "required" or not rule.column:
                query = f"select count(*) from checked where coalesce({rule.violated}, false)"
                assert con.execute(query).fetchall()[0][0] == 0, (contract.id, rule)
