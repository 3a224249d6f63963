"""What a release that brings an earlier one back holds: rows of then, of parties of whom that is lawful today."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.content import PAGE, PROOF, RULES, read_content, supersession
from pipelines.audit.lawful import unproven
from pipelines.audit.usage import BY_RECORD, unaccounted
from pipelines.release.catalogue import Release, current, find, list_releases, verify_release
from pipelines.release.left_out import LOST, lawful_part
from pipelines.release.pointer import place_of, point
from pipelines.release.refused import Refused
from pipelines.release.restored import restore
from pipelines.release.rollback import roll_back
from pipelines.release.standing import deciding, standing
from pipelines.release.whom import pseudonym
from pipelines.settings import InputError, Settings
from pipelines.vault.keys import KeyRing

from .lawful_nights import NIGHTS, WITHDRAWS
from .signed_office import FORGER, forged, say
from .warehouse import BANK, KEY, Office, approve, evidence, party_id

NAMES = [f"p{n}" for n in range(6)]
PERMISSIONS = ("marketing_basic", "marketing_transaction")
DECISIONS = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.booleans(), st.booleans(), st.sets(st.sampled_from(BY_RECORD)))
)
ROWS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.none() | st.integers(0, 9)), max_size=12)
NEEDED = st.sets(st.sampled_from(PERMISSIONS)).map(sorted)
CLASSES = st.sets(st.sampled_from(("basic", *BY_RECORD))).map(sorted)


@given(rows=ROWS, decisions=DECISIONS, needs=st.tuples(NEEDED, NEEDED), classes=st.tuples(CLASSES, CLASSES))
def test_rows_and_values_stay_where_all_their_parties_allow_it(
    rows, decisions, needs, classes, tmp_path_factory
) -> None:
    path = tmp_path_factory.mktemp("part") / "rows.parquet"
    frame = pl.DataFrame(
        rows, schema={"from_pseudonym": pl.String, "to_pseudonym": pl.String, "amount": pl.Int64}, orient="row"
    )
    frame.write_parquet(path)
    told = pl.DataFrame(
        [(name, basic, transaction, sorted(lost)) for name, (basic, transaction, lost) in decisions.items()],
        schema={"pseudonym": pl.String, **dict.fromkeys(PERMISSIONS, pl.Boolean), LOST: pl.List(pl.String)},
        orient="row",
    )

    def allows(name: str, needed: list[str], used: list[str]) -> bool:
        if name not in decisions:
            return False
        basic, transaction, lost = decisions[name]
        given_ = {"marketing_basic": basic, "marketing_transaction": transaction}
        return all(given_[one] for one in needed) and not lost & set(used)

    expected = [
        (one, other, amount if all(allows(n, needs[1], classes[1]) for n in (one, other)) else None)
        for one, other, amount in rows
        if all(allows(n, needs[0], classes[0]) for n in (one, other))
    ]
    needed, used = ({"rows": some[0], "columns": {"amount": some[1]}} for some in (needs, classes))
    found = lawful_part(path, needed, used, told)
    assert found is not None
    table, out = found
    assert pl.from_arrow(table).rows() == expected
    assert out["rows"] == len(rows) - len(expected)
    emptied = [row for row in rows if all(allows(n, needs[0], classes[0]) for n in row[:2]) and row[2] is not None]
    assert out["values"] == len(emptied) - sum(amount is not None for *_, amount in expected)


@pytest.mark.parametrize(
    ("lost", "tags"), [([], ["shops", "saves"]), (["partner"], ["saves"]), (["bureau"], ["shops"])]
)
def test_a_row_goes_with_the_class_of_its_tag(tmp_path: Path, lost: list[str], tags: list[str]) -> None:
    path = tmp_path / "tags.parquet"
    pl.DataFrame({"pseudonym": ["a", "a"], "tag": ["shops", "saves"]}).write_parquet(path)
    decisions = pl.DataFrame({"pseudonym": ["a"], LOST: [lost]}, {"pseudonym": pl.String, LOST: pl.List(pl.String)})
    found = lawful_part(path, {}, {"tags": {"shops": ["partner"], "saves": ["bureau"]}}, decisions)
    assert found is not None
    assert pl.from_arrow(found[0])["tag"].to_list() == tags


def test_a_product_without_parties_is_left_as_it_is(tmp_path: Path) -> None:
    pl.DataFrame({"contract": ["core.party"]}).write_parquet(tmp_path / "coverage.parquet")
    assert lawful_part(tmp_path / "coverage.parquet", {}, {}, pl.DataFrame({"pseudonym": []})) is None


@dataclass(frozen=True)
class Restored:
    """A home of two nights, and the candidate that brings the first one back."""

    office: Office
    first: Release
    second: Release
    candidate: Path


@pytest.fixture(scope="module")
def restored(two_nights: Office, tmp_path_factory: pytest.TempPathFactory) -> Restored:
    place = tmp_path_factory.mktemp("restored") / "home"
    shutil.copytree(two_nights.home.path, place, symlinks=True)
    settings = Settings(home_dir=place, bank=BANK, vault_key=KEY)
    office = Office(two_nights.catalog, settings, two_nights.ring, two_nights.shelf)
    first, second = (find(office.home, night.isoformat()) for night in NIGHTS)
    stands = standing(office.home, office.ring, deciding(office.catalog, office.home), first.business_date)
    candidate = restore(office.catalog, office.home, office.ring, first, second, stands, "the limits were wrong")
    return Restored(office, first, second, candidate)


def products(restored: Restored) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    for product in restored.office.catalog.products.values():
        file = f"{product.consumer}/{product.table}.parquet"
        yield product.id, pl.read_parquet(restored.first.path / file), pl.read_parquet(restored.candidate / file)


def test_it_has_rows_of_the_restored_release_and_no_others(restored: Restored) -> None:
    shorter = set()
    for name, before, after in products(restored):
        assert after.schema == before.schema, name
        keys = [column.name for column in restored.office.catalog.products[name].columns if column.key]
        assert after.join(before, on=keys, how="anti", nulls_equal=True).is_empty(), name
        shorter |= {name} if after.height < before.height else set()
    assert "marketing.low_risk_list" in shorter
    assert not {name for name in shorter if name.startswith("shared.")}


def test_who_withdrew_since_is_not_brought_back(restored: Restored) -> None:
    name = pseudonym(party_id(WITHDRAWS), "marketing", lambda: restored.office.ring)
    found = {product: (before, after) for product, before, after in products(restored)}
    before, after = found["marketing.low_risk_list"]
    assert before.filter(pl.col("pseudonym") == name).height == 1
    assert after.filter(pl.col("pseudonym") == name).height == 0
    before, after = found["marketing.customer_360"]
    assert before.filter(pl.col("pseudonym") == name)["balance"].is_not_null().all()
    assert after.filter(pl.col("pseudonym") == name)["balance"].to_list() == [None], "basic data may still be used"
    others = after.filter(pl.col("pseudonym") != name)
    assert others.equals(before.filter(pl.col("pseudonym") != name))


def test_it_follows_from_its_proofs_and_its_ledger_says_what_was_used(restored: Restored) -> None:
    # That decisions follow from facts is not so of these invented nights; that rows follow from decisions is.
    with duckdb.connect() as con:
        found = unproven(con, restored.candidate, restored.office.catalog)
        assert [words for words in found if not words.startswith("proof of ")] == []
        assert unaccounted(con, restored.candidate, restored.office.catalog) == []
    told = json.loads((restored.candidate / PROOF / RULES).read_bytes())
    assert told["needs"].keys() == json.loads((restored.first.path / PROOF / RULES).read_bytes())["needs"].keys()


def test_it_says_what_it_supersedes_restores_and_leaves_out(restored: Restored) -> None:
    told: dict[str, Any] = supersession(restored.candidate) or {}
    assert (told["supersedes"], told["restores"]) == (restored.second.id, restored.first.id)
    assert told["reason"] == "the limits were wrong"
    assert told["place"] == {"business_date": NIGHTS[1].isoformat(), "order": 1}
    assert told["decided"]["release"] == restored.second.id
    assert told["left_out"]["marketing.low_risk_list"]["rows"] == 1
    assert told["left_out"]["marketing.customer_360"]["values"] >= 1


def test_published_it_leads_and_is_verified(restored: Restored, tmp_path: Path) -> None:
    shutil.copytree(restored.office.home.path, tmp_path / "home", symlinks=True)
    settings = Settings(home_dir=tmp_path / "home", bank=BANK, vault_key=KEY)
    office = Office(restored.office.catalog, settings, restored.office.ring, restored.office.shelf)
    candidate = office.home.candidates / restored.candidate.name
    assert read_content(candidate).hash == candidate.name
    approve(candidate, evidence(candidate, office.catalog))
    release = office.publish(candidate)
    assert current(office.home).id == release.id
    assert release.business_date == NIGHTS[0]
    assert place_of(release.path) == (NIGHTS[1].isoformat(), 1)
    assert verify_release(release, office.catalog) == []
    assert release.manifest["supersedes"]["restores"] == restored.first.id
    assert release.manifest["deliveries"] == restored.first.manifest["deliveries"]
    assert len(list_releases(office.home)) == 3


def test_a_candidate_of_before_the_last_release_is_not_published_any_more(restored: Restored, tmp_path: Path) -> None:
    shutil.copytree(restored.office.home.path, tmp_path / "home", symlinks=True)
    settings = Settings(home_dir=tmp_path / "home", bank=BANK, vault_key=KEY)
    office = Office(restored.office.catalog, settings, restored.office.ring, restored.office.shelf)
    candidate = office.home.candidates / restored.candidate.name
    approve(candidate, evidence(candidate, office.catalog))
    kept = Path(shutil.copytree(candidate, tmp_path / candidate.name))
    once = office.publish(candidate)
    shutil.copytree(kept, candidate)
    with pytest.raises(Refused, match="is of before the last release: run `zhongtai releases rollback` again"):
        office.publish(candidate)
    assert current(office.home).id == once.id


def test_nothing_comes_back_from_a_release_that_cannot_say_what_may_be_used(restored: Restored) -> None:
    office, first, second = restored.office, restored.first, restored.second
    stands = standing(office.home, office.ring, deciding(office.catalog, office.home), first.business_date)
    without = {name: entry for name, entry in first.manifest["files"].items() if not name.startswith(PROOF)}
    silent = Release(first.path, first.manifest | {"files": without})
    with pytest.raises(Refused, match="has no proofs, so nobody can say what may still be used of it"):
        restore(office.catalog, office.home, office.ring, silent, second, stands, "why")
    without = {name: entry for name, entry in first.manifest["files"].items() if "npl_ratio" not in name}
    with pytest.raises(Refused, match=r"has no risk\.npl_ratio, which consumers are promised since"):
        restore(
            office.catalog,
            office.home,
            office.ring,
            Release(first.path, first.manifest | {"files": without}),
            second,
            stands,
            "",
        )


def test_going_back_needs_an_earlier_release_the_same_keys_and_a_reason(restored: Restored) -> None:
    office, first = restored.office, restored.first.id
    with pytest.raises(InputError, match="is the current release: name an earlier one"):
        roll_back(office.catalog, office.settings, office.ring, restored.second.id, "why")
    with pytest.raises(InputError, match="say why, for whoever asks later"):
        roll_back(office.catalog, office.settings, office.ring, first, " ")
    with pytest.raises(InputError) as refused:
        roll_back(office.catalog, office.settings, office.ring, first, "asked for by 11010519491231002X, 138 0013 8000")
    assert str(refused.value).startswith("--reason holds what looks like a mobile phone, a resident id: ")
    assert not any(told in str(refused.value) for told in ("110105", "8000"))
    with pytest.raises(Refused, match="was made with other keys"):
        roll_back(office.catalog, office.settings, KeyRing(b"\x01" * 32), first, "why")


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def changed_with_its_hash(path: Path) -> None:
    changed(path)
    sha256, name = hashlib.sha256(path.read_bytes()).hexdigest(), f"{path.parent.name}/{path.name}"
    say(path.parents[1] / "manifest.json", lambda manifest: manifest["files"][name].update(sha256=sha256))


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize(
    ("change", "words"),
    [(changed, r"risk/customer_360\.parquet was changed"), (changed_with_its_hash, r"manifest\.json was changed")],
)
def test_nothing_is_made_of_a_release_that_is_not_what_was_published(
    restored: Restored, tmp_path: Path, night: date, change: Callable[[Path], None], words: str
) -> None:
    """Neither of the one that comes back nor of the one whose word on parties counts."""
    shutil.copytree(restored.office.home.path, tmp_path / "home", symlinks=True)
    settings = Settings(home_dir=tmp_path / "home", bank=BANK, vault_key=KEY)
    spoilt = find(settings.home, night.isoformat())
    change(spoilt.path / "risk" / "customer_360.parquet")
    with pytest.raises(Refused, match=rf"{spoilt.id} is not what was published:\n  {words}.*(?s:.*)from a backup"):
        roll_back(restored.office.catalog, settings, restored.office.ring, restored.first.id, "why")
    assert len(list_releases(settings.home)) == 2


@pytest.mark.parametrize("night", NIGHTS)
def test_nothing_is_made_of_a_forgery_in_which_every_hash_fits(restored: Restored, tmp_path: Path, night: date) -> None:
    shutil.copytree(restored.office.home.path, tmp_path / "home", symlinks=True)
    settings = Settings(home_dir=tmp_path / "home", bank=BANK, vault_key=KEY)
    spoilt = forged(find(settings.home, night.isoformat()).path, FORGER)
    point(settings.home.releases, spoilt.name if night == NIGHTS[1] else restored.second.id)
    with pytest.raises(Refused, match=rf"{spoilt.name} is not what was published:\n  .*does not trust"):
        roll_back(restored.office.catalog, settings, restored.office.ring, NIGHTS[0].isoformat(), "why")
    assert len(list_releases(settings.home)) == 2


@pytest.mark.slow
def test_what_the_audit_finds_against_going_back_is_on_a_page(restored: Restored, tmp_path: Path) -> None:
    """The parties of this home are invented, and gates say so: nothing is published, and somebody can look."""
    shutil.copytree(restored.office.home.path, tmp_path / "home", symlinks=True)
    settings = Settings(home_dir=tmp_path / "home", bank=BANK, vault_key=KEY)
    home = settings.home
    with pytest.raises(Refused) as refused:
        roll_back(restored.office.catalog, settings, restored.office.ring, restored.first.id, "why")
    assert len(list_releases(home)) == 2
    (named,) = re.findall(r"\nlook: (.+), or `zhongtai gates show [0-9a-f]{12}`$", str(refused.value))
    assert "stand against publishing it" in Path(named).read_text("utf-8")
    pages = [path for path in home.candidates.glob(f"*/{PAGE}") if not path.parent.is_symlink()]
    assert any("stand against publishing it" in page.read_text("utf-8") for page in pages)
    assert {page.stat().st_mode & 0o777 for page in pages} == {0o600}
