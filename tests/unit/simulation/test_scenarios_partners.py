"""Partners: their weeks and seasons, and signals that come before default without giving it away."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.draws import company_strain, strain
from pipelines.simulation.emitters.shops import pull
from pipelines.simulation.keys import lease_key
from pipelines.simulation.known import known, rows_of, whose
from pipelines.simulation.world import World

from .scenario_frames import frame, frames, world

DAY = 500  # well within the horizon, far from holidays


@pytest.fixture(scope="module")
def city() -> World:
    return world(20_000)


def per_person(found: pl.DataFrame, of: World, system: str, key: str) -> np.ndarray:
    """Rows of each person."""
    person = dict(zip(known(of, system)["key"].to_list(), whose(of, system).tolist(), strict=True))
    return np.bincount([person[each] for each in found[key]], minlength=len(of.people))


def separation(score: np.ndarray, bad: np.ndarray) -> float:
    """Area under the curve of a score that should be higher for the bad: ties count half."""
    order = np.argsort(np.concatenate([score[bad], score[~bad]]), kind="stable")
    values = np.concatenate([score[bad], score[~bad]])[order]
    first, last = np.searchsorted(values, values, "left"), np.searchsorted(values, values, "right")
    ranks = np.empty(len(values))
    ranks[order] = (first + last + 1) / 2
    size = bad.sum()
    return float((ranks[:size].sum() - size * (size + 1) / 2) / (size * (~bad).sum()))


@pytest.mark.parametrize(("contract", "system", "key"), [
    ("channel.app_event", "app", "app_user_key"), ("ecommerce.order", "taobu", "buyer_key"),
])  # fmt: skip
def test_people_in_distress_do_less_but_not_so_that_it_tells_all(
    city: World, contract: str, system: str, key: str
) -> None:
    rows = per_person(frames(city, contract, system, range(DAY - 21, DAY + 1)), city, system, key)
    users = np.flatnonzero(
        (rows_of(city, system, "person") >= 0) & (city.people.join < 0) & (city.people.dormant > DAY)
    )
    strained, rows = strain(city, DAY)[users], rows[users]
    assert 0.5 < rows[strained > 0.4].mean() / rows[strained == 0].mean() < 0.95
    assert separation(-rows.astype(float), strained > 0.4) < 0.68


def test_shops_have_weeks_peaks_and_pay_later(city: World) -> None:
    eleven = city.calendar.day(city.calendar.start.replace(month=11, day=11))
    for shop in ("taobu", "pinhao"):
        ordinary = np.mean([len(frame(city, "ecommerce.order", shop, eleven - back)) for back in range(35, 49)])
        assert 3 < len(frame(city, "ecommerce.order", shop, eleven)) / ordinary < 5.5
    assert pull(city, eleven + 4) > pull(city, eleven + 1)  # a Saturday against a Wednesday
    orders = frames(city, "ecommerce.order", "taobu", range(DAY - 30, DAY))
    person = dict(zip(known(city, "taobu")["key"].to_list(), whose(city, "taobu").tolist(), strict=True))
    strained = strain(city, DAY)[[person[each] for each in orders["buyer_key"]]]
    later = orders["is_pay_later"].to_numpy()
    assert later[strained > 0.4].mean() > 1.4 * later[strained == 0].mean()
    assert (orders["returned_amount"] <= orders["amount"]).all()
    assert 0.02 < (orders["returned_amount"] > 0).mean() < 0.15


def test_stalls_fall_before_their_owners_default(city: World) -> None:
    found = pl.concat([frames(city, "market.daily_turnover", market, range(420)) for market in
                       ("market_east", "market_west")])  # fmt: skip
    stalls, keys = city.stalls, np.empty(len(city.stalls), dtype=object)
    for number, market in enumerate(("market_east", "market_west")):
        lease = np.flatnonzero(stalls.market == number)
        keys[lease] = lease_key(lease, market).to_numpy()
    share = np.stack([company_strain(city, day)[stalls.company] for day in range(420)])
    place = {key: number for number, key in enumerate(keys)}
    row = np.array([place[key] for key in found["lease_key"]])
    level = np.log(np.maximum(found["turnover"].to_numpy(), 1))
    usual = np.bincount(row, weights=level, minlength=len(keys)) / np.maximum(np.bincount(row, minlength=len(keys)), 1)
    deviation, strained = level - usual[row], share[found["day"].to_numpy(), row]
    assert deviation[strained > 0.4].mean() < deviation[strained == 0].mean() - 0.08
    assert deviation[strained == 0].std() > 0.3  # healthy stalls go up and down too
    weekend = deviation[(found["day"].to_numpy() + city.calendar.weekday(0)) % 7 >= 5]
    assert weekend.mean() > deviation.mean()


def test_nobody_trades_on_new_years_eve_as_usual(city: World) -> None:
    spring = city.calendar.day(city.calendar.start.replace(day=29))
    shut, usual = (len(frame(city, "market.daily_turnover", "market_east", day)) for day in (spring, spring - 14))
    assert shut < 0.4 * usual


def test_a_buyer_in_distress_pays_late(city: World) -> None:
    found = frames(city, "supply_chain.invoice", "supply_chain", range(1)).filter(pl.col("op") == "U")
    paid = found.filter(pl.col("paid_on").is_not_null())
    late = (paid["paid_on"] - paid["due_on"]).dt.total_days()
    assert 0.2 < (late > 0).mean() < 0.6
    open_late = found.filter(pl.col("paid_on").is_null() & (pl.col("due_on") < city.calendar.date(0)))
    assert 0.003 < len(open_late) / len(found) < 0.25
    assert (found["due_on"] > found["issued_on"]).all()


def test_cases_come_early_for_some_and_more_after_default(city: World) -> None:
    found = pl.concat([frame(city, "judicial.case", "court", day).with_columns(
        pl.col(pl.Enum).cast(pl.String)) for day in range(0, 900)])  # fmt: skip
    new = found.filter(pl.col("op") == "U").unique("case_key", keep="first", maintain_order=True)
    firms, row = city.companies, rows_of(city, "court", "company")
    name = dict(zip(known(city, "court")["uscc"].gather(np.maximum(row, 0)).to_list(), range(len(row)), strict=True))
    filed = new.filter(pl.col("defendant_uscc").is_not_null())
    company = np.array([name.get(each, -1) for each in filed["defendant_uscc"]])
    day = (filed["filed_on"] - city.calendar.start).dt.total_days().to_numpy()
    day, company = day[company >= 0], company[company >= 0]
    before = (firms.shock[company] <= day) & (day < firms.timeline.peak[company])
    after = (firms.default[company] <= day) & (firms.default[company] < NEVER)
    assert before.sum() > 5
    assert after.sum() > 5
    assert (~before & ~after).sum() > 20  # noise
    assert (found["op"] == "D").sum() > 0


def test_debts_elsewhere_grow_before_default(city: World) -> None:
    found = frames(city, "bureau.credit_report", "bureau", range(DAY - 120, DAY))
    row = rows_of(city, "bureau", "person")
    ids = known(city, "bureau")["national_id"].gather(np.maximum(row, 0)).to_list()
    person = {each: number for number, each in enumerate(ids)}
    people = found.filter(pl.col("national_id").is_not_null())
    who = np.array([person[each] for each in people["national_id"]])
    strained = strain(city, DAY)[who]
    used = people["card_balance"].to_numpy() / np.maximum(people["card_limit"].to_numpy(), 1)
    assert used[strained > 0.4].mean() > used[strained == 0].mean() + 0.05
    inquiries = people["inquiries_6m"].to_numpy().astype(float)
    assert inquiries[strained > 0.4].mean() > inquiries[strained == 0].mean()
    assert separation(inquiries, strained > 0.4) < 0.85
    assert found.filter(pl.col("uscc").is_not_null()).height > 10


def test_taxes_and_contributions_are_mostly_in_time(city: World) -> None:
    filed = frames(city, "tax.filing", "tax", range(60, 160))
    assert 0.02 < filed["is_late"].mean() < 0.25
    assert set(filed["tax_type"]) == {"vat", "corporate_income"}
    assert filed.filter(~pl.col("is_late"))["filed_on"].dt.day().max() <= 15
    assert (filed["tax_paid"] <= filed["tax_due"]).all()
    paid = frames(city, "social_security.contribution", "social_security", range(59, 120))
    assert 0.8 < (paid["paid_on"].dt.day() <= 25).mean() < 1.0
    assert (paid["period"].dt.day() == 1).all()
    assert paid.group_by("contribution_key").len()["len"].max() == 1


def test_polluters_are_penalised_most(city: World) -> None:
    found = frames(city, "environment.penalty", "environment", range(900))
    row = rows_of(city, "environment", "company")
    codes = known(city, "environment")["uscc"].gather(np.maximum(row, 0)).to_list()
    polluting = {code for code, polluter in zip(codes, city.companies.polluter, strict=True) if polluter}
    assert found["uscc"].is_in(list(polluting)).mean() > 0.8
