"""Whether a raw identifier of the simulated bank is anywhere but where raw identifiers may be.

Every file of a home after its nights is searched, Parquet and databases as text, for every identifier that a source
delivers, as delivered and in its normal form. What was delivered and the vault may know them; the vault in no plain
byte.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from homes import readable
from project import project_catalog
from simulated import CUSTOMERS, NIGHT, SEED, START, identifiers

from pipelines.contracts.load import Catalog
from pipelines.settings import Home
from pipelines.simulation.run import all_emitters
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import build_world
from pipelines.vault import store
from pipelines.vault.keys import KeyRing
from pipelines.vault.normal import kinds, normalise

pytestmark = pytest.mark.slow
# Names as short as these are words of Chinese too: they are looked for as whole values.
_SHORT = 4


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def raw(catalog: Catalog) -> dict[str, set[str]]:
    """Every identifier that a source delivers, by its kind, as delivered and in normal form."""
    simulated, emitters = build_world(load_settings(), CUSTOMERS, SEED), all_emitters()
    days = range((NIGHT - START).days + 1)
    frames = [(key[0], emitters[key](simulated, day, key[1])) for key in sorted(emitters) for day in days]
    found = identifiers(catalog, frames)
    for kind, values in found.items():
        texts = pl.Series(sorted(values), dtype=pl.String)
        values.update(normalise(kind, texts).drop_nulls().to_list())
    # An account of the bank's own is the key of core.account too, and stays as it is (decision 0012).
    for name, frame in frames:
        if name == "core.account":
            found["bank_account"] -= set(frame["account_key"].cast(str))
    return found


def holding(values: set[str], said: dict[str, str]) -> set[tuple[str, str]]:
    """The files, and which of `values` each of them holds. `said` has the file of each text."""
    whole = {value for value in values if len(value) <= _SHORT}
    parts = sorted(values - whole)
    held = pl.DataFrame({"text": list(said), "file": list(said.values())})
    # At once: what looks for thousands of values is made for each call.
    found = held.select("file", pl.col("text").str.extract_many(parts)).explode("text").drop_nulls()
    word = re.compile(r"[^\W_]+")
    short = {(name, each) for text, name in said.items() for each in whole & set(word.findall(text))}
    return {*found.unique().rows(), *short}


def test_no_identifier_is_anywhere_but_in_the_vault_and_what_was_delivered(simbank, raw):
    assert raw.keys() == set(kinds())
    assert min(len(raw[kind]) for kind in ("national_id", "phone", "name")) > CUSTOMERS / 2
    said = {text: path.name for path, texts_ in readable(simbank.home) for text in texts_}
    assert {".parquet", ".duckdb", ".db", ".json"} <= {Path(name).suffix for name in said.values()}
    assert holding(set().union(*raw.values()), said) == set()


def test_the_search_would_find_one(raw):
    values = set().union(*raw.values())
    long, short = (next(v for v in sorted(raw["name"]) if fits(len(v))) for fits in ((_SHORT).__lt__, (3).__eq__))
    said = {f"x{min(raw['phone'])}y": "one", f"it is {short}.": "two", f"<{long}>": "three", "nothing": "four"}
    assert {("one", min(raw["phone"])), ("two", short), ("three", long)} <= holding(values, said)
    assert not [name for name, _ in holding(values, said) if name == "four"]


def test_no_file_of_the_vault_holds_one_in_plain(simbank, raw):
    vault = simbank.home / "vault"
    files = [path for path in vault.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix == ".sealed"] and not list((vault / "tmp").glob("*"))
    # A few bytes may come together by chance in what is encrypted.
    values = {value for value in set().union(*raw.values()) if len(value.encode()) >= 6}
    for path in files:
        content = path.read_bytes()
        said = {content.decode(encoding, "ignore"): path.name for encoding in ("utf-8", "gb18030", "latin-1")}
        assert {each for each in holding(values, said) if len(each[1].encode()) > 6} == set(), path
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_vault_explains_every_token_of_the_lake_and_holds_nothing_else(simbank, catalog, raw, vault_key):
    home, ring = Home(simbank.home), KeyRing(bytes.fromhex(vault_key))
    held: dict[str, set[str]] = {}
    for contract in catalog.sources.values():
        for column in contract.columns:
            if column.identifier:
                for path in (home.lake / contract.id).glob("source=[!_]*/*/part.parquet"):
                    frame = pl.read_parquet(path, glob=False, hive_partitioning=False, columns=[column.lake_name])
                    held.setdefault(column.identifier, set()).update(frame[column.lake_name].drop_nulls())
    known = store.values(home, ring)
    for (kind,), values in known.partition_by("kind", as_dict=True).items():
        assert set(values["token"]) == held.pop(str(kind)) and values["token"].n_unique() == values.height
        assert str(kind) == "bank_account" or set(values["value"]) <= raw[str(kind)]
    assert not [kind for kind, tokens in held.items() if tokens]
