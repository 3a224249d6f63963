"""Three nights, then a corrected delivery of the first: what was published stays, what is known follows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from conftest import ran
from homes import copied, published_bytes

from pipelines.history import as_of
from pipelines.history.store import statements
from pipelines.identity.decisions import fingerprint
from pipelines.release.catalogue import list_releases
from pipelines.release.provenance import stood_on
from pipelines.settings import Home

XIAOCHENG = Path(__file__).parents[1] / "fixtures" / "xiaocheng"
NIGHTS = FIRST, SECOND, THIRD = [date(2025, 12, day) for day in (29, 30, 31)]
MART, KEY = "customer_360", "party_id"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Corrected:
    """A home before and after the correction, and one that was given the corrected delivery from the beginning."""

    before: Path
    home: Path
    fresh: Path
    marts: dict[date, pl.DataFrame]  # the mart as each night built it
    deliveries: Path
    account: str


def nights(zhongtai, home: Path, **environment: str) -> dict[date, pl.DataFrame]:
    """Three releases, and the mart after each."""
    built = {}
    ran(zhongtai("backfill", "--bank", "xiaocheng", "--to", f"{FIRST}", "--json", home=home, **environment))
    built |= mart(home)
    ran(zhongtai("nightly", "--date", f"{SECOND}", "--json", home=home, **environment))
    built |= mart(home)
    ran(zhongtai("nightly", "--date", f"{THIRD}", "--json", home=home, **environment))
    return built | mart(home)


def mart(home: Path) -> dict[date, pl.DataFrame]:
    """The mart as the warehouse holds it, by business date."""
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.execute(f"select * from marts.{MART} order by {KEY}").pl()
    return {day: rows.filter(pl.col("business_date") == day) for day in rows["business_date"].unique().sort()}


def correct(deliveries: Path) -> str:
    """Ten more spent by the first purchase of the first night, and its trailer; returns the account."""
    path = deliveries / "core" / f"transaction_{FIRST:%Y%m%d}.txt"
    lines = path.read_bytes().split(b"\n")
    place = next(n for n, line in enumerate(lines) if line.split(b"|")[4:6] == [b"D", b"CARD"])
    row = lines[place].split(b"|")
    row[6] = b"%.2f" % (Decimal(row[6].decode()) + 10)
    lines[place] = b"|".join(row)
    end = next(n for n, line in enumerate(lines) if line.startswith(b"T|"))
    trailer = lines[end].split(b"|")
    trailer[2] = b"%.2f" % (Decimal(trailer[2].decode()) + 10)
    lines[end] = b"|".join(trailer)
    path.write_bytes(b"\n".join(lines))
    return row[1].decode()


@pytest.fixture(scope="module")
def corrected(zhongtai, tmp_path_factory) -> Corrected:
    place = tmp_path_factory.mktemp("history")
    deliveries = Path(shutil.copytree(XIAOCHENG / "deliveries", place / "deliveries"))
    home = place / "home"
    marts = nights(zhongtai, home)
    before = copied(home, place / "before")
    account = correct(deliveries)
    given = {"ZHONGTAI_DELIVERIES": str(deliveries)}
    ran(zhongtai("backfill", "--from", f"{FIRST}", "--to", f"{THIRD}", "--json", home=home, **given))
    fresh = place / "fresh"
    nights(zhongtai, fresh, **given)
    return Corrected(before, home, fresh, marts, deliveries, account)


@pytest.mark.parametrize("day", NIGHTS)
@pytest.mark.parametrize("view", ["published", "known"])
def test_every_row_of_every_night_is_given_back(corrected, day, view):
    kept = as_of(Home(corrected.before), MART, day, view)
    assert kept.equals(corrected.marts[day].select(kept.columns)), day


def test_a_night_writes_what_changed_and_no_more(corrected):
    shape = statements(Home(corrected.before))[-1].shapes[MART]
    names = [name for name in shape.columns if name not in (*shape.counted, *shape.shared)]
    one, other = (corrected.marts[day].select(KEY, *names) for day in (SECOND, THIRD))
    moved = other.join(one, on=[KEY, *names], how="anti", nulls_equal=True).height
    file = corrected.before / "history/changes" / statements(Home(corrected.before))[-1].name / f"{MART}.parquet"
    opened = pl.read_parquet(file).filter(pl.col("_change") == "opened").height
    # What only counted days may have been set back, and a party may have left its group.
    assert moved <= opened < other.height, "every row was written again"


def test_what_was_published_stays(corrected):
    for day in (FIRST, SECOND):
        kept = as_of(Home(corrected.home), MART, day, "published")
        assert kept.equals(corrected.marts[day].select(kept.columns)), day


def test_what_is_known_differs_in_the_corrected_party_alone(corrected):
    party = owner(corrected.home, corrected.account)
    for day in NIGHTS:
        was, now = (as_of(Home(home), MART, day, "known") for home in (corrected.before, corrected.home))
        assert was.filter(pl.col(KEY) != party).equals(now.filter(pl.col(KEY) != party)), day
        (before,), (after,) = (rows.filter(pl.col(KEY) == party).rows(named=True) for rows in (was, now))
        differ = {name for name in before if before[name] != after[name]}
        assert {"balance", "debit_amount_30d", "card_amount_90d"} <= differ
        assert not {name for name in differ if not name.startswith(("balance", "debit_amount_", "card_amount_"))}, day
        assert after["balance"] == before["balance"] - 10


def owner(home: Path, account: str) -> str:
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as con:
        found = con.execute(
            "select distinct party_id from intermediate.int_holding where account_key = ? and role = 'owner'", [account]
        ).fetchall()
    assert len(found) == 1
    return str(found[0][0])


def test_what_is_known_is_what_a_home_knows_that_was_never_told_otherwise(corrected):
    for day in NIGHTS:
        ours, theirs = (as_of(Home(home), MART, day, "known") for home in (corrected.home, corrected.fresh))
        assert ours.equals(theirs), day


def test_stating_it_again_says_nothing_new(corrected, zhongtai, tmp_path):
    home = copied(corrected.home, tmp_path / "home")
    before, made = published_bytes(home), statements(Home(home))
    assert [sorted(statement.stated) for statement in made] == [[FIRST], [SECOND], [THIRD], [FIRST, SECOND, THIRD]]
    shutil.rmtree(home / "warehouse")  # nothing of the history rests on it
    again = ("backfill", "--from", f"{FIRST}", "--to", f"{THIRD}", "--json")
    ran(zhongtai(*again, home=home, ZHONGTAI_DELIVERIES=str(corrected.deliveries)))
    assert statements(Home(home)) == made
    assert published_bytes(home) == before


def test_each_release_names_the_state_of_who_is_who_that_it_stands_on(corrected):
    made = {release.business_date: release for release in list_releases(Home(corrected.before))}
    told = [made[day].run()["identity"] for day in NIGHTS]
    assert [one["after"]["business_date"] for one in told] == [f"{day}" for day in NIGHTS]
    assert [one["before"] for one in told] == [None, *(one["after"] for one in told[:-1])]
    assert told[-1] == stood_on(Home(corrected.before)), "what is kept is what was published from"
    assert {made[day].manifest["decisions_sha256"] for day in NIGHTS} == {fingerprint(Home(corrected.before))}


def test_the_command_shows_both_and_where_they_differ(corrected, zhongtai):
    party = owner(corrected.home, corrected.account)
    shown = zhongtai("history", "show", MART, party[:16], "--date", f"{FIRST}", home=corrected.home)
    assert shown.code == 0, shown.err
    marked = {line.split()[0] for line in shown.out.splitlines() if "≠" in line}
    assert "balance" in marked
    assert "party_kind" not in marked
    listed = zhongtai("history", "intervals", MART, party[:16], home=corrected.home)
    assert listed.code == 0, listed.err
    assert f"{FIRST}" in listed.out
    unknown = zhongtai("history", "show", MART, "zz", "--date", f"{FIRST}", home=corrected.home)
    assert unknown.code == 2
    early = zhongtai("history", "show", MART, party, "--date", "2025-01-01", home=corrected.home)
    assert early.code == 2
