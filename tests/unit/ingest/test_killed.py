"""A run that is killed at any moment is made good by the next, whatever date that one is about."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.ingest import ledger

from .workshop import column, contract, day


class Killed(BaseException):
    """Stands for a process that ends where it is."""


def family(small_bank):
    parent = contract("test.parent", (column("key"), column("amount", "decimal(18,2)")))
    child = contract("test.child", (column("key"), column("parent", references=("test.parent", "key"))))
    return small_bank(contracts=(parent, child))


def deliver_family(bank, number, parents, children):
    bank.deliver(day(number), [(key, number) for key in parents], "key,amount", 0)
    bank.deliver(day(number), [(key + parent, parent) for key in "xy" for parent in children], "key,parent", 1)


def correct(bank):
    deliver_family(bank, 1, "ac", "ab")
    deliver_family(bank, 2, "abc", "ab")


def family_nights(bank):
    deliver_family(bank, 1, "ab", "ab")
    deliver_family(bank, 2, "ab", "abc")
    deliver_family(bank, 3, "abd", "ab")


def writes_of(monkeypatch, run, killed_at=None):
    """Run, and count the moments at which a file is written or takes its place; be killed at one of them."""
    count = 0

    def moment(original):
        def counted(*given):
            nonlocal count
            count += 1
            if count == killed_at:
                raise Killed
            return original(*given)

        return counted

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", moment(lambda _: None))
        patch.setattr(Path, "replace", moment(Path.replace))
        run()
    return count


@pytest.mark.parametrize("scene", ["two new nights", "a correction"])
def test_a_run_that_was_killed_is_made_good_by_the_next(small_bank, monkeypatch, scene):
    def begun():
        bank = family(small_bank)
        family_nights(bank)
        bank.land(day(1), day(1 if scene == "two new nights" else 3))
        if scene == "a correction":
            correct(bank)
        return bank

    def run(bank):
        bank.land(day(2), day(3)) if scene == "two new nights" else bank.land(day(1), day(2))

    undisturbed = begun()
    moments = writes_of(monkeypatch, lambda: run(undisturbed))
    undisturbed.land(day(1), day(3))
    reference = undisturbed.files()
    for killed_at in range(1, moments + 1, max(1, 11 // int(os.environ.get("TEST_EFFORT", "1")))):
        bank = begun()
        with pytest.raises(Killed):
            writes_of(monkeypatch, lambda bank=bank: run(bank), killed_at)
        # The next night looks at what was left, also where it is about another date.
        bank.land(day(3) if scene == "two new nights" else day(1), day(3))
        assert bank.files() == reference, f"killed at {killed_at} of {moments}"


def test_a_date_in_doubt_is_landed_by_a_night_that_is_about_another(small_bank, monkeypatch):
    bank = family(small_bank)
    family_nights(bank)
    bank.land(day(1), day(3))
    correct(bank)
    record = ledger.Ledger.record
    calls = []

    def killed(book, landings):
        calls.append(book)
        record(book, landings)
        if len(calls) == 3:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(ledger.Ledger, "record", killed)
        bank.ingest(day(1))
    doubtful = [landing for of in (0, 1) for landing in bank.landings(of).values() if landing.recipe_sha256 is None]
    assert doubtful
    bank.land(day(1))
    again = family(small_bank)
    family_nights(again)
    again.land(day(1), day(3))
    correct(again)
    again.land(day(1))
    assert bank.files() == again.files()


def test_leftovers_of_a_killed_process_are_cleared(small_bank):
    bank = small_bank()
    bank.deliver(day(1), [("a", "Ann", 1)])
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (bank.home.vault / "tmp" / str(dead.pid)).mkdir(parents=True)
    (bank.home.vault / "tmp" / str(dead.pid) / "spill").write_bytes(b"raw")
    bank.land(day(1))
    partition = next((bank.home.lake / "test.thing").glob("source=source/*"))
    left = partition / f".part.parquet.{dead.pid}.tmp"
    left.write_bytes(b"half")
    bank.deliver(day(1), [("a", "Ann", 2)])
    bank.land(day(1))
    assert sorted(path.name for path in partition.iterdir()) == ["part.parquet"]
    assert list((bank.home.vault / "tmp").iterdir()) == []
