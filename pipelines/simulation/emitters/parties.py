"""What core delivers of people and companies, and of who may dispose of which account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import INDUSTRIES
from pipelines.simulation.frames import dates, pick, snapshots
from pipelines.simulation.keys import account_key, holding_key, party_key
from pipelines.simulation.people import OCCUPATIONS
from pipelines.simulation.records import records_of
from pipelines.simulation.records.mistakes import hits
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contracts core.party and core.account_holder list them.
KINDS, GENDERS, ROLES = ("person", "organisation"), ("female", "male"), ("owner", "disponent")


@snapshots("core.party", "core")
def parties(world: World, day: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Every record that core has on `day`, in the order in which they were opened."""
    records = records_of(world, "core")
    known = int(np.searchsorted(records["since"].to_numpy(), day, side="right"))
    versions, corrected = world.cached("emitters.parties", lambda: _versions(world))
    rows, changed = np.arange(known), corrected[: int(np.searchsorted(corrected, known))]
    # The second versions follow the first of all records, in their order.
    right = np.flatnonzero(records["phone_corrected"].to_numpy()[changed] <= day)
    rows[changed[right]] = records.height + right
    return versions, rows


def _versions(world: World) -> tuple[pl.DataFrame, np.ndarray]:
    """All records as they are at first, then those whose phone is corrected as they are from then on; and which."""
    frame, corrected = _parties(world), np.flatnonzero(records_of(world, "core")["phone_corrected"].to_numpy() < NEVER)
    after = frame[corrected].drop("phone_before")
    before = frame.with_columns(phone=pl.col("phone_before")).drop("phone_before")
    return pl.concat([before, after]), corrected


def _parties(world: World) -> pl.DataFrame:
    """All records of the horizon with what never changes, and the phones before and after a correction."""
    records, people, companies = records_of(world, "core"), world.people, world.companies
    person, company = records["person"].to_numpy(), records["company"].to_numpy()
    is_company, who, firm = person < 0, np.maximum(person, 0), np.maximum(company, 0)
    unknown = hits(world, "core.occupation", records.height, load_noise().core.occupation_missing)
    unknown |= is_company | records["is_second"].to_numpy()
    return pl.DataFrame({
        "party_key": records["key"],
        "party_kind": pick(KINDS, is_company),
        "full_name": records["name"],
        "national_id": records["national_id"],
        "phone_before": records["phone_before"],
        "phone": records["phone"],
        "gender": pick(GENDERS, np.where(is_company, -1, ~people.female[who])),
        "district_key": pick([district.key for district in world.districts],
                             np.where(is_company, companies.district[firm], people.district[who])),
        "uscc": records["uscc"],
        "address": records["address"],
        "occupation": pick(OCCUPATIONS, np.where(unknown, -1, people.occupation[who])),
        "employer_name": records["employer_name"],
        "industry_code": pick(INDUSTRIES, np.where(is_company, companies.industry[firm], -1)),
        "customer_since": dates(world, records["since"].to_numpy()),
        "BIRTH_DT": dates(world, np.where(is_company, NEVER, people.birth[who])),
    })  # fmt: skip


@snapshots("core.account_holder", "core")
def account_holders(world: World, day: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Owners and second holders of the accounts that are open on `day`, in the order in which they were opened."""
    frame, opened = world.cached("emitters.account_holders", lambda: _holders(world))
    return frame, np.arange(int(np.searchsorted(opened, day, side="right")))


def _holders(world: World) -> tuple[pl.DataFrame, np.ndarray]:
    """All holdings of the horizon with the day of each; who has two records holds some accounts through the second."""
    accounts = world.accounts
    via = [accounts.is_company, accounts.via_duplicate, ~accounts.is_company & ~accounts.via_duplicate]
    makers = [lambda who: party_key(True, who), lambda who: party_key(False, who, duplicate=True),
              lambda who: party_key(False, who)]  # fmt: skip
    parts = []
    for rows, keys in zip(map(np.flatnonzero, via), makers, strict=True):
        parts.append((rows, 0, keys(accounts.holder[rows]), holding_key(rows)))
    second = np.flatnonzero(accounts.second >= 0)
    parts.append((second, 1, party_key(False, accounts.second[second]), holding_key(second, second=True)))
    account = np.concatenate([rows for rows, *_ in parts])
    role = np.concatenate([np.full(len(rows), number) for rows, number, *_ in parts])
    order = np.lexsort((role, account, accounts.opened[account]))
    opened = accounts.opened[account][order]
    frame = pl.DataFrame({
        "holding_key": pl.concat([keys for *_, keys in parts]).gather(order),
        "party_key": pl.concat([keys for _, _, keys, _ in parts]).gather(order),
        "account_key": account_key(account[order]),
        "role": pick(ROLES, role[order]),
        "SINCE_DT": dates(world, opened),
    })  # fmt: skip
    return frame, opened
