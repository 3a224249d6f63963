"""Which published dates rest on other landings than they did: a corrected past, and not a rotation of keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from project import project_catalog

from pipelines.history import restatement
from pipelines.history.restatement import restated_dates
from pipelines.history.store import Statement
from pipelines.ingest.ledger import Landing, Ledger, landed_through
from pipelines.settings import Home

DAYS = FIRST, SECOND, THIRD = [date(2025, 3, day) for day in (3, 4, 5)]
SHAPE = project_catalog().derived["control.landing"]
HELD, REFERRED = "core.party", "reference.district"


def landing(contract: str, day: date, **other: object) -> Landing:
    counts = dict.fromkeys(("delivered", "accepted", "unchanged", "quarantined", "tombstones"), Decimal(3))
    hashes = {"delivery_sha256": "a" * 64, "recipe_sha256": "b" * 64, "landed_sha256": "c" * 64}
    told = {"measure": "rows", "status": "landed", "delivery": "x.csv", "declared": None, **hashes, **counts, **other}
    return Landing(contract, "core", day, **told)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Three days of two contracts are landed."""
    home = Home(tmp_path)
    for contract in (HELD, REFERRED):
        record(home, *(landing(contract, day) for day in DAYS))
    return home


def record(home: Home, *landings: Landing) -> None:
    Ledger(home, SHAPE, landings[0].contract, "core").record(list(landings))


def changed(home: Home, before: dict[date, str], contracts: set[str] | None = None) -> list[date]:
    now = landed_through(home, DAYS, contracts)
    return [day for day in DAYS if now[day] != before[day]]


def test_a_rotation_changes_no_past(home: Home) -> None:
    before = landed_through(home, DAYS)
    assert len(set(before.values())) == len(DAYS)
    for contract in (HELD, REFERRED):
        record(home, *(landing(contract, day, landed_sha256="d" * 64) for day in DAYS))
    assert changed(home, before) == []


@pytest.mark.parametrize(
    "other",
    [
        {"delivery_sha256": "d" * 64}, {"recipe_sha256": "d" * 64},
        {"accepted": Decimal(2)}, {"tombstones": Decimal(2)},
        {"status": "carried", "delivery_sha256": None, "recipe_sha256": None},
    ],
    ids=lambda other: next(iter(other)),
)  # fmt: skip
def test_what_was_landed_otherwise_changes_its_date_and_what_follows(home: Home, other: dict) -> None:
    before, of_one = landed_through(home, DAYS), landed_through(home, DAYS, {HELD})
    record(home, landing(REFERRED, SECOND, **other))
    assert changed(home, before) == [SECOND, THIRD]
    assert changed(home, of_one, {HELD}) == [], "it is of another contract"
    record(home, landing(HELD, THIRD, **other))
    assert changed(home, of_one, {HELD}) == [THIRD]
    record(home, landing(HELD, THIRD), landing(HELD, date(2025, 3, 6)))
    assert changed(home, of_one, {HELD}) == [], "as it was, whatever came later"


def test_dates_are_told_in_any_order_and_by_themselves(home: Home) -> None:
    all_ = landed_through(home, DAYS)
    assert landed_through(home, [THIRD, FIRST, THIRD]) == {FIRST: all_[FIRST], THIRD: all_[THIRD]}
    assert landed_through(home, [date(2025, 1, 1)]) == landed_through(Home(home.path / "other"), [date(2025, 1, 1)])


def test_published_dates_are_restated_from_a_correction_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = Statement(1, "release", SECOND, landed_through(home, [FIRST, SECOND]), {})
    monkeypatch.setattr(restatement, "statements", lambda _: [stated])
    record(home, *(replace(landing(HELD, day), landed_sha256="d" * 64) for day in DAYS))
    assert restated_dates(home, THIRD) == [], "keys were rotated"
    record(home, landing(REFERRED, SECOND, delivery_sha256="d" * 64))
    assert restated_dates(home, THIRD) == [SECOND]
    record(home, landing(HELD, FIRST, delivery_sha256="d" * 64))
    assert restated_dates(home, THIRD) == [FIRST, SECOND]
