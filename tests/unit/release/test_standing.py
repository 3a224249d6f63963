"""Of whom no night has said how they stand: they are not in the last word on parties that a rollback goes by."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.ingest import lake
from pipelines.ingest.ledger import Landing
from pipelines.release import provenance
from pipelines.release.catalogue import current
from pipelines.release.refused import Refused
from pipelines.release.standing import STATE, Standing, standing
from pipelines.release.whom import pseudonym
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing

from .lawful_nights import NIGHTS
from .warehouse import BANK, KEY, Office, party_id

FIRST, SECOND = NIGHTS
NEXT = SECOND + timedelta(days=1)


@pytest.fixture
def office(two_nights: Office, tmp_path: Path) -> Office:
    """A copy of the home of two nights."""
    home = Path(shutil.copytree(two_nights.home.path, tmp_path / "home", symlinks=True))
    settings = Settings(home_dir=home, bank=BANK, vault_key=KEY)
    return Office(two_nights.catalog, settings, two_nights.ring, two_nights.shelf)


def missing(before: Standing, after: Standing, ring: KeyRing) -> dict[str, set[int]]:
    """The parties, by number, who are in the word of before and not in that of after."""
    found = {}
    for consumer in ("marketing", "risk"):
        names = {pseudonym(party_id(n), consumer, lambda: ring): n for n in range(24)}
        gone = set(before.proofs[consumer]["pseudonym"]) - set(after.proofs[consumer]["pseudonym"])
        found[consumer] = {names[name] for name in gone}
    return found


def test_records_that_went_between_parties_leave_both_out_but_a_merge_does_not(office: Office) -> None:
    before = standing(office.home, office.ring, FIRST)
    went = [(SECOND, "split", 1, 2), (SECOND, "moved", 3, 4), (SECOND, "undo", 5, 5), (SECOND, "merge", 6, 7),
            (FIRST, "split", 8, 9)]  # fmt: skip
    rows = [(day, kind, party_id(one), party_id(other)) for day, kind, one, other in went]
    names = ["business_date", "kind", "party_id", "other_party_id"]
    pl.DataFrame(rows, names, orient="row").write_parquet(office.home.identity / "identity_event.parquet")
    after = standing(office.home, office.ring, FIRST)
    assert missing(before, after, office.ring) == {"marketing": {1, 2, 3, 4, 5}, "risk": {1, 2, 3, 4, 5}}
    assert (after.parted_since, after.spoke_since) == (5, 0)
    assert standing(office.home, office.ring, SECOND).parted_since == 0


def landing(day: date, sha256: str) -> Landing:
    counts = dict.fromkeys(("delivered", "accepted", "unchanged", "quarantined", "tombstones"), Decimal(1))
    return Landing("consent.event", "app", day, "rows", "landed", "c.csv", sha256, "b" * 64, None, None, **counts)


def test_who_spoke_in_a_delivery_that_no_night_has_decided_on_is_left_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = standing(office.home, office.ring, FIRST)
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
        return standing(office.home, office.ring, FIRST)

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
    path = current(office.home).path / STATE
    purpose, data_class, is_given, valid_to, valid_from = row
    schema = pl.read_parquet_schema(path)
    name = pseudonym(party_id(3), "risk", lambda: office.ring)
    told = {"pseudonym": name, "business_date": SECOND, "purpose": purpose, "data_class": data_class,
            "is_given": is_given, "valid_from": valid_from, "valid_to": valid_to, "known_from": valid_from}  # fmt: skip
    pl.DataFrame([{column: told.get(column) for column in schema}], schema).write_parquet(path)
    found = standing(office.home, office.ring, FIRST).taken_back
    for consumer in ("marketing", "risk"):
        who = pseudonym(party_id(3), consumer, lambda: office.ring)
        assert {tuple(one) for one in found[consumer].rows()} == {(who, name) for name in classes}


def test_a_home_that_cannot_say_how_parties_stand(office: Office) -> None:
    (current(office.home).path / STATE).unlink()
    with pytest.raises(Refused, match="does not say who took which consent back"):
        standing(office.home, office.ring, FIRST)
    for path in office.home.releases.glob("*/proof/rules.json"):
        path.unlink()
    with pytest.raises(Refused, match="has proofs: run `zhongtai nightly` instead"):
        standing(office.home, office.ring, FIRST)
