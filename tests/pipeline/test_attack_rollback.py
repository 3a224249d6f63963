"""Whoever took a consent back does not come back with an earlier release, however the withdrawal is known.

The last night brings the withdrawal of somebody on marketing's list, first with a delivery missing, so that nothing is
built of it, then whole; each time the release of the day before is brought back.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import ask, copied

from pipelines.release.catalogue import current
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

EVE, LAST = "2025-12-30", "2025-12-31"
DELIVERIES = Path(__file__).parents[1] / "fixtures" / "xiaocheng" / "deliveries"
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Rolled:
    """Homes after a rollback: of a night that could not be built, of the whole night; and what was said."""

    unbuilt: Path
    built: Path
    names: dict[str, str]  # what each consumer calls who withdrew
    said: dict[str, dict[str, Any]]
    place: Path  # where deliveries lie


def named(home: Path, release: Path, consumer: str, name: str) -> set[str]:
    """The products of a consumer in which a pseudonym stands anywhere."""
    found = set()
    for path in sorted((release / consumer).glob("*.parquet")):
        frame = pl.read_parquet(path)
        texts = [column for column in frame.columns if frame[column].dtype == pl.String]
        if any(frame[column].str.contains(name, literal=True).any() for column in texts):
            found.add(path.stem)
    assert (release / consumer / f"{consumer}.duckdb").is_file(), home
    return found


@pytest.fixture(scope="module")
def rolled(xiaocheng, zhongtai, vault_key: str, tmp_path_factory) -> Rolled:
    place, ring = tmp_path_factory.mktemp("rolled"), KeyRing(bytes.fromhex(vault_key))
    home = copied(xiaocheng.home, place / "home")
    crosswalk = pl.read_parquet(Home(home).identity / "party_crosswalk.parquet").filter(contract="core.party")
    names = crosswalk.select(
        "party_id", "record_key",
        *(hmac_sha256(pl.col("party_id"), ring.pseudonym_key(one)).alias(one) for one in ("marketing", "risk")),
    )  # fmt: skip
    listed = [one for (one,) in ask(home, "marketing", "select pseudonym from low_risk_list")]
    who = names.filter(pl.col("marketing").is_in(listed)).sort("party_id")
    keys = who.filter(pl.col("party_id") == who["party_id"][0])
    deliveries = Path(shutil.copytree(DELIVERIES, place / "deliveries"))
    with (deliveries / "privacy/consent_20251231.csv").open("a", encoding="utf-8") as file:
        for key in keys["record_key"]:
            for data_class in ("basic", "transaction"):
                file.write(f"CW{key}{data_class},{key},{LAST} 23:00:00,0,marketing,{data_class}\n")
    missing = deliveries / "core/transaction_20251231.txt"
    given = {"ZHONGTAI_DELIVERIES": str(deliveries)}
    kept, said = missing.read_bytes(), {}

    def run(name: str, *arguments: str, where: Path, code: int = 0) -> None:
        call = zhongtai(*arguments, "--json", home=where, **given)
        assert call.code == code, call.err + call.out
        said[name] = call.json

    missing.unlink()
    run("refused", "backfill", "--from", LAST, "--to", LAST, where=home, code=2)
    run("unbuilt", "releases", "rollback", EVE, "--reason", "a delivery was wrong", where=home)
    unbuilt = copied(home, place / "unbuilt")
    missing.write_bytes(kept)
    run("same", "nightly", "--date", EVE, where=home)
    run("night", "backfill", "--from", LAST, "--to", LAST, where=home)
    run("built", "releases", "rollback", xiaocheng.runs["backfill"]["release"], "--reason", "again", where=home)
    return Rolled(unbuilt, home, {one: keys[one][0] for one in ("marketing", "risk")}, said, place)


def test_before_it_both_had_the_party(xiaocheng, rolled: Rolled) -> None:
    eve = next((xiaocheng.home / "releases").glob(f"{EVE}-*"))
    assert {"low_risk_list", "customer_360"} <= named(xiaocheng.home, eve, "marketing", rolled.names["marketing"])
    assert {"low_risk_decision", "customer_360"} <= named(xiaocheng.home, eve, "risk", rolled.names["risk"])


def test_who_spoke_in_what_nobody_has_built_is_in_nothing(rolled: Rolled) -> None:
    release = current(Home(rolled.unbuilt)).path
    assert rolled.said["unbuilt"]["decided"]["spoke_since"] >= 1
    for consumer, name in rolled.names.items():
        assert named(rolled.unbuilt, release, consumer, name) == set(), consumer


def test_who_withdrew_is_in_nothing_of_marketing_and_stays_with_risk(rolled: Rolled) -> None:
    release = current(Home(rolled.built)).path
    assert rolled.said["built"]["decided"]["spoke_since"] == 0
    assert named(rolled.built, release, "marketing", rolled.names["marketing"]) == set()
    assert {"low_risk_decision", "customer_360"} <= named(rolled.built, release, "risk", rolled.names["risk"])
    marketing = json.loads((release / "proof" / "supersedes.json").read_bytes())["left_out"]
    assert marketing["marketing.low_risk_list"] == {"rows": 1, "values": 0}


@pytest.mark.parametrize("after", ["unbuilt", "built"])
def test_it_is_a_release_like_any_other(rolled: Rolled, zhongtai, xiaocheng, after: str) -> None:
    home, told = getattr(rolled, after), rolled.said[after]
    now = current(Home(home))
    assert now.id == told["release"]
    assert now.business_date.isoformat() == EVE
    assert told["restores"] == xiaocheng.runs["backfill"]["release"]
    for command in (("releases", "verify"), ("proof", "verify")):
        call = zhongtai(*command, home=home)
        assert call.code == 0, call.err
    listed = zhongtai("releases", "list", "--json", home=home).json["releases"]
    assert listed[-1]["release"] == now.id
    assert listed[-1]["current"]


def test_rows_of_everybody_else_are_those_of_the_release_that_came_back(rolled: Rolled, xiaocheng) -> None:
    before, after = (next((xiaocheng.home / "releases").glob(f"{EVE}-*")), current(Home(rolled.built)).path)
    for path in sorted(before.glob("*/*.parquet")):
        if path.parent.name not in ("marketing", "risk", "shared"):
            continue
        one, other = (pl.read_parquet(side / path.relative_to(before)) for side in (before, after))
        who = rolled.names.get(path.parent.name)
        names = [name for name in one.columns if name.endswith("pseudonym")]
        others = one.filter(~pl.any_horizontal(pl.col(name) == who for name in names)) if names else one
        if path.parent.name == "marketing":
            assert other.equals(others), path
        else:
            assert other.equals(one), path


def test_an_earlier_night_in_between_moves_nothing_and_the_next_one_leads(rolled: Rolled) -> None:
    assert rolled.said["same"]["current"] == rolled.said["unbuilt"]["release"]
    night = rolled.said["night"]
    assert night["current"] == night["release"], "a night that is built anew supersedes the rollback"
    assert night["business_date"] == LAST


def test_the_night_says_what_changed(rolled: Rolled, zhongtai, xiaocheng) -> None:
    told = zhongtai("releases", "show", rolled.said["night"]["release"], "--json", home=rolled.built).json["supersedes"]
    assert told["supersedes"] == rolled.said["unbuilt"]["release"]
    assert told["compared_with"] == xiaocheng.runs["nightly"]["release"]
    assert told["place"] == {"business_date": LAST, "order": 2}
    (change,) = told["changed"]["deliveries"]
    assert (change["contract"], change["change"], change["first"]) == ("consent.event", "corrected", LAST)
    assert told["changed"]["contracts"] == told["changed"]["other"] == []
    assert told["reason"] == "deliveries changed: consent.event"
    assert told["products"]["marketing.low_risk_list"]["removed"] == 1
    risk = told["products"]["risk.customer_360"]
    assert (risk["added"], risk["removed"], risk["changed"]) == (0, 0, 1)
    assert "risk.risk_grade" not in told["products"]


def test_the_same_night_again_is_the_same_superseding_release(rolled: Rolled, zhongtai) -> None:
    home = copied(rolled.built, rolled.place / "again")
    again = zhongtai("nightly", "--date", LAST, "--json", home=home,
                     ZHONGTAI_DELIVERIES=str(rolled.place / "deliveries"))  # fmt: skip
    assert again.code == 0, again.err
    night = rolled.said["night"]
    assert (again.json["release"], again.json["content_hash"]) == (night["release"], night["content_hash"])
    assert again.json["current"] == rolled.said["built"]["release"], "it does not undo the rollback after it"
