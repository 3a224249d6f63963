"""What the courts publish: cases that follow distress, some of them early, and cases of people who are well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.draws import cents, codes, cumulated, picks
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.distress import Timeline
    from pipelines.simulation.world import World

#: As the contract judicial.case lists them, and how dockets abbreviate them.
TYPES = ("civil_debt", "enforcement", "dishonest_debtor", "labour", "other")
CIVIL, ENFORCEMENT, DISHONEST = range(3)
_DOCKETS, _DOCKET_OF = ("民初", "执", "执失"), np.array([0, 1, 2, 0, 0])
_YEAR = 365.0
_PUBLISHED_WITHIN = (3, 35)  # assumption: days from filing to publication


@dataclass(frozen=True)
class Cases:
    """Every case of the horizon and the years before, in the order of publication; amount -1 is not published."""

    is_company: np.ndarray
    number: np.ndarray
    type: np.ndarray
    filed: np.ndarray
    published: np.ndarray
    closed: np.ndarray
    removed: np.ndarray
    amount: np.ndarray


@delivers("judicial.case", "court")
def cases(world: World, day: int, source: str) -> pl.DataFrame:
    """Cases published, closed or removed on `day`; on the first day all that were published before."""
    drawn = world.cached("judicial.cases", lambda: _cases(world))
    if day == 0:
        row = np.flatnonzero((drawn.published <= 0) & (drawn.removed > 0))
    else:
        closes = (drawn.closed == day) & (drawn.published < day) & (drawn.removed > day)
        row = np.flatnonzero((drawn.published == day) | closes | (drawn.removed == day))
    records, place, closed = known(world, source), _places(world, drawn)[row], drawn.closed[row]
    amount = drawn.amount[row]
    return pl.DataFrame({
        "case_key": _keys(world, drawn, row),
        "case_type": pick(TYPES, drawn.type[row]),
        "defendant_name": records["name"].gather(place),
        "defendant_national_id": records["national_id"].gather(place),
        "defendant_uscc": records["uscc"].gather(place),
        "filed_on": dates(world, drawn.filed[row]),
        "closed_on": dates(world, np.where(closed <= day, closed, NEVER)),
        "amount": pl.select(pl.when(pl.Series(amount >= 0)).then(pl.Series(amount))).to_series(),
        "updatedOn": dates(world, np.full(len(row), day)),
        "op": pick(("U", "D"), (drawn.removed[row] == day).astype(np.int64)),
    })  # fmt: skip


def defendants(world: World) -> pl.DataFrame:
    """The truth about every case of the horizon: its key, and the person or company that it is against."""
    drawn = world.cached("judicial.cases", lambda: _cases(world))
    return pl.DataFrame({
        "record_key": _keys(world, drawn, np.arange(len(drawn.number))),
        "entity_kind": pick(("person", "company"), drawn.is_company.astype(np.int64)).cast(pl.String),
        "entity": drawn.number.astype(np.int32),
    })  # fmt: skip


def _keys(world: World, drawn: Cases, row: np.ndarray) -> pl.Series:
    """Docket numbers: year, an invented court, kind of docket, number."""
    parts = pl.DataFrame({
        "year": dates(world, drawn.filed[row]).dt.year(),
        "docket": pick(_DOCKETS, _DOCKET_OF[drawn.type[row]]).cast(pl.String),
        "number": row,
    })  # fmt: skip
    return parts.select(pl.format("({})模01{}{}号", "year", "docket", "number")).to_series()


def _places(world: World, drawn: Cases) -> np.ndarray:
    """Row of the court's record of the defendant of each case, -1 for who cannot be sued."""
    people, companies = rows_of(world, "court", "person"), rows_of(world, "court", "company")
    firm, person = np.where(drawn.is_company, drawn.number, 0), np.where(drawn.is_company, 0, drawn.number)
    return np.where(drawn.is_company, companies[firm], people[person])


def _cases(world: World) -> Cases:
    found = [_of(world, False, world.people.timeline), _of(world, True, world.companies.timeline)]
    merged = Cases(*(np.concatenate(columns) for columns in zip(*(vars(each).values() for each in found), strict=True)))
    order = np.argsort(merged.published, kind="stable")
    kept = order[_places(world, merged)[order] >= 0]
    return Cases(*(column[kept] for column in vars(merged).values()))


def _of(world: World, is_company: bool, timeline: Timeline) -> Cases:
    """Cases against people or against companies."""
    settings, kind = load_scenarios().judicial, int(is_company)
    horizon, count = world.settings.horizon_days, len(timeline.shock)
    rng = world.streams.of(f"judicial.{kind}")
    period = settings.history_days + horizon
    ordinary = picks(rng, cumulated(np.full(count, settings.ordinary[kind] * period / _YEAR)))
    at = rng.integers(-settings.history_days, horizon, len(ordinary))
    early = np.flatnonzero((rng.random(count) < settings.early[kind] * timeline.depth) & (timeline.shock < NEVER))
    lead = np.minimum(timeline.peak - timeline.shock, NEVER - 1)[early]
    noticed = timeline.shock[early] + np.floor(lead * rng.random(len(early))).astype(np.int64)
    sued = np.flatnonzero((rng.random(count) < settings.after[kind]) & (timeline.default < horizon))
    claimed = timeline.default[sued] + rng.integers(*settings.after_days, len(sued))
    enforced = np.flatnonzero(rng.random(len(sued)) < settings.enforced)
    pursued = claimed[enforced] + rng.integers(*settings.enforced_days, len(enforced))
    listed = np.flatnonzero(rng.random(len(enforced)) < settings.dishonest)
    blamed = pursued[listed] + rng.integers(*settings.dishonest_days, len(listed))
    last = sued[enforced][listed]
    number = np.concatenate([ordinary, early, sued, sued[enforced], last]).astype(np.int64)
    filed = np.concatenate([at, noticed, claimed, pursued, blamed]).astype(np.int64)
    sizes = [len(each) for each in (ordinary, early, sued, enforced, listed)]
    kinds = np.repeat([CIVIL, CIVIL, CIVIL, ENFORCEMENT, DISHONEST], sizes)
    kinds[: sizes[0]] = codes(rng, settings.ordinary_types, sizes[0])
    published = filed + rng.integers(*_PUBLISHED_WITHIN, len(filed))
    took = np.ceil(settings.closing_days * np.exp(settings.closing_sigma * rng.standard_normal(len(filed))))
    free = timeline.cure[number].astype(np.int64) + settings.removed_days
    # Nobody is closed off the list of dishonest debtors: who has paid is taken off it.
    on_list = kinds == DISHONEST
    removed = np.where(on_list & (free < horizon), np.maximum(free, published + 1), NEVER)
    amount = cents(rng, settings.amount_median[kind], settings.amount_sigma, len(filed))
    amount = np.where(rng.random(len(filed)) < settings.amount_missing, -1, amount)
    is_in = (filed >= -settings.history_days) & (published < horizon) & (removed > 0)
    everything = Cases(
        is_company=np.full(len(filed), is_company), number=number, type=kinds, filed=filed, published=published,
        closed=np.where(on_list, NEVER, filed + took.astype(np.int64)), removed=removed, amount=amount,
    )  # fmt: skip
    return Cases(*(column[is_in] for column in vars(everything).values()))
