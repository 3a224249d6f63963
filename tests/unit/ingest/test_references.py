"""Rows that refer to another contract: a parent that comes late or is corrected changes what became of its children."""

from __future__ import annotations

import pytest

from .workshop import SmallBank, column, contract, day, feed

PARENT = contract("test.parent", (column("key"),))
CHILD = contract("test.child", (column("key"), column("parent", references=("test.parent", "key"))), delivery="append")
GRANDCHILD = contract("test.grandchild", (column("key"), column("child", references=("test.child", "key"))))
HEADERS = {PARENT: "key", CHILD: "key,parent", GRANDCHILD: "key,child"}


@pytest.fixture
def family(small_bank):
    """Makes banks with three generations."""
    return lambda: small_bank(contracts=(PARENT, CHILD, GRANDCHILD))


def deliver(bank: SmallBank, number: int, **keys: str) -> None:
    """Deliver parents and, as `child-parent`, the other generations of a day."""
    for of, generation in enumerate(bank.contracts):
        rows = [key.split("-") for key in keys.get(generation.table, "").split()]
        bank.deliver(day(number), rows, HEADERS[generation], of)


def orphans(bank: SmallBank) -> dict[str, list[int]]:
    """Days on which rows of a contract refer to nothing."""
    return {
        each.table: [(found[0] - day(1)).days + 1 for found in bank.quarantine(of) if found[2] == "broken_reference"]
        for of, each in enumerate(bank.contracts)
    }


def test_a_parent_that_comes_late_takes_its_children_in(family):
    late, at_once = family(), family()
    for bank in (late, at_once):
        deliver(bank, 1, parent="a", child="x-a", grandchild="1-x")
        deliver(bank, 2, parent="a b", child="y-b", grandchild="1-x 2-y")
        deliver(bank, 3, parent="a b", child="z-a", grandchild="1-x 2-y 3-z")
    at_once.land(day(1), day(3))
    path = late.root / "deliveries" / f"parent_{day(2):%Y%m%d}.csv"
    content = path.read_bytes()
    path.write_bytes(b"")
    late.land(day(1))
    assert late.fault(day(2)).rule == "empty_file"
    assert orphans(late) == {"parent": [], "child": [2], "grandchild": [2]}
    assert late.fault(day(3)).date == day(2).isoformat()
    path.write_bytes(content)
    late.land(day(3))
    assert orphans(late) == {"parent": [], "child": [], "grandchild": []}
    assert late.files() == at_once.files()


def test_a_parent_that_was_wrong_leaves_its_children_alone(family):
    corrected, at_once = family(), family()
    for bank, parents in ((corrected, "a b"), (at_once, "a")):
        deliver(bank, 1, parent=parents, child="x-a y-b", grandchild="1-x 2-y")
        deliver(bank, 2, parent="a b", child="z-b", grandchild="1-x 2-y 3-z")
        bank.land(day(1), day(2))
    deliver(corrected, 1, parent="a", child="x-a y-b", grandchild="1-x 2-y")
    corrected.land(day(1))
    assert corrected.files() == at_once.files()
    assert orphans(corrected) == {"parent": [], "child": [1], "grandchild": [1, 2]}


def test_a_correction_that_adds_and_removes_no_parent_touches_no_child(family):
    bank = family()
    for number in (1, 2):
        deliver(bank, number, parent="a b", child=f"x{number}-a", grandchild="1-x1")
    bank.land(day(1), day(2))
    for path in (bank.root / "deliveries").glob("*child_*"):
        path.unlink()
    deliver_parent_again = "b a"
    bank.deliver(day(1), [[key] for key in deliver_parent_again.split()], "key", 0)
    outcomes = bank.ingest(day(1), day(1))
    assert outcomes[0].fault is None
    # The children's own deliveries are gone, and asked for only because this night is theirs too.
    assert "but the night is run again" in outcomes[1].fault.message
    bank.deliver(day(2), [["b"], ["a"]], "key", 0)
    assert bank.ingest(day(3))[0].fault.date == day(3).isoformat()
    assert all(landing.recipe_sha256 for of in range(3) for landing in bank.landings(of).values())


def test_a_parent_is_known_from_the_day_it_was_first_delivered(family):
    bank = family()
    deliver(bank, 1, parent="a", child="x-b")
    deliver(bank, 2, parent="a b", child="y-b")
    deliver(bank, 3, parent="a", child="z-b")  # b has gone, and is still known
    bank.land(day(1), day(3))
    assert orphans(bank)["child"] == [1]


def test_a_row_may_refer_to_its_own_contract(small_bank):
    staff = contract("test.staff", (column("key"), column("boss", references=("test.staff", "key"))))
    bank = small_bank(contracts=(staff,), feeds=(feed(staff),))
    bank.deliver(day(1), [("a", None), ("b", "a"), ("c", "x")], "key,boss")
    bank.deliver(day(2), [("a", None), ("b", "d"), ("d", "a")], "key,boss")
    bank.land(day(1), day(2))
    assert [(line, rule) for _, line, rule, _ in bank.quarantine()] == [(4, "broken_reference")]
    assert bank.state(day(2), "boss") == {"a": None, "b": "d", "d": "a"}
