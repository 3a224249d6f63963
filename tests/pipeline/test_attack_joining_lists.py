"""An attack: marketing joins its low-risk lists of all nights and both variants, to recover a risk figure.

Bands and membership of each night were signed, and what they tell over time they tell. Nothing else in the files may
add to it: not a date, not a segment, not who was given which family when. Belongs here: files of a bank that was
published twice. Does not belong here: that no figure of risk reaches them (`tests/contracts/test_attack_leak.py`), and
that they do not move with one (`tests/unit/release/test_attack_joining.py`). Figures: `benchmarks.list_information`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benchmarks.list_information import LISTS, joined, joined_nights, probabilities
from pipelines.release.catalogue import list_releases
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ring(matured: Path, vault_key: str) -> KeyRing:
    return KeyRing.open(matured / "vault", vault_key)


def files(home: Home) -> dict[tuple[str, date], pl.DataFrame]:
    """Marketing's lists, by list and night."""
    return {
        (name, release.business_date): pl.read_parquet(release.path / "marketing" / f"{name}.parquet")
        for release in list_releases(home) for name in LISTS
    }  # fmt: skip


def test_nothing_but_bands_tells_of_risk_when_nights_are_joined(matured: Path, ring: KeyRing) -> None:
    home = Home(matured)
    releases = list_releases(home)
    assert len({one.business_date for one in releases}) == 2
    found = joined_nights(home, ring, releases)
    assert [one.name for one in found] == list(LISTS)
    for one in found:
        assert one.parties > 0
        assert not one.rest.leaks, one


def test_a_date_that_moves_with_risk_from_night_to_night_is_caught(matured: Path, ring: KeyRing) -> None:
    """A list whose validity ended sooner for who is likelier to default would tell so by no band."""
    home = Home(matured)
    graded = probabilities(home, ring)
    held = files(home)
    first = min(night for _, night in held)
    key = (LISTS[0], first)
    likelier = graded.select("pseudonym", likelier=pl.col("pd").cast(float) > pl.col("pd").cast(float).median())
    spoiled = held[key].join(likelier, on="pseudonym", how="left", maintain_order="left")
    sooner = pl.col("valid_to") - pl.duration(days=pl.col("likelier").fill_null(False).cast(int))
    held[key] = spoiled.with_columns(valid_to=sooner).drop("likelier")
    assert joined(LISTS[0], held, graded).rest.leaks


def test_whoever_is_listed_twice_has_one_name_and_whoever_was_not_is_not_made_up(matured: Path) -> None:
    held = files(Home(matured))
    nights = sorted({night for _, night in held})
    then, now = (set(held[LISTS[0], night]["pseudonym"]) for night in nights)
    assert then & now, "pseudonyms are stable: that is what can be joined"
