"""Which dates a night lands: what is missing, late, carried or refused, and what it says of them."""

from __future__ import annotations

import pytest
from project import project_catalog

from pipelines.contracts.feed import Daily
from pipelines.ingest.faults import DeliveryFault, IngestError
from pipelines.ingest.night import ingest, open_desk
from pipelines.settings import InputError, Settings

from .workshop import contract, day, feed

OPTIONAL = contract(criticality="optional", carry_forward_days=2)


def deliver(bank, *amounts, first=1):
    """Deliver one key from day `first` on; None is no delivery."""
    for number, amount in enumerate(amounts, first):
        if amount is not None:
            bank.deliver(day(number), [("a", "Ann", amount)])


def statuses(bank):
    return [landing.status for landing in bank.landings().values()]


def test_an_optional_contract_is_carried_and_then_refused(small_bank):
    bank = small_bank(contracts=(OPTIONAL,))
    deliver(bank, 1, None, None, None, 5)
    bank.land(day(1))
    bank.land(day(3))
    assert statuses(bank) == ["landed", "carried", "carried"] and bank.state(day(3)) == {"a": 1}
    landed = bank.files()
    fault = bank.fault(day(4))
    assert fault.rule == "missing_delivery" and fault.message == (
        "no such file of an optional contract: daily, due for 2030-01-08; the last came for 2030-01-07: "
        "3 days behind, and may be carried for 2"
    )
    assert bank.files() == landed
    # Nor does a later night pass over it.
    assert bank.fault(day(5)).date == day(4).isoformat()


def test_an_optional_contract_that_never_came_is_refused(small_bank):
    bank = small_bank(contracts=(OPTIONAL,))
    assert "nothing ever came" in bank.fault(day(1)).message


def test_a_required_contract_is_never_carried(small_bank):
    bank = small_bank()
    deliver(bank, 1)
    bank.land(day(1))
    fault = str(bank.fault(day(2)))
    assert "no such file of a required contract: daily, due for 2030-01-08; the last came for 2030-01-07; ask" in fault


def test_a_delivery_that_comes_late_is_landed_and_followed_up(small_bank):
    late, at_once = (small_bank(contracts=(OPTIONAL,)) for _ in range(2))
    for bank in (late, at_once):
        deliver(bank, 1, None, None, 1)
    deliver(at_once, 2, first=2)
    at_once.land(day(1), day(4))
    late.land(day(1), day(4))
    deliver(late, 2, first=2)
    late.land(day(4))
    assert late.files() == at_once.files() and statuses(late) == ["landed", "landed", "carried", "landed"]
    assert [landing.accepted for landing in late.landings().values()] == [1, 1, 0, 1]


def test_a_carried_date_is_not_recorded_again_every_night(small_bank):
    bank = small_bank(contracts=(OPTIONAL,))
    deliver(bank, 1, None, 1)
    bank.land(day(1), day(3))
    (path,) = (bank.home.control / "landing").glob("test.thing.*.parquet")
    before = path.stat().st_ino
    (outcome,) = bank.land(day(3))
    assert outcome.reused == 1 and path.stat().st_ino == before
    (outcome,) = bank.land(day(2), day(3))
    assert outcome.reused == 2 and path.stat().st_ino == before


@pytest.mark.parametrize("of", [contract(), OPTIONAL])
def test_what_was_landed_is_not_unlanded_where_its_file_is_gone(small_bank, of):
    bank = small_bank(contracts=(of,))
    deliver(bank, 1, 2)
    bank.land(day(1), day(2))
    landed = bank.files()
    (bank.root / "deliveries" / f"thing_{day(2):%Y%m%d}.csv").unlink()
    fault = bank.fault(day(2))
    assert fault.rule == "missing_delivery" and "no such file any more, but the night is run again" in fault.message
    assert bank.files() == landed


def test_a_flag_says_that_a_delivery_is_complete(small_bank):
    of = contract()
    flagged = feed(of).model_copy(update={"daily": Daily(path="thing_{date:%Y%m%d}.csv", flag="{date:%Y%m%d}.ok")})
    bank = small_bank(contracts=(of,), feeds=(flagged,))
    deliver(bank, 1)
    assert bank.fault(day(1)).rule == "missing_flag"
    (bank.root / "deliveries" / f"{day(1):%Y%m%d}.ok").touch()
    bank.land(day(1))


def test_the_same_bytes_twice_are_a_quiet_day_of_extracts_only(small_bank):
    for kind, refused in (("full", False), ("append", True), ("delta", True)):
        bank = small_bank(contracts=(contract(delivery=kind),))
        deliver(bank, 1, 1)
        bank.land(day(1))
        fault = bank.ingest(day(2))[0].fault
        assert (fault is not None and fault.rule == "duplicate_delivery") == refused


def test_quiet_days_without_rows_are_no_duplicates(small_bank):
    bank = small_bank(contracts=(contract(delivery="append"),))
    for number in (1, 2):
        bank.deliver(day(number), [])
    bank.land(day(1), day(2))
    assert [landing.delivered for landing in bank.landings().values()] == [0, 0]


def test_another_recipe_lands_the_night_again(small_bank):
    bank = small_bank()
    deliver(bank, 1, 1)
    bank.land(day(1), day(2))
    changed = contract(reject_limit=0.5)
    other = type(bank)(bank.root, contracts=(changed,))
    (outcome,) = other.land(day(2))
    assert outcome.reused == 0 and len({landing.recipe_sha256 for landing in other.landings().values()}) == 2


def test_the_faults_of_a_run_are_told_together(small_bank):
    of = [contract(f"test.{name}") for name in ("one", "two", "three")]
    bank = small_bank(contracts=tuple(of))
    bank.deliver(day(1), [("a", "Ann", 1)], of=1)
    outcomes = bank.ingest(day(1))
    assert [outcome.fault is None for outcome in outcomes] == [False, True, False]
    error = IngestError([outcome.fault for outcome in outcomes if outcome.fault])
    assert str(error).startswith("2 deliveries refused:\n  test.one from source, 2030-01-07: missing_delivery: ")
    assert isinstance(error, InputError) and len(str(error).split("\n")) == 3


def test_a_fault_keeps_its_words_on_its_way_out():
    fault = DeliveryFault("test.thing", "source", "2030-01-07", "rule", "file", "message", "action")
    with pytest.raises(DeliveryFault) as caught:
        raise fault from ValueError("the cause")
    assert caught.value is fault and fault.__cause__ is not None and fault.__traceback__ is not None
    assert str(fault) == "test.thing from source, 2030-01-07: rule: file: message; action"


def test_only_the_contracts_asked_for_are_landed(small_bank):
    bank = small_bank(contracts=(contract("test.one"), contract("test.two")))
    for number in (0, 1):
        bank.deliver(day(1), [("a", "Ann", 1)], of=number)
    assert [outcome.feed.contract for outcome in ingest(bank.desk, day(1), day(1), ["test.two"])] == ["test.two"]
    assert bank.landings(0) == {} and list(bank.landings(1)) == [day(1)]


def test_a_home_keeps_its_key(tmp_path):
    catalog = project_catalog()
    given = {"home_dir": tmp_path / "home", "bank": "xiaocheng"}
    ring = open_desk(catalog, Settings(**given)).ring
    assert open_desk(catalog, Settings(**given)).ring.fingerprint() == ring.fingerprint()
    with pytest.raises(InputError, match=f"is not the key {ring.fingerprint()} that .* was begun with"):
        open_desk(catalog, Settings(**given, vault_key="ab" * 32))
    (tmp_path / "home" / "vault" / "master.key").unlink()
    with pytest.raises(InputError, match="restore"):
        open_desk(catalog, Settings(**given))


def test_odd_places_are_places(small_bank, tmp_path):
    root = tmp_path / "o'brien [x]*?"
    root.mkdir()
    bank = type(small_bank())(root)
    deliver(bank, 1, 2)
    bank.land(day(1), day(2))
    assert [landing.accepted for landing in bank.landings().values()] == [1, 1]
    history = contract("test.other")
    odd = type(bank)(root, contracts=(history,), feeds=(feed(history, source="it's"),))
    odd.deliver(day(1), [("a", "Ann", 1)])
    odd.deliver(day(2), [("a", "Ann", 2), ("b",)])
    odd.land(day(1), day(2))
    assert odd.state(day(2)) == {"a": 2} and len(odd.quarantine()) == 1
