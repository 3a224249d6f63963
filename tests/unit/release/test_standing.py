"""Of whom no night has said how they stand: they are not in the last word on parties that a rollback goes by."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.identity import state
from pipelines.ingest import lake
from pipelines.ingest.ledger import Landing
from pipelines.release import provenance
from pipelines.release.refused import Refused
from pipelines.release.standing import STATE, Standing, deciding, standing
from pipelines.release.whom import pseudonym
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing

from .lawful_nights import NIGHTS, resolved
from .warehouse import BANK, KEY, Office, party_id

FIRST, SECOND = NIGHTS
NEXT = SECOND + timedelta(days=1)


@pytest.fixture
def office(two_nights: Office, tmp_path: Path) -> Office:
    """A copy of the home of two nights."""
    home = Path(shutil.copytree(two_nights.home.path, tmp_path / "home", symlinks=True))
    settings = Settings(home_dir=home, bank=BANK, vault_key=KEY)
    return Office(two_nights.catalog, settings, two_nights.ring, two_nights.shelf)


def stands(office: Office, since: date = FIRST) -> Standing:
    return standing(office.home, office.ring, deciding(office.catalog, office.home), since)


def missing(before: Standing, after: Standing, ring: KeyRing) -> dict[str, set[int]]:
    """The parties, by number, who are in the word of before and not in that of after."""
    found = {}
    for consumer in ("marketing", "risk"):
        names = {pseudonym(party_id(n), consumer, lambda: ring): n for n in range(24)}
        gone = set(before.proofs[consumer]["pseudonym"]) - set(after.proofs[consumer]["pseudonym"])
        found[consumer] = {names[name] for name in gone}
    return found


def test_records_that_went_between_parties_leave_both_out_but_a_merge_does_not(office: Office) -> None:
    before = stands(office)
    resolved(office.home, FIRST, ("split", 8, 9))
    resolved(office.home, SECOND, ("split", 1, 2), ("moved", 3, 4), ("undo", 5, 5), ("merge", 6, 7))
    after = stands(office)
    assert missing(before, after, office.ring) == {"marketing": {1, 2, 3, 4, 5}, "risk": {1, 2, 3, 4, 5}}
    assert (after.parted_since, after.spoke_since) == (5, 0)
    assert stands(office, SECOND).parted_since == 0


def test_a_merge_that_no_published_night_has_judged_leaves_both_out(office: Office) -> None:
    """Whoever ended with it may have spoken since: who is who says it of the other."""
    before = stands(office)
    resolved(office.home, NEXT, ("merge", 6, 7))
    after = stands(office)
    assert missing(before, after, office.ring) == {"marketing": {6, 7}, "risk": {6, 7}}
    assert after.parted_since == 2


def test_who_has_no_id_any_more_is_left_out(office: Office) -> None:
    """Of them nobody can tell what they took back, or that they spoke since."""
    before, path = stands(office), office.home.identity / "party.parquet"
    pl.read_parquet(path).filter(pl.col("party_id") != party_id(3)).write_parquet(path)
    assert missing(before, stands(office), office.ring) == {"marketing": {3}, "risk": {3}}


def landing(day: date, sha256: str) -> Landing:
    counts = dict.fromkeys(("delivered", "accepted", "unchanged", "quarantined", "tombstones"), Decimal(1))
    return Landing("consent.event", "app", day, "rows", "landed", "c.csv", sha256, "b" * 64, None, None, **counts)


def test_who_spoke_in_a_delivery_that_no_night_has_decided_on_is_left_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stands(office)
    said = {SECOND: 10, NEXT: 11}
    for day, n in said.items():
        path = lake.partition(office.home.lake, "consent.event", "app", day)
        lake.write_parquet(path, pl.DataFrame({"party_key": [f"K{n}", "a stranger"]}).to_arrow())
    lake.write_parquet(
        lake.partition(office.home.lake, "consent.event", "_schema", date(1, 1, 1)),
        pl.DataFrame({"party_key": []}, {"party_key": pl.String}).to_arrow(),
    )
    keys = [("core.party", party_id(n), f"K{n}") for n in range(24)] + [("crm.customer", party_id(20), "K10")]
    crosswalk = pl.DataFrame(keys, ["contract", "party_id", "record_key"], orient="row")
    crosswalk.write_parquet(office.home.identity / "party_crosswalk.parquet")

    def landed(*landings: Landing) -> Standing:
        monkeypatch.setattr(provenance.ledger, "read_all", lambda _: list(landings))
        return stands(office)

    assert landed().spoke_since == 0
    after = landed(landing(NEXT, "a" * 64))
    assert missing(before, after, office.ring) == {"marketing": {11}, "risk": {11}}
    after = landed(landing(SECOND, "a" * 64), landing(NEXT, "a" * 64))
    assert missing(before, after, office.ring)["risk"] == {10, 11}, "the release does not name the file of its own date"
    assert after.spoke_since == 2


@pytest.mark.parametrize(
    ("row", "classes"),
    [
        (("data_sharing", "partner", False, None, SECOND), {"partner"}),
        (("data_sharing", "medical", False, None, SECOND), {"medical"}),
        (("data_sharing", None, False, None, SECOND), {"partner", "bureau", "medical"}),
        (("bureau_query", None, False, None, SECOND), {"bureau"}),
        (("data_sharing", "partner", True, None, SECOND), set()),
        (("data_sharing", "partner", False, SECOND, SECOND), set()),
        (("data_sharing", "partner", False, None, FIRST), set()),
    ],
)
def test_what_was_taken_back_since_is_told_to_both(office: Office, row: tuple, classes: set[str]) -> None:
    last = deciding(office.catalog, office.home)
    path = last.path / STATE
    purpose, data_class, is_given, valid_to, valid_from = row
    schema = pl.read_parquet_schema(path)
    name = pseudonym(party_id(3), "risk", lambda: office.ring)
    told = {"pseudonym": name, "business_date": SECOND, "purpose": purpose, "data_class": data_class,
            "is_given": is_given, "valid_from": valid_from, "valid_to": valid_to, "known_from": valid_from}  # fmt: skip
    pl.DataFrame([{column: told.get(column) for column in schema}], schema).write_parquet(path)
    found = standing(office.home, office.ring, last, FIRST).taken_back
    for consumer in ("marketing", "risk"):
        who = pseudonym(party_id(3), consumer, lambda: office.ring)
        assert {tuple(one) for one in found[consumer].rows()} == {(who, name) for name in classes}


def test_a_home_that_cannot_say_how_parties_stand(office: Office) -> None:
    last = deciding(office.catalog, office.home)
    (last.path / STATE).unlink()
    with pytest.raises(Refused, match="does not say who took which consent back"):
        standing(office.home, office.ring, last, FIRST)
    for path in office.home.releases.glob("*/proof/rules.json"):
        path.unlink()
    with pytest.raises(Refused, match="has proofs: run `zhongtai nightly` instead"):
        deciding(office.catalog, office.home)


@pytest.mark.parametrize("known", ["an earlier night", "no night"])
def test_who_is_who_of_an_earlier_night_decides_nothing(office: Office, known: str) -> None:
    """As after `nightly --date` of an earlier date: parties and events of since are not there."""
    state.forget(office.home, FIRST if known == "no night" else SECOND)
    told = FIRST if known == "an earlier night" else known
    with pytest.raises(Refused) as refused:
        deciding(office.catalog, office.home)
    assert f"and who is who in this home is of {told}: " in str(refused.value)
    assert f"Run `zhongtai nightly --date {SECOND}` first" in str(refused.value)
    resolved(office.home, NEXT)
    assert deciding(office.catalog, office.home).business_date == SECOND
