"""Deliveries that are rows of a PostgreSQL database, from a real server of this machine."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pgserver
import psycopg
import pytest

from pipelines.contracts.feed import Daily, Format, History, Mapping
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.postgres import Extract
from pipelines.ingest.read import read_delivery

from .workshop import column, contract, day, feed

pytestmark = pytest.mark.servers
OF = contract(
    columns=(column("key"), column("name", identifier="name", personal_class="C2"), column("amount", "decimal(18,2)"),
             column("seen", "timestamp"), column("good", "boolean")),
)  # fmt: skip
WHERE = "business_date = {date}"
PASSWORD = "pa%ss/w0rd"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server, reached through a socket by its owner."""
    # Not below pytest's own folder, which every session closes to others; run by root, the server is another user.
    with tempfile.TemporaryDirectory() as place:
        server = pgserver.get_server(Path(place) / "postgres")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def crm(server, monkeypatch) -> Iterator[psycopg.Connection]:
    """A fresh table of customers, and the address in the environment."""
    monkeypatch.setenv("SMALL_CRM_URL", server)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop schema if exists crm cascade; drop table if exists loaded; create schema crm")
        connection.execute(
            "create table crm.customer (business_date date, key text, name text, amount numeric(18,2), "
            "seen timestamp, good boolean)"
        )
        connection.execute("create table loaded (day date, done boolean)")
        yield connection


@pytest.fixture
def make(small_bank, crm):
    """Makes a bank whose one feed reads the table; what is given is of `daily`."""

    def bank(of=OF, at="{env:SMALL_CRM_URL}", history=None, **daily):
        given = (
            Daily(**({"table": "crm.customer", "where": WHERE} | daily)) if daily.get("table", "") is not None else None
        )
        form = Format(type="postgres")
        more = {} if history is None else {"history": history, "known_from": Mapping(sql="business_date")}
        made = feed(of, at=at, format=form, ignored={} if more else {"business_date": "says what where says"}, **more)
        return small_bank(contracts=(of,), feeds=(made.model_copy(update={"daily": given}),))

    return bank


def insert(crm, number, *rows):
    with crm.cursor() as cursor:
        cursor.executemany(
            "insert into crm.customer values (%s, %s, %s, %s, %s, %s)", [(day(number), *row) for row in rows]
        )


ROWS = [("b", 'Bo "x", 汉\n2nd line', 2, "2030-01-05 10:00:00.5", True), ("a", "", Decimal("1.50"), None, False)]


def test_the_rows_of_a_date_are_landed(make, crm):
    bank = make()
    insert(crm, 1, *ROWS)
    insert(crm, 2, ("a", "Ann", 7, None, True))
    bank.land(day(1), day(2))
    assert bank.state(day(1)) == {"a": Decimal("1.50"), "b": Decimal("2.00")} and bank.state(day(2)) == {"a": 7}
    assert bank.landings()[day(1)].delivery == "crm.customer"
    (outcome,) = bank.land(day(1), day(2))
    assert outcome.reused == 2
    tmp = bank.home.vault / "tmp"
    assert list(tmp.iterdir()) == []


def test_every_value_is_the_text_that_it_is(make, crm, con):
    bank = make()
    insert(crm, 1, *ROWS)
    with bank.desk.fetching() as desk:
        rows = read_delivery(con, desk.office.daily(bank.feeds[0], OF, day(1)), "delivery")
    assert rows.columns == ("business_date", "key", "name", "amount", "seen", "good") and rows.count == 2
    assert con.execute("from delivery order by _line").fetchall() == [
        (1, "2030-01-07", "a", None, "1.50", None, "false"),
        (2, "2030-01-07", "b", 'Bo "x", 汉\n2nd line', "2.00", "2030-01-05 10:00:00.5", "true"),
    ]


def test_the_hash_is_of_the_rows_in_an_order_of_their_own(make, crm):
    def sha256() -> str:
        with make().desk.fetching() as desk:
            return desk.office.daily(make().feeds[0], OF, day(1)).sha256

    rows = [(str(n % 50), f"name {n}", n, None, True) for n in range(100)]
    insert(crm, 1, *rows)
    first = sha256()
    crm.execute("delete from crm.customer")
    insert(crm, 1, *reversed(rows))
    assert sha256() == first
    crm.execute("update crm.customer set amount = 5 where name = 'name 7'")
    assert sha256() != first


def test_a_query_is_read_with_the_date(make, crm):
    query = "select *, 100 % 7 as rest -- a remark\n from crm.customer where business_date = {date} and name like '%n'"
    bank = make(table=None, query=query)
    bank.feeds[0].__dict__["daily"] = Daily(query=query)
    bank.feeds[0].ignored["rest"] = "nobody needs it"
    insert(crm, 1, *ROWS, ("c", "Ann", 3, None, None))
    bank.land(day(1))
    assert bank.state(day(1)) == {"c": 3} and bank.landings()[day(1)].delivery == "query"


def test_a_history_of_rows_is_followed_by_dates(make, crm):
    bank = make(history=History(table="crm.customer", where="business_date <= '2030-01-08'", through=day(2)))
    for number in (1, 2, 3):
        insert(crm, number, (f"k{number}", "Ann", number, None, True))
    bank.land(day(1), day(3))
    assert [landing.delivered for landing in bank.landings().values()] == [1, 1, 1]


def test_rows_that_are_not_ready_are_not_there(make, crm):
    bank = make(ready="select done from loaded where day = {date}")
    insert(crm, 1, *ROWS)
    for told in (None, "insert into loaded values ('2030-01-07', false)"):
        if told:
            crm.execute(told)
        fault = bank.fault(day(1))
        assert (fault.rule, fault.message) == ("missing_flag", "the ready query is not true: not complete yet")
    crm.execute("update loaded set done = true")
    bank.land(day(1))
    bank = make(ready="select '{date}' || 1")
    assert "neither true nor false" in bank.fault(day(1)).message


def test_a_delivery_is_one_snapshot_that_writes_nothing(make, crm, server):
    bank = make(where="business_date = {date} and nextval('crm.n') > 0")
    crm.execute("create sequence crm.n")
    insert(crm, 1, *ROWS)
    fault = bank.fault(day(1))
    assert fault.rule in ("unreadable", "bad_mapping") and "read-only" in fault.message
    where = Daily(table="crm.customer", where=WHERE)
    started, seen = threading.Event(), []

    class Watched(Extract):
        def _check_ready(self, con, given):
            con.execute("select 1")
            level = con.execute("select current_setting('transaction_isolation')").fetchone()
            seen.append((level, con.execute("select current_setting('transaction_read_only')").fetchone()))
            started.set()
            insert(crm, 1, ("late", "Late", 1, None, True))

    target = bank.root / "copy.csv"
    target.touch()
    Watched(server, where, day(1), ("key",)).fetch(target)
    assert seen == [(("repeatable read",), ("on",))] and "late" not in target.read_text("utf-8")


@pytest.mark.parametrize(
    "given, rule, words",
    [
        ({"table": "crm.nobody"}, "bad_mapping", 'the database says: relation "crm.nobody" does not exist'),
        ({"table": "nowhere.customer"}, "bad_mapping", 'relation "nowhere.customer" does not exist'),
        ({"where": "no_such = {date}"}, "bad_mapping", 'the database says: column "no_such" does not exist'),
        ({"where": "business_date = = {date}"}, "bad_mapping", "syntax error"),
        ({"where": WHERE + " and name::int > 1"}, "bad_mapping", "the query fails for the values of a row"),
    ],
)  # fmt: skip
def test_what_the_database_has_not_is_told_once(make, crm, given, rule, words):
    bank = make(**given)
    insert(crm, 1, ("a", "Secret Name", 1, None, True))
    fault = bank.fault(day(1))
    assert fault.rule == rule and words in fault.message and "Secret" not in str(fault)
    assert fault.action == "correct test.thing.yaml" and "\n" not in str(fault)


def test_a_column_that_is_missing_or_new_is_told_as_of_a_file(make, crm):
    bank = make()
    insert(crm, 1, *ROWS)
    crm.execute("alter table crm.customer add column shoe_size int")
    fault = bank.fault(day(1))
    assert (fault.rule, fault.message) == ("extra_column", "nobody reads shoe_size")
    crm.execute("alter table crm.customer drop column shoe_size, drop column amount")
    fault = bank.fault(day(1))
    assert fault.rule == "wrong_header" and fault.message.startswith("no column amount")


@pytest.mark.parametrize("criticality", ["required", "optional"])
def test_a_server_that_does_not_answer_or_refuses_is_told_without_a_secret(make, crm, server, monkeypatch, criticality):
    bank = make(of=contract(columns=OF.columns, criticality=criticality, carry_forward_days=9))
    for url in (
        "postgresql://anna:pa%25ss%2Fw0rd@127.0.0.1:9/crm?connect_timeout=1&application_name=hidden",
        "postgresql://anna:pa%25ss%2Fw0rd@/postgres?" + server.partition("?")[2],
        "postgresql://anna:pa%25ss%2Fw0rd@[bad/crm",
    ):
        monkeypatch.setenv("SMALL_CRM_URL", url)
        fault = bank.fault(day(1))
        assert fault.rule == "unreadable", fault
        assert not [word for word in ("anna", "pa%", "w0rd", "hidden") if word in str(fault)], str(fault)
        assert fault.action.startswith("check the address") and fault.file.endswith("/crm.customer")
    crm.execute("do $$ begin create role reader login; exception when duplicate_object then null; end $$")
    monkeypatch.setenv("SMALL_CRM_URL", server.replace("postgres:", "reader:", 1))
    assert bank.fault(day(1)).message.endswith("permission denied for schema crm")
    for place in ("/somewhere", "memory://x"):
        monkeypatch.setenv("SMALL_CRM_URL", place)
        assert "is not a PostgreSQL database" in str(bank.fault(day(1)))


def test_a_large_table_is_read(make, crm, con):
    crm.execute(
        "insert into crm.customer select '2030-01-07', n::text, repeat('x', 1 + n % 20) || chr(10) || 'y', n / 100.0, "
        "null, n % 2 = 0 from generate_series(1, 60000) n"
    )
    bank = make()
    with bank.desk.fetching() as desk, pytest.MonkeyPatch.context() as patch:
        from pipelines.ingest import extract

        patch.setattr(extract, "_BLOCK", 1 << 16)
        rows = read_delivery(con, desk.office.daily(bank.feeds[0], OF, day(1)), "delivery")
    assert rows.count == 60000
    checked = "select count(distinct _line), max(_line), sum(key::int), bool_and(name like 'x%\ny') from delivery"
    assert con.execute(checked).fetchall() == [(60000, 60000, 60000 * 60001 // 2, True)]


def test_a_file_is_not_expected_of_a_database(small_bank, crm):
    bank = small_bank(contracts=(OF,), feeds=(feed(OF, at="{env:SMALL_CRM_URL}"),))
    with pytest.raises(DeliveryFault, match="is not a directory or a URL of files"):
        bank.desk.office.daily(bank.feeds[0], OF, date(2030, 1, 7))
