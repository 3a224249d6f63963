"""The truth: complete, the same every time, closed to others, and out of reach of everything but `simulate`."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.settings import PROJECT
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.settings import load_settings
from pipelines.simulation.truth import write_truth
from pipelines.simulation.world import World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_settings(), 6000, 5)


@pytest.fixture(scope="module")
def truth(world, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("world") / "truth"
    write_truth(world, directory)
    return directory


def table(truth: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(truth / f"{name}.parquet")


def test_only_its_owner_reads_it(truth):
    assert truth.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in truth.iterdir()} == {0o600}
    assert {path.name for path in truth.iterdir()} == {
        f"{name}.parquet"
        for name in ("identity", "customer", "default", "ring", "guarantee_circle", "treatment", "staff")
    }


def test_it_is_written_once_and_the_same_every_time(truth, world, tmp_path):
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in truth.iterdir()}
    write_truth(world, truth)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in truth.iterdir()} == before
    write_truth(build_world(world.settings, 6000, 5), tmp_path / "again")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == {
        name: content for name, (content, _) in before.items()
    }


def test_every_default_has_a_shock_before_it_and_ninety_days_of_arrears(truth, world):
    defaults = table(truth, "default").filter(pl.col("default_on").is_not_null())
    assert len(defaults) > 50 and set(defaults["entity_kind"]) == {"person", "company"}
    days = (defaults["default_on"] - defaults["first_missed_on"]).dt.total_days()
    assert days.min() == days.max() == 90
    assert (defaults["shock_on"] < defaults["first_missed_on"]).all()
    cured = defaults.filter(pl.col("cured_on").is_not_null())
    assert 0 < len(cured) < len(defaults) and (cured["cured_on"] > cured["default_on"]).all()
    assert int((world.people.default < NEVER).sum()) >= len(defaults.filter(pl.col("entity_kind") == "person"))


def test_effects_are_known_for_every_member_of_every_campaign(truth, world):
    members = table(truth, "treatment")
    assert members["campaign_key"].n_unique() == len(world.campaigns)
    assert members.group_by("campaign_key", "person").len()["len"].max() == 1
    held_out = members["held_out"].mean()
    assert held_out == pytest.approx(world.settings.campaigns.holdout_share, abs=0.02)
    assert (members["base"] + members["effect"]).is_between(0, 1).all() and members["effect"].std() > 0


def test_what_is_planted_is_labelled(truth, world):
    rings = table(truth, "ring")
    assert len(rings) == int((world.people.ring >= 0).sum()) > 0
    for _, members in rings.group_by("ring"):
        assert len(members) >= 3 and members.select("phone", "device").n_unique() < len(members)
    circles = table(truth, "guarantee_circle")
    for _, loans in circles.group_by("circle"):
        assert set(loans["guarantor"]) == set(loans["borrower"])
    staff = table(truth, "staff")
    assert len(staff) == len(world.staff) and staff["is_abnormal"].sum() == int(world.staff.abnormal.sum()) > 0
    customers = table(truth, "customer")
    known = world.people.join < world.settings.horizon_days
    assert len(customers) == int(known.sum()) and customers["party_key"].n_unique() == len(customers)
    assert customers["dormant_from"].null_count() == int(np.sum(known & (world.people.dormant == NEVER)))


def test_nobody_imports_the_simulation_but_the_command():
    allowed = PROJECT / "pipelines" / "cli" / "simulate.py"
    for path in (PROJECT / "pipelines").rglob("*.py"):
        if path == allowed or path.is_relative_to(PROJECT / "pipelines" / "simulation"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("pipelines.simulation")], path
