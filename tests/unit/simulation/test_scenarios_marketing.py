"""Campaigns, consents, complaints, survey and staff: lots drawn at random, effects found again, planted staff."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation.emitters.consent import given, in_force
from pipelines.simulation.keys import campaign_key, staff_key
from pipelines.simulation.known import rows_of
from pipelines.simulation.scenarios import load_scenarios
from pipelines.simulation.world import World

from .scenario_frames import frames, world


@pytest.fixture(scope="module")
def bank() -> World:
    return world(20_000)


@pytest.fixture(scope="module")
def campaign(bank: World) -> pl.DataFrame:
    """Every event of one campaign."""
    of = bank.campaigns[6]
    found = frames(bank, "crm.contact", "campaigns", range(of.starts, of.ends + 1))
    return found.filter(pl.col("campaign_key") == campaign_key(of.number))


def customers(events: pl.DataFrame, event: str) -> set[str]:
    return set(events.filter(pl.col("event") == event)["customer_key"].to_list())


def members(bank: World) -> pl.DataFrame:
    """The truth about the members of the same campaign, by their CRM record."""
    from pipelines.simulation.known import known

    truth, rows = bank.members(bank.campaigns[6]), rows_of(bank, "crm", "person")
    has = rows[truth.person] >= 0
    return pl.DataFrame({
        "person": truth.person[has], "customer_key": known(bank, "crm")["key"].gather(rows[truth.person[has]]),
        "held_out": truth.held_out[has], "base": truth.base[has], "effect": truth.effect[has],
    })  # fmt: skip


def test_who_is_held_out_is_drawn_at_random(bank: World, campaign: pl.DataFrame) -> None:
    held, contacted = customers(campaign, "held_out"), customers(campaign, "contacted")
    assert held & contacted == set()
    share, expected = len(held) / len(held | contacted), bank.campaigns[6].holdout
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / len(held | contacted))
    truth = members(bank)
    for trait in (bank.people.value, bank.people.risk, bank.people.digital):
        groups = [trait[truth.filter(pl.col("customer_key").is_in(list(who)))["person"].to_numpy()]
                  for who in (held, contacted)]  # fmt: skip
        error = np.sqrt(sum(np.var(group) / len(group) for group in groups))
        assert abs(groups[0].mean() - groups[1].mean()) < 4 * error


def test_the_effect_is_found_again_within_its_confidence_interval(bank: World, campaign: pl.DataFrame) -> None:
    held, contacted = customers(campaign, "held_out"), customers(campaign, "contacted")
    converted = customers(campaign, "converted")
    rates = [len(who & converted) / len(who) for who in (contacted, held)]
    error = np.sqrt(sum(rate * (1 - rate) / len(who) for rate, who in zip(rates, (contacted, held), strict=True)))
    truth = members(bank).filter(pl.col("customer_key").is_in(list(contacted)))
    assert abs(rates[0] - rates[1] - truth["effect"].mean()) < 2.58 * error
    expected = (truth["base"] + truth["effect"]).to_numpy()
    spread = np.sqrt((expected * (1 - expected)).sum())
    assert abs(len(contacted & converted) - expected.sum()) < 4 * spread


def test_events_of_a_contact_follow_it(bank: World, campaign: pl.DataFrame) -> None:
    days = {
        event: dict(campaign.filter(pl.col("event") == event).select("customer_key", "day").rows())
        for event in ("contacted", "responded", "converted")
    }
    assert days["responded"].keys() <= days["contacted"].keys()
    assert all(days["responded"][who] >= days["contacted"][who] for who in days["responded"])
    assert all(day >= days["contacted"].get(who, 0) for who, day in days["converted"].items())
    assert campaign.filter((pl.col("event") == "held_out") & pl.col("channel").is_not_null()).is_empty()


def test_nobody_is_targeted_without_consent(bank: World, campaign: pl.DataFrame) -> None:
    truth, start = members(bank), bank.campaigns[6].starts
    agreed = in_force(bank, "marketing", start - 1)[truth["person"].to_numpy()]
    refused = set(truth.filter(~pl.Series(agreed))["customer_key"].to_list())
    assert refused
    assert refused & set(campaign["customer_key"].to_list()) == set()


def test_consents_are_given_before_they_are_withdrawn_and_some_never(bank: World) -> None:
    log = frames(bank, "consent.event", "consent", range(200))
    state: dict[tuple[str, ...], str] = {}
    for row in log.sort("day", maintain_order=True).iter_rows(named=True):
        key = (row["party_key"], row["purpose"], row["data_class"], row["partner"] or "")
        assert (row["action"] == "grant") == (state.get(key, "withdraw") == "withdraw")
        state[key] = row["action"]
    assert log.filter((pl.col("day") > 0) & (pl.col("action") == "withdraw")).height > 50
    people = bank.people.join <= 200
    share = (given(bank, "marketing").given[people] > 200).mean()
    assert 0.05 < share < 1 - load_scenarios().consent.terms[0].granted
    assert set(log["partner"].drop_nulls()) >= {"taobu", "pinhao", "hospital", "tax", "supply_chain", "market_west"}


def test_complaints_keep_two_clocks(bank: World) -> None:
    found = frames(bank, "service.complaint", "service", range(200))
    last = found.filter(pl.col("op") == "U").unique("complaint_key", keep="last")
    done = last.filter(pl.col("resolved_at").is_not_null())
    took = (done["resolved_at"] - done["received_at"]).dt.total_seconds() / 86_400
    simple = took.filter(~done["is_complex"])
    assert len(simple) > 100
    assert (simple <= 15).mean() > 0.85  # most within the statutory period, not all
    assert (simple > 15).sum() > 0
    assert took.filter(done["is_complex"]).median() > 2 * simple.median()
    assert 0.1 < last["party_key"].is_null().mean() < 0.4


def test_who_complained_recommends_less(bank: World) -> None:
    answers = frames(bank, "survey.nps", "survey", range(120))
    assert len(answers) > 200
    assert 7.0 < answers["score"].mean() < 8.6
    promoters, detractors = (answers["score"] >= 9).mean(), (answers["score"] <= 6).mean()
    assert promoters > detractors > 0.05


def test_abnormal_staff_edit_much_and_off_hours(bank: World) -> None:
    log = frames(bank, "ops.audit_log", "ops", range(90))
    keys = staff_key(np.flatnonzero(bank.staff.abnormal)).to_list()
    edits = log.filter(pl.col("action") == "edit_customer").group_by("staff_key", "day").agg(
        pl.len().alias("edits"), pl.col("is_off_hours").mean()
    )  # fmt: skip
    most = edits.group_by("staff_key").agg(pl.col("edits").max())
    planted = most.filter(pl.col("staff_key").is_in(keys))
    peers = most.filter(~pl.col("staff_key").is_in(keys))
    assert planted["edits"].median() > peers["edits"].quantile(0.99)
    bursts = edits.filter(pl.col("edits") > 12)
    assert bursts["is_off_hours"].mean() > 0.4
    assert log.filter(~pl.col("staff_key").is_in(keys) & (pl.col("day") % 7 < 5))["is_off_hours"].mean() < 0.2
    assert log.filter(pl.col("action") == "export_list")["party_key"].null_count() == (
        log.filter(pl.col("action") == "export_list").height
    )
