"""Which files are there after which dates; that they do not depend on how the dates were asked for; what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from project import project_catalog

from pipelines.contracts.model import ContractError
from pipelines.settings import PROJECT, InputError
from pipelines.simulation import arrival, truth
from pipelines.simulation.book import Request
from pipelines.simulation.run import simulate

from .invented import emitters

CATALOG = project_catalog()
START = date(2025, 1, 1)
FEW = {
    key: emitter for key, emitter in emitters(CATALOG, rows=20).items()
    if key[0] in ("core.party", "core.transaction", "crm.customer", "channel.app_event", "wealth.holding",
                  "market.daily_turnover", "medical.payment", "social_security.contribution", "core.ledger_control")
}  # fmt: skip


@pytest.fixture(autouse=True)
def _without_records(monkeypatch):
    """Who is whom is not of interest here."""
    tables = {name: table for name, table in truth.tables().items() if name != "identity"}
    monkeypatch.setattr(truth, "tables", lambda: tables)


@pytest.fixture
def often(monkeypatch):
    """Something is late or wrong every other day."""
    for name in ("_SOMETIMES_LATE", "_SOMETIMES_WRONG"):
        monkeypatch.setattr(arrival, name, dict.fromkeys(getattr(arrival, name), 0.5))


def asked(out: Path, last: int, first: int | None = None, through: int | None = None, **more) -> Request:
    def day(number: int | None) -> date | None:
        return None if number is None else START + timedelta(days=number)

    given = {"customers": 600, "seed": 3, "first": day(first), "through": day(through)} | more
    return Request(out=out, last=day(last), **given)


def run(*args, **more):
    return simulate(asked(*args, **more), CATALOG, emitters=FEW)


def files(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def came(deliveries: Path) -> dict[str, tuple[int, int]]:
    """Of each daily file after how many days it came, and in which hour of the bank's clock."""
    found = {}
    for path in sorted(deliveries.glob("2025*/*/*")):
        at = datetime.fromtimestamp(path.stat().st_mtime, ZoneInfo("Asia/Shanghai"))
        day = date.fromisoformat(path.relative_to(deliveries).parts[0])
        found[str(path.relative_to(deliveries))] = ((at.date() - day).days, at.hour)
    return found


def test_dates_at_once_are_the_same_files_as_one_by_one(tmp_path, often):
    run(tmp_path / "once", 12, through=3)
    run(tmp_path / "steps", 4, through=3)
    for last in (5, 6, 9, 10, 12):
        run(tmp_path / "steps", last)
    run(tmp_path / "steps", 8, first=7)  # once more, in the middle
    times = [came(tmp_path / name / "deliveries") for name in ("once", "steps")]
    assert times[0] == times[1] and {days for days, _ in times[0].values()} == {1, 2, 3}
    assert {hour for _, hour in times[0].values()} == {0}
    once, steps = files(tmp_path / "once"), files(tmp_path / "steps")
    assert once == steps and len(once) > 80
    run(tmp_path / "other", 12, through=3, seed=4)
    assert files(tmp_path / "other").keys() != once.keys() or files(tmp_path / "other") != once


def test_the_history_ends_where_daily_files_begin(tmp_path):
    summary = run(tmp_path, 4, through=2)
    deliveries = tmp_path / "deliveries"
    assert (deliveries / "history/THROUGH").read_text() == "2025-01-03\n"
    assert {path.name for path in deliveries.iterdir()} == {"history", "20250104", "20250105"}
    assert (deliveries / "20250104/core/party.ok").exists() and not list(deliveries.rglob("*.part"))
    history = (deliveries / "history/core/transaction.txt").read_bytes().split(b"\n")
    assert history[-2].startswith(b"T|60|") and len(history) == 62
    assert len((deliveries / "history/core/party.txt").read_bytes().split(b"\n")) == 22
    assert pl.read_parquet(deliveries / "history/wealth/position.parquet").height == 60
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {0o600} and (tmp_path / "truth").stat().st_mode & 0o777 == 0o700
    assert summary.files == sum("deliveries" in str(p) and p.suffix not in (".ok", "") for p in tmp_path.rglob("*.*"))
    assert json.loads((tmp_path / "world.json").read_text())["last"] == "2025-01-05"


def test_a_late_file_comes_with_the_next_day_and_a_wrong_one_is_corrected_two_days_later(tmp_path, often):
    late, wrong = [], []
    for last in range(9):
        run(tmp_path, last)
        day = START + timedelta(days=last)
        hospital = tmp_path / f"deliveries/{day:%Y%m%d}/hospital/payment.csv"
        till = tmp_path / f"deliveries/{day:%Y%m%d}/market_east/daily_turnover.csv"
        if not hospital.exists():
            late.append(hospital)
        wrong.append((till, till.read_bytes()))
    assert 0 < len(late) < 9 and str(late[0]) > str(tmp_path / "deliveries/20250101/z")
    assert [path.exists() for path in late] == [True] * (len(late) - 1) + [late[-1] != hospital]
    changed = [path.read_bytes() != first for path, first in wrong]
    assert 0 < sum(changed[:7]) < 7 and not any(changed[7:])


def test_what_cannot_be_done_is_refused_before_anything_is_written(tmp_path):
    run(tmp_path / "world", 4, through=2)
    world, new = tmp_path / "world", tmp_path / "new"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    before = files(tmp_path)
    for request, said in (
        (asked(new, 3, first=-1), "the world has 2025-01-01 to 2028-01-01"),
        (asked(new, 2000), "the world has 2025-01-01 to 2028-01-01"),
        (asked(new, 3, customers=20), "--customers 20: a world has 500 to"),
        (asked(new, 9, first=3), "--from 2025-01-04: the dates from 2025-01-01 on would be missing"),
        (asked(new, 3, through=5), "--history-to 2025-01-06: lies before 2025-01-01 or after --to 2025-01-04"),
        (asked(world, 9, customers=700), "holds the world with --customers 600, not 700"),
        (asked(world, 9, seed=4), "holds the world with --seed 3, not 4"),
        (asked(world, 9, crm="postgres"), "holds the world with --crm csv, not postgres"),
        (asked(world, 9, through=5), "holds the world with --history-to 2025-01-03, not 2025-01-06"),
        (asked(world, 9, first=7), "--from 2025-01-08: the dates from 2025-01-06 on would be missing"),
        (asked(world, 9, first=2), "dates through 2025-01-03 are one history"),
        (asked(world, 4), "--to 2025-01-05 lies before 2025-01-06: that is simulated already"),
        (asked(tmp_path / "full", 3), "is not empty and holds no simulated world"),
        (asked(world, 6, faults=("fire",)), "--fault fire: there is no such fault"),
        (asked(new, 3, through=3, faults=("cut_off",)), "is in the history"),
        (asked(world, 6, faults=("cut_off", "missing_file")), "two of these spoil the same delivery"),
        (asked(world, 6, faults=("database_not_ready",)), "spoils --crm postgres"),
    ):
        with pytest.raises(InputError) as refused:
            simulate(request, CATALOG, emitters=FEW)
        assert said in str(refused.value), refused.value
    assert files(tmp_path) == before and not new.exists()


def test_a_run_that_fails_leaves_no_half_file(tmp_path):
    def fails(world, day, source):
        raise RuntimeError("out of ideas")

    for through in (None, 1):
        out = tmp_path / str(through)
        with pytest.raises(RuntimeError, match="out of ideas"):
            simulate(asked(out, 1, through=through), CATALOG, emitters=FEW | {("wealth.holding", "wealth"): fails})
        assert not list(out.rglob("*.part")) and not (out / "world.json").exists()
        assert not (out / "deliveries/history/THROUGH").exists()


def test_a_feed_cannot_reach_the_truth(tmp_path):
    """The folder of the truth lies beside that of the deliveries, and no feed can name what lies beside."""
    from pipelines.contracts.feed import load_feed

    given = (PROJECT / "data_contracts/feeds/simbank/wealth/wealth.holding.yaml").read_text()
    path = tmp_path / "simbank" / "wealth" / "wealth.holding.yaml"
    path.parent.mkdir(parents=True)
    for old, new in (
        ("history/wealth/position.parquet", "../truth/customer.parquet"),
        ("{date:%Y%m%d}/wealth/position.parquet", "{date:%Y%m%d}/../../truth/customer.parquet"),
        ("{date:%Y%m%d}/wealth/position.parquet", "/simulated/truth/{date:%Y}.parquet"),
    ):
        path.write_text(given.replace(old, new))
        with pytest.raises(ContractError, match="leaves the place where the bank delivers"):
            load_feed(path, CATALOG.sources)


def test_the_bank_with_a_database_has_every_feed_of_the_other():
    plain, other = CATALOG.feeds("simbank"), CATALOG.feeds("simbank_postgres")
    assert [(feed.contract, feed.source) for feed in plain] == [(feed.contract, feed.source) for feed in other]
    assert [feed.contract for feed in other if feed.bank == "simbank_postgres"] == ["crm.customer"]
    mine, theirs = CATALOG.bank("simbank_postgres"), CATALOG.bank("simbank")
    assert mine.model_copy(update={"bank": "simbank", "extends": None, "name": theirs.name}) == theirs


def test_a_request_is_not_changed_by_running_it(tmp_path):
    request = asked(tmp_path, 1)
    simulate(request, CATALOG, emitters=FEW)
    assert request == replace(request)
