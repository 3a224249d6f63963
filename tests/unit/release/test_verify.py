"""What a consumer opens, and whether a release is still what was published: every kind of tampering is found."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.release.catalogue import Release, read_release, verify_release
from pipelines.release.refused import Refused
from pipelines.settings import PROJECT, Home

from .conftest import new_office
from .warehouse import Office


@pytest.fixture(scope="module")
def _published(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, shelf: Path) -> Path:
    office = new_office(tmp_path_factory.mktemp("published") / "home", catalog, shelf)
    return office.publish(office.approved()).path


@pytest.fixture
def release(_published: Path, tmp_path: Path) -> Release:
    """A release that a test may tamper with, in a home that has the keys of releases and nothing else."""
    keys = Path("vault") / "signing"
    shutil.copytree(_published.parents[1] / keys, tmp_path / keys)
    return read_release(Path(shutil.copytree(_published, tmp_path / "releases" / _published.name)))


def sql(consumer: str, statement: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        with duckdb.connect(str(path / consumer / f"{consumer}.duckdb")) as con:
            con.execute(statement)

    return run


def rewrite(name: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        pq.write_table(pq.read_table(path / name).slice(1), path / name)

    return run


def say(name: str, **said: object) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        content = json.loads((path / name).read_bytes()) | said
        (path / name).write_text(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n")

    return run


def moved(name: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        target = (path / name).rename(path.parent / "elsewhere")
        (path / name).symlink_to(target)

    return run


RISK, LIST = "risk/customer_360.parquet", "marketing/low_risk_list.parquet"
TAMPERED = {
    "rows taken out of a file": (rewrite(RISK), [f"{RISK} was changed: its hash is not the one in manifest.json"]),
    "a byte changed": (
        lambda p: (p / LIST).write_bytes((p / LIST).read_bytes()[:-1] + b"x"),
        [f"{LIST} was changed: its hash is not the one in manifest.json"],
    ),
    "a file gone": (lambda p: (p / LIST).unlink(), [f"{LIST} is missing"]),
    "a file that is a link": (moved(RISK), None),
    "a file more": (
        lambda p: shutil.copy2(p / RISK, p / "marketing" / "all.parquet"),
        ["marketing/all.parquet does not belong to the release"],
    ),
    "a hidden file": (
        lambda p: shutil.copy2(p / "run.json", p / ".run.json"), [".run.json does not belong to the release"],
    ),
    "a file open to everyone": (lambda p: (p / RISK).chmod(0o644), [f"{RISK} can be read by everyone"]),
    "a directory open to everyone": (lambda p: (p / "risk").chmod(0o755), ["risk can be read by everyone"]),
    "a consumer's file gone": (lambda p: (p / "risk" / "risk.duckdb").unlink(), ["risk/risk.duckdb is missing"]),
    "a consumer's file that is none": (
        lambda p: (p / "risk" / "risk.duckdb").write_bytes(b"no database"), ["risk.duckdb: cannot be read: "],
    ),
    "a row deleted": (
        sql("risk", "delete from customer_360 where balance = 0"),
        ['risk.duckdb: main."customer_360" differs from its Parquet file in 1 rows'],
    ),
    "a row added": (
        sql("marketing", "insert into low_risk_list from low_risk_list limit 1"),
        ['marketing.duckdb: main."low_risk_list" differs from its Parquet file in 1 rows'],
    ),
    "a value changed": (
        sql("risk", "update shared.coverage set status = 'absent' where contract = 'contract 000'"),
        ['risk.duckdb: shared."coverage" differs from its Parquet file in 2 rows'],
    ),
    "a table gone": (sql("risk", "drop table shared.coverage"), ['risk.duckdb: shared."coverage": Catalog Error']),
    "a table more": (
        sql("marketing", "create table raw as select 1 as x"), ["marketing.duckdb: main.raw does not belong here"],
    ),
    "a view more": (
        sql("marketing", "create view raw as select 1 as x"), ["marketing.duckdb: main.raw does not belong here"],
    ),
    "a macro more": (
        sql("marketing", "create macro band() as 'A'"), ["marketing.duckdb: main.band does not belong here"],
    ),
    "a column more": (
        sql("risk", "alter table scenario_feature add column note varchar"),
        ['risk.duckdb: main."scenario_feature" has other columns than its Parquet file'],
    ),
    "a column renamed": (
        sql("risk", "alter table scenario_feature rename column value to share"),
        ['risk.duckdb: main."scenario_feature" has other columns than its Parquet file'],
    ),
    "a type changed": (
        sql("risk", "alter table customer_360 alter column accounts_owned type integer"),
        ['risk.duckdb: main."customer_360" has other columns than its Parquet file'],
    ),
    "a meaning changed": (
        sql("risk", "comment on column customer_360.balance is 'Sum of all credits.'"),
        ["risk.duckdb: the comment on main.customer_360.balance was changed"],
    ),
    "another release's name": (
        sql("risk", "update release set business_date = '1994-04-01'"), ["risk.duckdb: release names another release"],
    ),
    "the manifest": (
        say("manifest.json", bank="xiaocheng"), ["manifest.json was changed: it does not give the id"],
    ),
    "the manifest and what it says of a file": (
        lambda p: (rewrite(RISK)(p), say("manifest.json", files={})(p)),
        ["manifest.json was changed: it does not give the id"],
    ),
    "the evidence": (say("evidence.json", bank="xiaocheng"), ["evidence.json was changed"]),
    "the evidence unreadable": (lambda p: (p / "evidence.json").write_bytes(b""), ["evidence.json was changed"]),
    "the evidence gone": (lambda p: (p / "evidence.json").unlink(), ["evidence.json is missing"]),
    "the record of the run gone": (lambda p: (p / "run.json").unlink(), ["run.json is missing"]),
}  # fmt: skip


def problems(path: Path, catalog: Catalog) -> list[str]:
    return verify_release(read_release(path), catalog)


def test_a_release_is_what_was_published(release: Release, catalog: Catalog) -> None:
    assert verify_release(release, catalog) == []


@pytest.mark.parametrize("name", [name for name, (_, said) in TAMPERED.items() if said])
def test_tampering_is_found(release: Release, catalog: Catalog, name: str) -> None:
    tamper, expected = TAMPERED[name]
    tamper(release.path)
    found = problems(release.path, catalog)
    assert len(found) == len(expected), found
    for words, said in zip(found, expected, strict=True):
        assert said in words


def test_a_link_in_place_of_a_file(release: Release, catalog: Catalog) -> None:
    moved(RISK)(release.path)
    assert f"{RISK} is no longer a file of its own" in problems(release.path, catalog)


def test_another_name(release: Release, catalog: Catalog) -> None:
    path = release.path.rename(release.path.with_name("1994-04-01-000000000000"))
    assert problems(path, catalog) == ["manifest.json was changed: it does not give the id 1994-04-01-000000000000"]


@pytest.mark.parametrize("content", [b"", b"{", None])
def test_a_manifest_that_cannot_be_read(release: Release, content: bytes | None) -> None:
    path = release.path / "manifest.json"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(Refused, match=r"^1994-03-31-\w{12}: manifest.json cannot be read: it was changed"):
        read_release(release.path)


def test_an_old_release_is_verified_by_what_it_says_itself(release: Release, tmp_path: Path) -> None:
    """Contracts move on; a release stays what it was."""
    root = Path(shutil.copytree(PROJECT / "data_contracts", tmp_path / "contracts"))
    (root / "products" / "risk" / "scenario_feature.odcs.yaml").unlink()
    path = root / "marts" / "customer" / "customer_360.odcs.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("Gender as registered.", "Sex."), encoding="utf-8")
    for product in (root / "products").glob("*/customer_360.odcs.yaml"):
        text = product.read_text(encoding="utf-8")
        product.write_text(re.sub(r"^version: .*$", "version: 99.0.0", text, flags=re.M), encoding="utf-8")
    assert verify_release(release, load_catalog(root)) == []


def described(release: Release, consumer: str) -> dict[tuple[str, str], str]:
    with duckdb.connect(str(release.path / consumer / f"{consumer}.duckdb"), read_only=True) as con:
        rows = con.execute("select schema_name, table_name, comment from duckdb_tables() where not internal").fetchall()
        silent = con.execute("select distinct table_name from duckdb_columns() where not internal and comment is null")
        assert silent.fetchall() == [], "every column says what it means"
    return {(schema, table): comment for schema, table, comment in rows}


def test_a_consumer_opens_commented_tables_with_what_is_shared(release: Release, catalog: Catalog) -> None:
    shared = {("shared", p.table) for p in catalog.products.values() if p.consumer == "shared"}
    assert shared
    for consumer in ("marketing", "risk"):
        tables = described(release, consumer)
        own = {("main", p.table) for p in catalog.products.values() if p.consumer == consumer}
        assert tables.keys() == {*own, *shared, ("main", "release"), ("main", "example_queries")}
        assert all(tables.values())
    product = catalog.products["risk.customer_360"]
    assert described(release, "risk")["main", "customer_360"] == (
        f"{product.name}. {product.purpose} {product.grain} Owner: {product.owner}."
    )


def test_a_consumer_file_names_its_release(release: Release) -> None:
    with duckdb.connect(str(release.path / "risk" / "risk.duckdb"), read_only=True) as con:
        (row,) = con.execute("from release").fetchall()
    manifest = release.manifest
    assert row == (release.id, manifest["bank"], manifest["business_date"], manifest["content_hash"])


def test_empty_marts_give_empty_tables(office: Office, catalog: Catalog) -> None:
    release = office.publish(office.approved(parties=0))
    for consumer in ("marketing", "risk"):
        with duckdb.connect(str(release.path / consumer / f"{consumer}.duckdb"), read_only=True) as con:
            for product in catalog.products.values():
                if product.consumer in (consumer, "shared"):
                    schema = "shared" if product.consumer == "shared" else "main"
                    assert con.execute(f"select count(*) from {schema}.{product.table}").fetchall() == [(0,)]
    assert verify_release(release, catalog) == []


def test_a_home_with_a_quote_in_its_name(tmp_path: Path, catalog: Catalog, shelf: Path) -> None:
    office = new_office(tmp_path / "it's home", catalog, shelf)
    office.build(parties=3)
    release = office.publish(office.approved())
    assert isinstance(office.home, Home)
    assert verify_release(release, catalog) == []
    assert os.access(release.path / "risk" / "risk.duckdb", os.R_OK)
