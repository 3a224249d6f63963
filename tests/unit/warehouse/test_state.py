"""What the warehouse file says of itself, and what is said of a file that cannot be read."""

import subprocess
import sys
from datetime import date

import duckdb
import pytest

from pipelines.settings import Home
from pipelines.warehouse.state import WarehouseUnreadable, processed_dates

HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def home(tmp_path) -> Home:
    home = Home(tmp_path)
    home.warehouse.parent.mkdir()
    return home


def build(home: Home, *statements: str) -> None:
    with duckdb.connect(str(home.warehouse)) as con:
        for statement in statements:
            con.execute(statement)


def test_nothing_is_processed_before_the_first_run(home):
    assert processed_dates(home) == {}
    build(home, "create schema intermediate")
    assert processed_dates(home) == {}


def test_dates_with_their_digest(home):
    build(
        home,
        "create schema intermediate",
        "create table intermediate.int_processed_date as "
        "select * from (values (date '1993-01-02', 'b'), (date '1993-01-01', 'a')) as t(business_date, digest)",
    )
    assert processed_dates(home) == {date(1993, 1, 1): "a", date(1993, 1, 2): "b"}
    build(home, "drop table intermediate.int_processed_date")  # no connection was left open


def test_a_file_in_use_names_the_process(home):
    build(home, "create table t (i int)")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.warehouse)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        holder.stdout.readline()
        with pytest.raises(WarehouseUnreadable, match=rf"in use by process {holder.pid} "):
            processed_dates(home)
    finally:
        holder.communicate()
    assert processed_dates(home) == {}


@pytest.mark.parametrize("content", [b"not a database", b"\0" * 16_384])
def test_a_damaged_file_says_what_to_do(home, content):
    home.warehouse.write_bytes(content)
    with pytest.raises(WarehouseUnreadable, match=r"(?s)warehouse.duckdb cannot be read.*move it away"):
        processed_dates(home)


def test_a_file_cut_short_says_what_to_do(home):
    build(home, "create table t as select range as i from range(1_000_000)")
    home.warehouse.write_bytes(home.warehouse.read_bytes()[:8_192])
    with pytest.raises(WarehouseUnreadable, match="cannot be read"):
        processed_dates(home)
