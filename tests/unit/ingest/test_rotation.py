"""Rotation: every token is made anew or none, whenever it is killed; what is landed and computed does not notice."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest import ledger, rotation
from pipelines.settings import InputError
from pipelines.vault import key_file, store
from pipelines.vault.keys import KeyRing

from .workshop import SmallBank, column, contract, day, examples

KEYS = ["5a" * 32, "c3" * 32, "17" * 32]
PEOPLE = contract(
    columns=(
        column("key"), column("name", identifier="name", personal_class="C2"),
        column("phone", identifier="phone", personal_class="C2"), column("amount", "decimal(18,2)"),
    )
)  # fmt: skip
PLAIN = contract("test.plain", columns=(column("key"), column("amount", "decimal(18,2)")))
HEADER = "key,name,phone,amount"
EVERY = max(1, 5 // int(os.environ.get("TEST_EFFORT", "1")))  # which of the moments a rotation is killed at


class Killed(BaseException):
    """As sudden as a signal: nothing that handles errors handles it."""


def begun(small_bank, keys=KEYS[:1]) -> SmallBank:
    """A bank of which three days are landed: people of the third are carried by a delta of one."""
    bank = small_bank(contracts=(PEOPLE, PLAIN), ring=KeyRing(bytes.fromhex(keys[0])))
    for number, rows in enumerate(nights(), 1):
        bank.deliver(day(number), rows, HEADER)
        bank.deliver(day(number), [("a", number)], "key,amount", of=1)
    bank.land(day(1), day(3))
    return bank


def nights():
    first = [("a", "Ann Example", "+86 13900001999", 1), ("b", "陈 伟", None, 1), ("c", None, "13900001999", 1)]
    return first, [*first[:2], ("c", "Ann EXAMPLE", "x", 1)], first[:2]


def rotated(bank, keys) -> SmallBank:
    """The bank with its desk after a rotation under `keys`."""
    rotation.rotate(bank.desk.catalog, bank.home, ",".join(keys))
    return reopened(bank, keys)


def reopened(bank, keys) -> SmallBank:
    rotation.recover(bank.home)
    bank.desk = replace(bank.desk, ring=KeyRing.of_home(bank.home.vault, ",".join(keys)))
    return bank


def tokens(bank) -> set[str]:
    rows = bank.lake()
    return {token for name in ("name_token", "phone_token") for token in rows[name].drop_nulls()}


def test_after_a_rotation_the_home_is_what_it_would_be_with_the_new_keys(small_bank):
    bank = rotated(begun(small_bank), KEYS[:2])
    assert bank.desk.ring.version == 2
    fresh = small_bank(contracts=(PEOPLE, PLAIN), ring=KeyRing(*map(bytes.fromhex, KEYS[:1])))
    fresh.desk = replace(fresh.desk, ring=KeyRing(bytes.fromhex(KEYS[0]), (bytes.fromhex(KEYS[1]),), 2))
    for number, rows in enumerate(nights(), 1):
        fresh.deliver(day(number), rows, HEADER)
        fresh.deliver(day(number), [("a", number)], "key,amount", of=1)
    fresh.land(day(1), day(3))
    assert bank.files("lake", "quarantine", "control", "vault/store") == fresh.files(
        "lake", "quarantine", "control", "vault/store"
    )


def test_no_token_survives_and_nothing_else_changes(small_bank):
    bank = begun(small_bank)
    before, old, plain = bank.lake(), tokens(bank), bank.lake(1)
    now = rotated(bank, KEYS[:2]).lake()
    assert old and not old & tokens(bank) and len(old) == len(tokens(bank))
    kept = [name for name in before.columns if not name.endswith("_token")]
    assert now.select(kept).equals(before.select(kept)) and bank.lake(1).equals(plain)
    for name in ("name_token", "phone_token"):
        pairs = set(zip(before[name], now[name], strict=True))
        assert len(pairs) == before[name].n_unique() == now[name].n_unique()
    for landing in ledger.read_all(bank.home):
        assert landing.recipe_sha256 == bank.desk.recipe(
            bank.delivery(landing.business_date, of=0 if landing.contract == PEOPLE.id else 1)
        )


def test_a_full_delivery_after_a_rotation_lands_no_change(small_bank):
    bank = rotated(begun(small_bank), KEYS[:2])
    assert [outcome.reused for outcome in bank.land(day(1), day(3))] == [3, 3]
    bank.deliver(day(4), nights()[2], HEADER)
    bank.deliver(day(4), [("a", 3)], "key,amount", of=1)
    bank.land(day(4))
    landing = bank.landings()[day(4)]
    assert (landing.accepted, landing.unchanged, landing.tombstones) == (0, 2, 0)
    assert bank.state(day(4)) == bank.state(day(3)) and not bank.landings()[day(4)].landed_sha256


def test_the_store_explains_the_tokens_of_every_date_before_and_after(small_bank):
    bank = begun(small_bank)
    for keys in (KEYS[:1], KEYS[:2], KEYS):
        bank = rotated(bank, keys) if len(keys) > 1 else bank
        ring = bank.desk.ring
        assert ring.version == len(keys)
        for of_day in bank.lake().partition_by("business_date"):
            told = store.read_values(bank.home, ring, PEOPLE.id, "source", of_day["business_date"][0])
            held = {t for name in ("name_token", "phone_token") for t in of_day[name].drop_nulls()}
            assert held == set(told["token"])
        every = store.values(bank.home, ring)
        assert set(every["token"]) == tokens(bank)
        assert set(every["value"]) == {"ANN EXAMPLE", "陈伟", "13900001999"}


def moments_of(monkeypatch, run, killed_at=None):
    """Run, and count the moments at which something on disk changes; be killed before one of them."""
    count = 0

    def moment(original):
        def counted(*given, **more):
            nonlocal count
            count += 1
            if count == killed_at:
                raise Killed
            return original(*given, **more)

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", moment(lambda _: None))
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, moment(getattr(Path, name)))
        patch.setattr("shutil.rmtree", moment(rotation.shutil.rmtree))
        run()
    return count


@pytest.mark.slow
def test_a_rotation_that_was_killed_is_finished_or_undone(small_bank, monkeypatch):
    bank, done = begun(small_bank), begun(small_bank)
    before = bank.files("lake", "control", "vault/store")
    assert before == done.files("lake", "control", "vault/store")
    moments = moments_of(monkeypatch, lambda: rotated(done, KEYS[:2]))
    after = done.files("lake", "control", "vault/store")
    outcomes = set()
    for killed_at in sorted({*range(1, moments, EVERY), *range(moments - 6, moments)}):
        with pytest.raises(Killed):
            moments_of(
                monkeypatch, partial(rotation.rotate, bank.desk.catalog, bank.home, ",".join(KEYS[:2])), killed_at
            )
        counted = rotation.is_interrupted(bank.home)
        reopened(bank, KEYS[:2])
        found, version = bank.files("lake", "control", "vault/store"), bank.desk.ring.version
        assert (found, version) in ((before, 1), (after, 2)) and not (bank.home.vault / "rotation").exists()
        assert not counted or version == 2
        outcomes.add(version)
        if version == 2:
            bank = begun(small_bank)
    assert outcomes == {1, 2}


def test_the_key_file_gets_one_line_for_each_rotation_whenever_it_is_killed(small_bank, monkeypatch):
    bank = begun(small_bank)
    path = bank.home.vault / "master.key"
    path.write_text(KEYS[0])
    path.chmod(0o600)
    with pytest.raises(Killed), monkeypatch.context() as patch:
        patch.setattr(rotation, "write_private", lambda *_: (_ for _ in ()).throw(Killed))
        rotation.rotate(bank.desk.catalog, bank.home, None)
    kept = path.read_text()
    assert len(kept.split("\n")) == 2 and kept.startswith(KEYS[0])
    rotation.recover(bank.home)
    assert KeyRing.of_home(bank.home.vault).version == 1 and KeyRing.of_home(bank.home.vault).newest == 2
    for version in (2, 3):
        assert rotation.rotate(bank.desk.catalog, bank.home, None).version == version
        assert len(path.read_text().split("\n")) == version
    assert path.read_text().startswith(kept) and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyRing.of_home(bank.home.vault).version == 3


def test_a_rotation_needs_a_new_key_and_the_ones_before(small_bank):
    bank = begun(small_bank)
    with pytest.raises(InputError, match="has 1 keys, and version 1 is in use: add a new one"):
        rotated(bank, KEYS[:1])
    bank = rotated(bank, KEYS[:2])
    for keys, said in (
        (KEYS[:1], "have key version 2, but only 1 keys are given"), ([KEYS[0], KEYS[2]], "key number 2 is"),
        ([KEYS[1], KEYS[0]], "key number 2 is"), ([KEYS[2], KEYS[1]], "is not the key"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said) as caught:
            KeyRing.of_home(bank.home.vault, ",".join(keys))
        assert not [key for key in KEYS if key in str(caught.value)]


def test_a_token_that_the_vault_does_not_explain_stops_the_rotation(small_bank):
    bank = begun(small_bank)
    store.path_of(bank.home, PEOPLE.id, "source", day(2)).unlink()
    before = bank.files()
    with pytest.raises(InputError, match=f"{PEOPLE.id} of source, {day(2)}: the vault store does not explain 1 tokens"):
        rotated(bank, KEYS[:2])
    assert bank.files() == before and not (bank.home.vault / "rotation").exists()
    assert key_file.token_version(bank.home.vault) is None


def test_a_date_without_changes_keeps_no_values(small_bank):
    bank = begun(small_bank)
    paths = [store.path_of(bank.home, PEOPLE.id, "source", day(number)) for number in (1, 2, 3)]
    assert [path.exists() for path in paths] == [True, True, True]  # the third has a tombstone, and no value
    assert store.as_delivered(paths[2], bank.desk.ring).is_empty() and paths[0].stat().st_mode & 0o777 == 0o600
    bank.deliver(day(2), nights()[0], HEADER)
    bank.deliver(day(3), nights()[0], HEADER)
    bank.land(day(2), day(3))
    assert [path.exists() for path in paths] == [True, False, False]
    assert not list((bank.home.vault / "store" / PLAIN.id).glob("*"))


NAMES = st.one_of(st.none(), st.sampled_from(["Ann", "ANN", " ann", "陈伟", "陈 伟", "Bob"]))


@pytest.mark.slow
@examples(25)
@given(days=st.lists(st.dictionaries(st.sampled_from("abc"), st.tuples(NAMES, NAMES)), min_size=1, max_size=4))
def test_the_store_of_a_date_is_what_its_rows_were_delivered_with(small_bank, days):
    bank = small_bank(contracts=(PEOPLE,))
    for number, rows in enumerate(days, 1):
        bank.deliver(day(number), [(key, name, phone, 1) for key, (name, phone) in rows.items()], HEADER)
        bank.land(day(number))
        rows_landed = bank.lake()
        lines = []
        if not rows_landed.is_empty():
            of_day = rows_landed.filter((pl.col("business_date") == day(number)) & (pl.col("_change") == "upsert"))
            lines = of_day["key"].to_list()
        names = {name.strip() for name in (rows[key][0] for key in lines) if name}  # reading a file trims its values
        path = store.path_of(bank.home, PEOPLE.id, "source", day(number))
        kept = store.as_delivered(path, bank.desk.ring) if path.exists() else pl.DataFrame(schema={"kind": pl.String})
        kept = kept.filter(pl.col("kind") == "name")
        raws = [row["value"] if row["raw"] is None else row["raw"] for row in kept.iter_rows(named=True)]
        assert sorted(raws) == sorted(names)


def test_what_is_sealed_is_not_there_in_plain(small_bank):
    bank = begun(small_bank)
    rotated(bank, KEYS[:2])
    for path in (each for each in bank.home.vault.rglob("*") if each.is_file()):
        content = path.read_bytes()
        assert not [raw for raw in ("Ann", "ANN", "陈", "13900001999") if raw.encode() in content], path
    assert json.loads((bank.home.vault / "token_version.json").read_text())["version"] == 2
