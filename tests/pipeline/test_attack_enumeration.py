"""An attack: somebody who holds the lake and a release, and no key, tries every number that there can be.

A phone has eleven digits, a resident id hardly more that are free: all of them can be hashed in an hour. So nothing
that is kept may be a hash of one without a key, a token under another key is another token, and what two consumers hold
of one party has nothing in common. Belongs here: what can be computed from numbers. Does not belong here: numbers that
lie about in plain (`test_no_raw_identifiers`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from homes import readable
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.settings import PROJECT, Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.normal import kinds, normalise
from pipelines.vault.tokens import tokenise

NUMBERS = (PROJECT / "tests/fixtures/xiaocheng/identifiers.txt").read_text("utf-8").splitlines()
HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
# What a hash may be taken of beside the number alone.
PREFIXES = ("", *kinds(), "loan", "card", "account", "party", "person")
# Numbers that the bank itself gave: they stay readable in the lake, and nothing is a hash of them either.
KEYS = {
    "loan.contract": "loan_key",
    "card.account": "card_key",
    "core.account": "account_key",
    "core.party": "party_key",
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def numbers(xiaocheng) -> list[str]:
    """Every number and name of the bank, as delivered and in each normal form, and the keys that it gave."""
    found = {text for kind in kinds() for text in normalise(kind, pl.Series(NUMBERS, dtype=pl.String)).drop_nulls()}
    for contract, key in KEYS.items():
        for path in (xiaocheng.home / "lake" / contract).glob("source=[!_]*/*/part.parquet"):
            found |= set(pl.read_parquet(path, columns=[key], hive_partitioning=False)[key].cast(pl.String))
    return sorted(found | set(NUMBERS))


@pytest.fixture(scope="module")
def held(xiaocheng) -> dict[str, str]:
    """Every value that looks like a hash, or begins like one, in every file of the home; with its file."""
    said: dict[str, str] = {}
    for path, texts in readable(xiaocheng.home):
        said |= {text.lower(): str(path) for text in texts if 16 <= len(text) <= 128 and not set(text.lower()) - HEX}
    return said


HEX = set("0123456789abcdef")


def hashed(numbers: Iterable[str]) -> dict[str, str]:
    """Hashes without a key, whole and cut to sixteen digits and more, with how each was made."""
    made = {}
    for number in numbers:
        for text in {f"{prefix}{mark}{number}" for prefix in PREFIXES for mark in ("", " ", ":", "|")}:
            for name in HASHES:
                digest = hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()
                made |= {digest[:length]: f"{name}({text})" for length in {16, 32, 40, 64, len(digest)}}
    return made


def test_nothing_is_a_hash_without_a_key(held: dict[str, str], numbers: list[str]) -> None:
    assert len(held) > 1000
    assert len(numbers) > 1500
    for place in range(0, len(numbers), 200):
        made = hashed(numbers[place : place + 200])
        assert {text: (made[text], held[text]) for text in made.keys() & held.keys()} == {}


@pytest.mark.parametrize("made", ["md5", "sha256", "sha512"])
def test_such_a_hash_would_be_found(tmp_path: Path, made: str) -> None:
    digest = hashlib.new(made, b"loan 13000001003", usedforsecurity=False).hexdigest()
    pl.DataFrame({"facility_key": [digest]}).write_parquet(tmp_path / "mart.parquet")
    found = {text for _, texts in readable(tmp_path) for text in texts}
    assert hashed(["13000001003"]).keys() & found == {digest}


def lake_tokens(home: Path, catalog: Catalog) -> dict[str, set[str]]:
    """Tokens of the lake by kind."""
    found: dict[str, set[str]] = {}
    for contract in catalog.sources.values():
        for column in contract.columns:
            for path in (home / "lake" / contract.id).glob("source=[!_]*/*/part.parquet") if column.identifier else ():
                frame = pl.read_parquet(path, columns=[column.lake_name], hive_partitioning=False)
                found.setdefault(str(column.identifier), set()).update(frame[column.lake_name].drop_nulls())
    return found


def tokens(kind: str, ring: KeyRing) -> set[str]:
    frame = pl.DataFrame({"it": NUMBERS}, schema={"it": pl.String})
    return set(tokenise(frame, {"it": kind}, ring).rows["it_token"].drop_nulls())


def test_tokens_cannot_be_made_without_the_key(xiaocheng, catalog: Catalog, vault_key: str) -> None:
    mine, another = KeyRing(bytes.fromhex(vault_key)), KeyRing(bytes.fromhex("a5" * 32))
    held = lake_tokens(xiaocheng.home, catalog)
    assert {"phone", "national_id", "name"} <= held.keys()
    for kind, known in held.items():
        assert known <= tokens(kind, mine), f"with the key every {kind} is found: the attack itself works"
        assert not known & tokens(kind, another), kind
    every = [token for known in held.values() for token in known]
    assert len(every) == len(set(every)), "one number of two kinds has two tokens"


def test_consumers_hold_nothing_in_common_of_one_party(xiaocheng) -> None:
    release = xiaocheng.home / "releases" / "current"
    seen: dict[str, set[str]] = {}
    for consumer in ("marketing", "risk"):
        for path in (release / consumer).glob("*.parquet"):
            frame = pl.read_parquet(path)
            for name in [name for name in frame.columns if name.endswith("pseudonym")]:
                seen.setdefault(consumer, set()).update(frame[name].drop_nulls())
    crosswalk = pl.read_parquet(Home(xiaocheng.home).identity / "party_crosswalk.parquet")
    assert min(map(len, seen.values())) > 100
    assert not seen["marketing"] & seen["risk"]
    assert not (seen["marketing"] | seen["risk"]) & set(crosswalk["party_id"])
    assert not (seen["marketing"] | seen["risk"]) & hashed(crosswalk["party_id"].unique()).keys()
