"""History files: each row on the date from which it is known, once, and nothing that was landed may change unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.feed import Mapping
from pipelines.ingest.changes import tokenise_rows

from .workshop import FIRST, column, contract, day, examples, feed, history_feed

HEADER = "key,name,amount,known"


def bank_with(small_bank, rows, kind="append", **more):
    of = contract(delivery=kind, control_sums=("amount",))
    bank = small_bank(contracts=(of,), feeds=(history_feed(of),), **more)
    bank.deliver("history", rows, HEADER)
    return bank


def rows_until(number, start=-3):
    return [(f"k{n}", "Ann", n + 5, day(n)) for n in range(start, number + 1)]


def test_what_was_known_before_the_bank_begins_counts_from_its_first_date(small_bank):
    bank = bank_with(small_bank, rows_until(3))
    bank.land(day(2))
    assert [landing.accepted for landing in bank.landings().values()] == [5, 1]
    assert bank.lake()["business_date"].min() == FIRST


def test_what_becomes_known_on_a_closed_day_counts_from_the_next_open_one(small_bank):
    bank = bank_with(small_bank, rows_until(9, start=4), closed=("sat", "sun"))  # days 6 and 7
    bank.land(day(5))
    bank.land(day(8))
    assert {of: int(landing.accepted) for of, landing in bank.landings().items()} == {
        day(1): 0, day(2): 0, day(3): 0, day(4): 1, day(5): 1, day(8): 3,
    }  # fmt: skip


@examples(6)
@given(rows=st.lists(st.integers(-2, 8), max_size=12), night=st.integers(1, 6))
def test_nothing_is_landed_before_it_is_known(small_bank, rows, night):
    bank = bank_with(small_bank, [(f"k{n}", "Ann", 1, day(known)) for n, known in enumerate(rows)])
    bank.land(day(night))
    landed = {} if bank.lake().is_empty() else dict(bank.lake().select("key", "business_date").iter_rows())
    assert landed == {f"k{n}": day(max(1, known)) for n, known in enumerate(rows) if known <= night}


def test_a_row_without_a_date_is_set_apart_once(small_bank):
    rows = [("a", "Ann", 1, day(1)), ("b", "Ann", 1, "soon"), ("c", "Ann", 1, None), ("d", "Ann", 1)]
    bank = bank_with(small_bank, rows)
    bank.land(day(1))
    bank.land(day(2))
    bank.deliver("history", [*rows, ("e", "Ann", 1, day(3)), ("f", "Ann", 1, "never"), ("g",)], HEADER)
    bank.land(day(3))
    bank.land(day(4))
    assert bank.quarantine() == [
        (day(1), 3, "unreadable", "known_from"), (day(1), 4, "unreadable", "known_from"), (day(1), 5, "malformed", ""),
        (day(3), 7, "unreadable", "known_from"), (day(3), 8, "malformed", ""),
    ]  # fmt: skip
    assert [(landing.delivered, landing.quarantined) for landing in bank.landings().values()] == [
        (4, 3),
        (0, 0),
        (3, 2),
        (0, 0),
    ]


def test_a_history_may_grow(small_bank):
    bank, at_once = bank_with(small_bank, []), bank_with(small_bank, rows_until(5))
    for number in range(1, 6):
        bank.deliver("history", rows_until(number), HEADER)
        bank.land(day(number))
    at_once.land(day(1), day(5))
    assert bank.files("lake", "quarantine") == at_once.files("lake", "quarantine")


@pytest.mark.parametrize("kind", ["append", "full"])
@pytest.mark.parametrize(
    "change, said",
    [
        (lambda rows: [*rows[:2], ("k-1", "Ann", 99, day(-1)), *rows[3:]], "1 of the rows landed before"),
        (lambda rows: [*rows[:2], ("k-1", "Eve", 4, day(-1)), *rows[3:]], "1 of the rows landed before"),
        (lambda rows: rows[1:], "it has 5 rows of before 2030-01-10, but 6 were landed"),
        (lambda rows: [*rows, ("late", "Ann", 1, day(2))], "it has 7 rows of before 2030-01-10, but 6 were landed"),
        (lambda rows: [*rows[:5], ("k2", "Ann", 7, day(1)), *rows[6:]], "1 of the rows landed before"),
        (lambda rows: [*rows[:5], ("k2", "Ann", 7, "soon"), *rows[6:]], "it has 5 rows of before"),
    ],
)  # fmt: skip
def test_a_history_that_says_otherwise_of_landed_dates_is_refused(small_bank, kind, change, said):
    bank = bank_with(small_bank, rows_until(2), kind)
    bank.land(day(3))
    landed = bank.files()
    rows = change(rows_until(2))
    bank.deliver("history", [*rows, ("new", "Ann", 1, day(4))], HEADER)
    fault = bank.fault(day(4))
    assert fault.rule == "history_changed" and said.replace("2030-01-10", str(day(4))) in fault.message
    assert f"zhongtai backfill --from {day(1)}" in fault.action and bank.files() == landed
    bank.land(day(1), day(4))  # what the message says helps
    assert not bank.ingest(day(4))[0].fault


def test_rows_in_another_order_are_the_same_history(small_bank):
    bank = bank_with(small_bank, rows_until(2))
    bank.land(day(2))
    bank.deliver("history", [("new", "Ann", 1, day(3)), *reversed(rows_until(2))], HEADER)
    bank.land(day(3))
    assert [landing.accepted for landing in bank.landings().values()] == [5, 1, 1]


def test_an_unchanged_history_is_not_tokenised_again(small_bank, monkeypatch):
    bank = bank_with(small_bank, rows_until(9))
    bank.land(day(1))
    made = []
    monkeypatch.setattr(
        "pipelines.ingest.history.tokenise_rows", lambda *given: made.append(given[2]) or tokenise_rows(*given)
    )
    bank.land(day(2))
    assert made == []


def test_a_history_that_is_landed_is_not_needed_any_more(small_bank):
    of = contract()
    bank = small_bank(contracts=(of,), feeds=(history_feed(of, through=day(2)),))
    path = bank.deliver("history", rows_until(2), HEADER)
    bank.land(day(2))
    path.unlink()
    bank.deliver(day(3), [("k1", "Ann", 6, None)], HEADER)
    bank.land(day(3))
    assert bank.fault(day(2), day(3)).rule == "missing_delivery"


def test_companions_decide_too(small_bank):
    opened = contract("test.opened", (column("key"), column("since", "date")))
    of = contract(columns=(column("key"),))
    joined = history_feed(of, reads={"opened": "test.opened"}, join="left join opened on opened.key = delivery.key")
    sql = {"known_from": Mapping(sql="opened.known"), "columns": {"key": Mapping(sql="delivery.key")}}
    bank = small_bank(contracts=(opened, of), feeds=(history_feed(opened), joined.model_copy(update=sql)))
    bank.deliver("history", [("a", day(1), day(1)), ("b", day(2), day(2))], "key,since,known", 0)
    bank.deliver("history", [("a",), ("b",)], "key", 1)
    bank.land(day(2))
    assert dict(bank.lake(1).select("key", "business_date").iter_rows()) == {"a": day(1), "b": day(2)}
    bank.deliver("history", [("a", day(2), day(2)), ("b", day(2), day(2))], "key,since,known", 0)
    assert [outcome.fault.rule for outcome in bank.ingest(day(3))] == ["history_changed"] * 2
    bank.land(day(1), day(3))
    assert dict(bank.lake(1).select("key", "business_date").iter_rows()) == {"a": day(2), "b": day(2)}
    (bank.root / "deliveries" / "opened_history.csv").unlink()
    fault = bank.fault(day(3), of=1)
    assert (fault.rule, fault.contract) == ("missing_delivery", "test.opened")


def test_a_history_ends_on_a_business_date(small_bank):
    of = contract()
    bank = small_bank(contracts=(of,), feeds=(history_feed(of, through=day(7)),), closed=("sat", "sun"))
    bank.deliver("history", rows_until(2), HEADER)
    bank.land(day(5))
    fault = bank.fault(day(8))
    assert (fault.rule, fault.message) == ("bad_mapping", f"history.through is {day(7)}, a closed day")


def test_dates_beyond_the_history_come_from_daily_files(small_bank):
    of = contract()
    bank = small_bank(contracts=(of,), feeds=(history_feed(of, through=day(2)),))
    bank.deliver("history", rows_until(5), HEADER)
    bank.deliver(day(3), [("k1", "Ann", 6, day(9)), ("new", "Ann", 1, day(3)), ("odd", "Ann", 1, "x")], HEADER)
    bank.land(day(3))
    assert bank.quarantine() == [(day(3), 2, "not_yet_known", "known_from"), (day(3), 4, "unreadable", "known_from")]
    assert set(bank.state(day(3))) == {"k1", "new"}


def test_a_row_of_a_daily_file_needs_no_date(small_bank):
    of = contract()
    bank = small_bank(contracts=(of,), feeds=(feed(of),))
    bank.deliver(day(1), [("a", "Ann", 1)])
    bank.land(day(1))
    assert bank.state(day(1)) == {"a": 1} and bank.landings()[day(1)].business_date == FIRST + timedelta(0)
