"""Rows that are set apart: every fault by line, rule and column, and no personal value in a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.contracts.feed import Format, Mapping, Trailer
from pipelines.contracts.model import RowRule
from pipelines.ingest import quarantine
from pipelines.vault import originals

from .workshop import RING, column, contract, day, feed

COLUMNS = (
    column("key"), column("name", identifier="name", personal_class="C2"), column("amount", "decimal(18,2)", minimum=0),
    column("kind", enum=("a", "b")), column("born", "date", personal_class="C2"),
)  # fmt: skip
OF = contract(columns=tuple(replace(each, required=True) if each.name == "kind" else each for each in COLUMNS))
HEADER = "key,name,amount,kind,born"


def reasons(bank):
    import polars as pl

    paths = sorted((bank.home.quarantine / bank.contracts[0].id).glob("*/*/part.parquet"))
    return {row["line"]: row for path in paths for row in pl.read_parquet(path, hive_partitioning=False).to_dicts()}


def test_every_fault_is_told_with_what_was_delivered_unless_it_is_personal(small_bank):
    bank = small_bank(contracts=(OF,))
    rows = [
        ("k1", "Ann Example", "x", "a", None),
        ("k2", "Ann Example", -1, "a", None),
        ("k3", "Ann Example", 1, "c", None),
        ("k4", "Ann Example", 1, None, None),
        ("k5", "Ann Example", 1, "a", "1999-1-1"),
        (None, "Ann Example", 1, "a", None),
        ("k7", "Ann Example", "y" * 99, "a", None),
    ]
    bank.deliver(day(1), rows, HEADER)
    bank.land(day(1))
    found = reasons(bank)
    assert [(found[n]["rule"], found[n]["column_name"], found[n]["record_key"]) for n in sorted(found)] == [
        ("unreadable", "amount", "k1"),
        ("range", "amount", "k2"),
        ("accepted_values", "kind", "k3"),
        ("required", "kind", "k4"),
        ("unreadable", "born", "k5"),
        ("required", "key", ""),
        ("unreadable", "amount", "k7"),
    ]
    assert found[2]["reason"] == "'x' is not a decimal(18,2)" and found[3]["reason"] == "'-1' is below 0"
    assert found[4]["reason"] == "'c' is not one of a, b" and found[5]["reason"] == "is empty but required"
    assert found[6]["reason"] == "(personal, length 8) is not a date written as %Y-%m-%d"
    assert len(found[8]["reason"]) < 80
    assert "Example" not in str(found)
    sealed = quarantine.sealed_path(bank.home, OF.id, "source", day(1))
    kept = originals.read(sealed, RING)
    texts = [[None if value is None else str(value) for value in row] for row in rows]
    names = ["_line", *HEADER.split(",")]
    assert kept == [dict(zip(names, (n, *row), strict=True)) for n, row in enumerate(texts, 2)]


def test_a_repaired_delivery_leaves_nothing_in_quarantine(small_bank):
    bank = small_bank(contracts=(OF,))
    bank.deliver(day(1), [("k1", None, "x", "a", None)], HEADER)
    bank.land(day(1))
    assert len(bank.quarantine()) == 1
    bank.deliver(day(1), [("k1", None, "1", "a", None)], HEADER)
    bank.land(day(1))
    assert bank.quarantine() == [] and not list((bank.home.vault / "quarantine").rglob("*.sealed"))


def test_an_expression_that_fails_is_one_fault_of_its_column(small_bank):
    of_feed = feed(OF)
    columns = {**of_feed.columns, "kind": Mapping(sql="cast(cast(kind as integer) as varchar)", values={"1": "a"})}
    bank = small_bank(contracts=(OF,), feeds=(of_feed.model_copy(update={"columns": columns}),))
    bank.deliver(day(1), [("k1", None, 1, "Ann", None), ("k2", None, 1, 1, None), ("k3", None, 1, 2, None)], HEADER)
    bank.land(day(1))
    assert [fault[1:] for fault in bank.quarantine()] == [(2, "unreadable", "kind"), (4, "unreadable", "kind")]


def test_of_a_deletion_only_the_key_counts(small_bank):
    of = replace(OF, delivery="delta", rules=(RowRule("small", "Amounts are small.", "amount < 10", "validity"),))
    bank = small_bank(contracts=(of,), feeds=(feed(of, deleted="cast(op as integer) = 1"),))
    header = HEADER + ",op"
    bank.deliver(
        day(1),
        [("k1", "Ann", 1, "a", None, 0), ("k2", "Ann", 99, "a", None, 0), ("k3", "Ann", 1, "a", None, "?")],
        header,
    )
    bank.deliver(
        day(2),
        [("k1", None, 99, None, None, 1), (None, None, None, None, None, 1), ("k9", None, "x", None, None, 1)],
        header,
    )
    bank.land(day(1), day(2))
    assert [fault[1:] for fault in bank.quarantine()] == [
        (3, "small", ""),
        (4, "unreadable", "deleted"),
        (3, "required", "key"),
    ]
    assert bank.state(day(1)) == {"k1": 1} and bank.state(day(2)) == {}


@pytest.mark.parametrize("bad, refused", [(0, False), (29, False), (30, True), (100, True)])
def test_exactly_the_reject_limit_is_still_landed(small_bank, bad, refused):
    bank = small_bank(contracts=(replace(OF, reject_limit=0.29),))  # as a float, 0.29 * 100 is less than 29
    bank.deliver(day(1), [(f"k{n}", None, "x" if n < bad else 1, "a", None) for n in range(100)], HEADER)
    fault = bank.ingest(day(1))[0].fault
    assert (fault is not None and fault.rule == "reject_limit") == refused


def test_the_most_frequent_fault_is_told_with_examples_of_its_own(small_bank):
    bank = small_bank(contracts=(replace(OF, reject_limit=0.01),))
    bank.deliver(day(1), [("k1", None, 1, "a", "soon"), *((f"x{n}", None, "x", "a", None) for n in range(4))], HEADER)
    message = bank.fault(day(1)).message
    assert message == (
        "5 of 5 rows are bad, more than 1.0%; most often unreadable (4): "
        "line 3: amount 'x' is not a decimal(18,2); line 4: amount 'x' is not a decimal(18,2); "
        "line 5: amount 'x' is not a decimal(18,2)"
    )


@pytest.mark.parametrize("amounts, recorded", [([1, 2], 3), ([1, "x"], None)])
def test_a_sum_is_held_against_what_can_be_read(small_bank, amounts, recorded):
    of = replace(OF, control_sums=("amount",))
    form = Format(type="csv", trailer=Trailer(prefix="T", rows=2, sums={"amount": 3}))
    bank = small_bank(contracts=(of,), feeds=(feed(of, format=form),))
    bank.deliver(day(1), [*((f"k{n}", None, v, "a", None) for n, v in enumerate(amounts)), ("T", 2, 3)], HEADER)
    (outcome,) = bank.land(day(1))
    stated = {landing.measure: landing.declared for landing in outcome.landings}
    assert stated == {"rows": 2, "amount": recorded}


def test_a_landing_that_does_not_add_up_is_a_defect_and_not_a_fault(small_bank, monkeypatch):
    from pipelines.ingest import account

    bank = small_bank(contracts=(OF,))
    bank.deliver(day(1), [("k1", None, 1, "a", None)], HEADER)
    monkeypatch.setitem(account._PARTS, "accepted", "good where false")
    with pytest.raises(RuntimeError, match="1 rows delivered, 0 accounted for"):
        bank.ingest(day(1))
    assert bank.landings() == {}
