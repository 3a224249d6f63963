"""Traces that a home keeps from one night to the next are those that would be made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog
from pipelines.lineage import compiled as compiled_
from pipelines.lineage import kept, trace
from pipelines.lineage.compiled import lineage_of
from pipelines.lineage.graph import Lineage
from pipelines.settings import Home

from .conftest import Compiled

KEPT = "lineage.json"
CHANGED, READ = "customer_360", "int_party_bureau"


class Night:
    """A home, the SQL that dbt compiled in it, and which models were traced."""

    def __init__(self, compiled: Compiled, catalog: Catalog, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self.catalog, self.home, self.keys = catalog, home, compiled.keys
        self.models = dict(compiled.models)
        self.traced: list[str] = []
        home.dbt.mkdir(parents=True)
        monkeypatch.setattr(compiled_, "compiled_models", lambda *_: self.models)
        make = trace.trace

        def noted(sql: str, *beside: object) -> trace.Trace:
            self.traced += [name for name, text in self.models.items() if text == sql]
            return make(sql, *beside)

        monkeypatch.setattr(trace, "trace", noted)
        assert self.again().traces == self.fresh()
        assert len(self.traced) == len(self.models) > 100
        self.traced.clear()

    @property
    def file(self) -> Path:
        return self.home.dbt / KEPT

    def again(self) -> Lineage:
        return lineage_of(self.catalog, self.home)

    def fresh(self) -> dict[str, trace.Trace]:
        traced = len(self.traced)
        found = Lineage(self.models, self.catalog, self.keys).traces
        del self.traced[traced:]
        return found


@pytest.fixture
def night(compiled: Compiled, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """A home in which dbt compiled the project, and traces of all of it are kept."""
    return Night(compiled, catalog, Home(tmp_path / "home"), monkeypatch)


def test_what_is_kept_is_what_is_traced(night: Night) -> None:
    assert night.again().traces == night.fresh()
    assert night.traced == []
    assert night.file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in night.home.dbt.iterdir()] == [KEPT]


def test_another_date_and_another_place_are_the_same_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    around = (("core__party", ("gender",)),)
    place = tmp_path / "lineage.json"

    def read(home: str, day: str) -> trace.Trace:
        reader = kept.Kept(place, Path(home))
        sql = f"select gender from read_parquet('{home}/lake/core__party/*/{day}.parquet')"
        found = reader.trace(sql, around, frozenset())
        reader.write()
        return found

    first = read("/one", "1994-03-31")
    assert first.columns == {"gender": {trace.Origin("core__party", "gender")}}
    monkeypatch.setattr(trace, "trace", lambda *_: pytest.fail("it is traced again"))
    before = place.read_bytes()
    assert read("/another/home", "1994-04-01") == first
    assert place.read_bytes() == before


def test_a_model_that_changed_is_traced_and_what_it_was_is_gone(night: Night) -> None:
    before, sql, file = night.fresh(), night.models[CHANGED], night.file.read_bytes()
    night.models[CHANGED] = f"select * from ({sql}) as same where age_years > 17"
    found = night.again().traces
    assert found == night.fresh()
    assert {name for name in found if found[name] != before[name]} == {CHANGED}
    assert night.traced == [CHANGED]
    night.models[CHANGED] = sql
    assert night.again().traces == before
    assert night.file.read_bytes() == file


def test_who_reads_a_model_with_another_column_is_traced(night: Night) -> None:
    night.models[READ] = f"select *, 1 as another from ({night.models[READ]}) as same"
    assert night.again().traces == night.fresh()
    assert set(night.traced) == {READ, *(name for name, sql in night.models.items() if f'."{READ}"' in sql)}


def test_another_key_of_what_is_read_is_another_trace(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {name: key for name, key in night.keys.items() if name != READ}
    monkeypatch.setattr(compiled_, "tested_keys", lambda *_: keys)
    night.keys = keys
    assert night.again().traces == night.fresh()
    assert night.traced


def test_another_version_traces_all_anew(night: Night, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = Path(shutil.copytree(Path(kept.__file__).parent, tmp_path / "lineage"))
    assert kept._version(package) == kept._version()
    with (package / "trace.py").open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    kept._version.cache_clear()
    edited = kept._version(package)
    monkeypatch.setattr(kept.sqlglot, "__version__", "0.0.0")
    kept._version.cache_clear()
    assert len({edited, kept._version(package), kept._version()}) == 3
    assert night.again().traces == night.fresh()
    assert len(night.traced) == len(night.models)
    kept._version.cache_clear()


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other", "list"])
def test_a_damaged_file_is_none(night: Night, damage: str) -> None:
    content = night.file.read_bytes()
    spoiled = {
        "cut": content[: len(content) // 2],
        "flipped": content.replace(b"int_party_bureau", b"int_party_burear", 1),
        "empty": b"",
        "other": b'{"made_from": "0", "traces": {}}',
        "list": b"[1]",
    }
    assert spoiled["flipped"] != content
    night.file.write_bytes(spoiled[damage])
    assert night.again().traces == night.fresh()
    assert len(night.traced) == len(night.models)
    assert night.file.read_bytes() == content
