"""What each system holds of each person and company: the same people, known differently everywhere.

`records_of(world, system)` is a frame with one row per record: `person` and `company` (number in the world, -1 for
none: the truth), `key` (as the system writes it), `since` (day of the record), and the columns that the system has.
What belongs here: records and their mistakes, one module per group of systems. What does not: deliveries (`emitters`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from pipelines.simulation.records.bank import app_records, core_records
from pipelines.simulation.records.customers import crm_records
from pipelines.simulation.records.partners import (
    bureau_records,
    coded_records,
    court_records,
    hospital_records,
    market_records,
    social_security_records,
)
from pipelines.simulation.records.register import registry_records, role_records
from pipelines.simulation.records.shops import pinhao_records, taobu_records

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_BUILDERS: dict[str, Callable[[World], pl.DataFrame]] = {
    "core": core_records,
    "crm": crm_records,
    "app": app_records,
    "taobu": taobu_records,
    "pinhao": pinhao_records,
    "market_east": lambda world: market_records(world, "market_east"),
    "market_west": lambda world: market_records(world, "market_west"),
    "hospital": hospital_records,
    "registry": registry_records,
    "registry_roles": role_records,
    "court": court_records,
    "tax": lambda world: coded_records(world, "tax"),
    "supply_chain": lambda world: coded_records(world, "supply_chain"),
    "environment": lambda world: coded_records(world, "environment"),
    "social_security": social_security_records,
    "bureau": bureau_records,
}
# Contract of each system's records, and the column by which the contract tells them apart. Where it has no key of its
# own for people or companies, that is their identifier; without one, no table can say whom a row is of.
_TRUTH = (
    ("core", "core", "core.party", "key"),
    ("crm", "crm", "crm.customer", "key"),
    ("app", "app", "channel.app_event", "key"),
    ("taobu", "taobu", "ecommerce.order", "key"),
    ("pinhao", "pinhao", "ecommerce.order", "key"),
    ("market_east", "market_east", "market.stall_lease", "key"),
    ("market_west", "market_west", "market.stall_lease", "key"),
    ("hospital", "hospital", "medical.payment", "national_id"),
    ("registry", "registry", "registry.company", "key"),
    ("registry_roles", "registry", "registry.role", "key"),
    ("tax", "tax", "tax.filing", "uscc"),
    ("supply_chain", "supply_chain", "supply_chain.invoice", "uscc"),
    ("environment", "environment", "environment.penalty", "uscc"),
    ("social_security", "social_security", "social_security.contribution", "national_id"),
    ("bureau", "bureau", "bureau.credit_report", "national_id"),
    ("bureau", "bureau", "bureau.credit_report", "uscc"),
)
# The person on an entry of the register is named, the company has the entry; a role is a person's.
_ONLY_COMPANY, _ONLY_PERSON = {"registry"}, {"registry_roles"}


def records_of(world: World, system: str) -> pl.DataFrame:
    """The records of a system; built once per world."""
    return world.cached(f"records.of.{system}", lambda: _BUILDERS[system](world))


def identity_truth(world: World) -> pl.DataFrame:
    """Of every record of every system: source, contract, record_key, entity_kind (person or company), entity.

    A record of a market is of a company and of its owner: it has two rows. Court cases are not among them: who the
    defendant is, the cases know (`emitters.judicial`).
    """
    parts = []
    for system, source, contract, column in _TRUTH:
        records = records_of(world, system)
        for kind in ("person", "company"):
            if (kind == "person" and system in _ONLY_COMPANY) or (kind == "company" and system in _ONLY_PERSON):
                continue
            known = records.filter((pl.col(kind) >= 0) & pl.col(column).is_not_null())
            parts.append(known.select(
                source=pl.lit(source), contract=pl.lit(contract), record_key=pl.col(column),
                entity_kind=pl.lit(kind), entity=pl.col(kind),
            ))  # fmt: skip
    return pl.concat(parts)
