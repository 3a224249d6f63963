"""The ledger of data usage: it says what was handed over, a withdrawal ends it, and the customer's page tells it."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.audit.content import PROOF
from pipelines.audit.usage import ledger, unaccounted
from pipelines.cli.main import app
from pipelines.release.catalogue import Release, list_releases
from pipelines.release.refused import Refused
from pipelines.release.usage_history import UsageHistory, usage_of
from pipelines.release.usage_page import page
from pipelines.release.usage_table import open_data_usage
from pipelines.release.whom import pseudonym
from pipelines.settings import InputError

from .lawful_nights import CHILDREN, NIGHTS, PARTIES, SHARED, SILENT, WITHDRAWS
from .warehouse import BANK, KEY, Office, party_id

LISTED = "marketing.low_risk_list"
NOT_MARKETED_TO = CHILDREN | SILENT


@pytest.fixture(scope="module")
def office(two_nights: Office) -> Office:
    return two_nights


@pytest.fixture(scope="module")
def nights(office: Office) -> list[Release]:
    return list_releases(office.home)


@pytest.fixture
def spoilt(nights: list[Release], tmp_path: Path) -> Path:
    """A release that a test may spoil."""
    return Path(shutil.copytree(nights[0].path, tmp_path / nights[0].id))


def history(office: Office, n: int) -> UsageHistory:
    return usage_of(office.home, party_id(n), lambda: office.ring)


def used(release: Release, consumer: str, product: str) -> dict[str, tuple[set[str], set[str]]]:
    lines = pl.read_parquet(ledger(release.path, consumer)).filter(pl.col("product") == product)
    return {
        row["pseudonym"]: tuple(set((row[name] or "").split(";")) - {""} for name in ("used", "withheld"))
        for row in lines.iter_rows(named=True)
    }


@pytest.mark.parametrize("night", [0, 1])
def test_a_class_is_used_where_a_value_of_it_was_handed_over(office: Office, nights: list[Release], night: int) -> None:
    """Against the product, party by party: nobody else, and of nobody else's data."""
    rows = pl.read_parquet(nights[night].path / "marketing" / "customer_360.parquet")
    found = used(nights[night], "marketing", "marketing.customer_360")
    assert found.keys() == set(rows["pseudonym"])
    assert len(found) == PARTIES - len(NOT_MARKETED_TO)
    for n in set(range(PARTIES)) - NOT_MARKETED_TO:
        who = pseudonym(party_id(n), "marketing", lambda: office.ring)
        (row,) = rows.filter(pl.col("pseudonym") == who).to_dicts()
        expected = {"basic"}
        expected |= {"transaction"} if row["balance"] is not None or row["orders_90d"] is not None else set()
        expected |= {"partner"} if row["orders_90d"] is not None and n in SHARED else set()
        assert found[who] == (expected, {"transaction"} if n == WITHDRAWS and night else set())


def test_what_others_know_was_used_of_those_only_of_whom_they_told(office: Office, nights: list[Release]) -> None:
    """Rows that descend from partners and the bureau, of parties of whom none of them has a record that counts."""
    found = used(nights[0], "risk", "risk.early_warning")
    for n in range(PARTIES):
        told = set(SHARED.get(n, "").split(";")) - {""}
        assert found[pseudonym(party_id(n), "risk", lambda: office.ring)][0] == {"basic"} | told


def test_what_was_never_delivered_was_used_of_nobody(nights: list[Release]) -> None:
    classes = json.loads((nights[0].path / PROOF / "rules.json").read_bytes())["classes"]
    named = json.dumps(classes)
    assert "bureau" in named
    assert "public" not in named


def test_after_a_withdrawal_nothing_of_the_next_release_uses_the_data(office: Office, nights: list[Release]) -> None:
    who = pseudonym(party_id(WITHDRAWS), "marketing", lambda: office.ring)

    def uses(release: Release) -> list[str]:
        """Every place that shows a use of transactions by marketing."""
        places = []
        lines = pl.read_parquet(ledger(release.path, "marketing")).filter(pl.col("pseudonym") == who)
        places += ["ledger"] if lines["used"].str.contains("transaction").any() else []
        proof = pl.read_parquet(release.path / PROOF / "marketing.parquet").filter(pl.col("pseudonym") == who)
        places += ["proof"] if proof["marketing_transaction"][0] else []
        table = release.path / "marketing" / "customer_360.parquet"
        with closing(duckdb.connect(str(release.path / "marketing" / "marketing.duckdb"), read_only=True)) as con:
            for place, source in (("product", f"'{table}'"), ("file", "main.customer_360")):
                sql = f"select count(balance) + count(orders_90d) from {source} where pseudonym = ?"
                places += [place] if con.execute(sql, [who]).fetchone() != (0,) else []
            listed = con.execute("select count(*) from main.low_risk_list where pseudonym = ?", [who]).fetchone()
            places += ["list"] if listed != (0,) else []
        with closing(open_data_usage(release)) as con:
            sql = "select count(*) from data_usage where pseudonym = ? and data_class = 'transaction' and is_used"
            places += ["table"] if con.execute(sql, [who]).fetchone() != (0,) else []
        return places

    assert uses(nights[0]) == ["ledger", "proof", "product", "file", "list", "table"]
    assert uses(nights[1]) == []
    mine, theirs = (
        [one for one in history(office, WITHDRAWS).used if (one.consumer, one.what) == (consumer, ("transaction",))]
        for consumer in ("marketing", "risk")
    )
    assert [(one.since, one.until) for one in mine] == [(NIGHTS[0], NIGHTS[0])]
    assert [(one.since, one.until) for one in theirs] == [(NIGHTS[0], None)], "risk rests on another basis"


@pytest.mark.parametrize("night", [0, 1])
def test_what_was_published_passes_the_gate(office: Office, nights: list[Release], night: int) -> None:
    with closing(duckdb.connect()) as con:
        assert unaccounted(con, nights[night].path, office.catalog) == []


def lines(change: Callable[[pl.DataFrame], pl.DataFrame], name: str = "usage_marketing") -> Callable[[Path], None]:
    def spoil(release: Path) -> None:
        path = release / PROOF / f"{name}.parquet"
        change(pl.read_parquet(path)).write_parquet(path)

    return spoil


def of_the_list(frame: pl.DataFrame) -> pl.Expr:
    first = frame.filter(pl.col("product") == LISTED)["pseudonym"][0]
    return (pl.col("product") == LISTED) & (pl.col("pseudonym") == first)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lines(lambda f: f.filter(~of_the_list(f))), f"{LISTED}: 5 customers, and 4 lines of 4"),
        (lines(lambda f: pl.concat([f, f.filter(of_the_list(f))])), f"{LISTED}: 5 customers, and 6 lines"),
        (
            lines(lambda f: f.with_columns(used=pl.when(of_the_list(f)).then(pl.lit("basic")).otherwise("used"))),
            f"{LISTED}: the ledger does not say what was used of 1 of 5 customers",
        ),
        (
            lines(lambda f: f.with_columns(withheld=pl.when(of_the_list(f)).then(pl.lit("basic")))),
            f"{LISTED}: the ledger does not say what was used of 1 of 5 customers",
        ),
        (
            lines(lambda f: f.with_columns(rows=pl.col("rows") + pl.when(of_the_list(f)).then(1).otherwise(0))),
            f"{LISTED}: the ledger does not say what was used of 1 of 5 customers",
        ),
        (
            lines(lambda f: pl.concat([f, f.head(1).with_columns(product=pl.lit("marketing.calibration_matrix"))])),
            "usage by marketing: 1 lines of products that have no customers",
        ),
        (
            lines(lambda f: f.with_columns(marketing_transaction=pl.lit(value=False)), "marketing"),
            "usage by marketing: .* uses of transaction data of customers of whom that is not lawful",
        ),
    ],
)  # fmt: skip
def test_a_ledger_that_says_otherwise_is_seen(
    office: Office, spoilt: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(spoilt)
    with closing(duckdb.connect()) as con:
        found = unaccounted(con, spoilt, office.catalog)
    assert [line for line in found if re.match(said, line)], found


def test_a_ledger_is_private_and_follows_from_the_products_alone(nights: list[Release]) -> None:
    for consumer in ("marketing", "risk"):
        path = ledger(nights[0].path, consumer)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        frame = pl.read_parquet(path)
        assert frame.equals(frame.sort("pseudonym", "product"))
        assert f"{PROOF}/{path.name}" in nights[0].manifest["files"]


def test_a_home_without_ledgers_says_so(office: Office, nights: list[Release]) -> None:
    with pytest.raises(InputError, match="no party 'nobody' is known"):
        usage_of(office.home, "nobody", lambda: office.ring)
    with pytest.raises(Refused, match="no release of these dates"):
        usage_of(office.home, party_id(0), lambda: office.ring, first=NIGHTS[1].replace(year=2000))


def test_a_customer_is_found_by_each_pseudonym(office: Office) -> None:
    for consumer in ("marketing", "risk"):
        who = pseudonym(party_id(3), consumer, lambda: office.ring)
        assert usage_of(office.home, who, lambda: office.ring) == history(office, 3)


def test_the_page_is_in_two_languages_names_nobody_and_fetches_nothing(office: Office) -> None:
    for n in (0, WITHDRAWS, min(SILENT), min(CHILDREN)):
        told = page(history(office, n), office.catalog, BANK)
        for words in (
            "个人信息使用情况",
            "How your data were used",
            "您的权利",
            "Your rights",
            "撤回",
            "take a consent back",
        ):
            assert words in told
        for who in (party_id(n), *(pseudonym(party_id(n), c, lambda: office.ring) for c in ("marketing", "risk"))):
            assert who[:12] not in told
        assert not re.search(r"[0-9a-f]{64}|https?:|src=|href=|<script|url\(|@import", told)
        assert ("同意已撤回" in told) == (n == WITHDRAWS)


def test_the_page_escapes_what_it_is_told(office: Office) -> None:
    whole = history(office, 0)
    bad = '<script>alert("x")</script>'
    changed = replace(
        whole,
        used=tuple(replace(one, article=bad, basis=bad, products=(bad,)) for one in whole.used),
        withheld=tuple(replace(one, article=bad) for one in whole.withheld),
        consents=tuple(replace(one, purpose=bad, partner=bad) for one in whole.consents),
    )
    told = page(changed, office.catalog, BANK)
    assert "<script" not in told
    assert told.count("&lt;script&gt;") >= 3 * len(whole.used)


def test_the_commands_print_write_and_query(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGTAI_HOME", str(office.home.path))
    monkeypatch.setenv("ZHONGTAI_VAULT_KEY", KEY)

    def call(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done
        return done.stdout

    told = call("usage", party_id(WITHDRAWS))
    assert re.search(f"marketing  transaction  {NIGHTS[0]}  {NIGHTS[0]}", told)
    assert re.search(f"marketing +transaction  withdrawn +{NIGHTS[1]}  still", told)
    assert json.loads(call("usage", party_id(0), "--json"))["published"] == [r.id for r in list_releases(office.home)]
    assert f"{NIGHTS[1]}" not in call("usage", party_id(0), "--to", f"{NIGHTS[0]}", "--lines")
    call("usage", party_id(0), "--html", str(tmp_path / "page.html"))
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == 0o600
    counted = "select count(distinct pseudonym) as n from data_usage where consumer = 'marketing' and is_used"
    asked = call("query", "--consumer", "data_protection", "--format", "csv", counted)
    assert asked.split() == ["n", str(PARTIES - len(NOT_MARKETED_TO))]
    refused = CliRunner().invoke(app, ["query", "--consumer", "marketing", "from data_usage"])
    assert isinstance(refused.exception, InputError)
