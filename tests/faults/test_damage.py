"""What is wrong with the machine or the home: its disk, its clock, a damaged file, a pointer that is gone."""

from __future__ import annotations

import shutil

import pytest
from nights import EVE, Disk, Night

from pipelines.release.catalogue import list_releases
from pipelines.settings import Home

GARBAGE = b"\0half of something" * 50

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.mark.fault("disk full")
@pytest.mark.parametrize("megabytes", [1, 4, 10, 20, 40])
def test_a_disk_that_is_full(disk: tuple[Night, Disk], megabytes: int) -> None:
    night, place = disk
    place.leave(megabytes)
    code, said = night.run()
    assert "Traceback" not in said, said
    assert code or megabytes > 4, "the disk was not full"
    if code:
        assert "space" in said, said
    night.check()
    place.widen()
    night.finish()


@pytest.mark.fault("home read-only")
def test_a_home_that_is_read_only(disk: tuple[Night, Disk]) -> None:
    night, place = disk
    place.change("ro")
    code, said = night.run()
    assert code != 0 and "ead-only" in said and "Traceback" not in said, said
    assert night.check() == night.bank.eve_release
    place.widen()
    night.finish()


@pytest.mark.fault("leftovers of a crashed run")
def test_what_a_crashed_run_left(night: Night) -> None:
    """Half of everything that a night writes under another name first; nothing of it is left by the next night."""
    home = night.home
    (landed,) = home.glob("lake/core.transaction/source=[!_]*/business_date=2025-12-30")
    for half in (
        "releases/.building-x1/risk/a.parquet", "candidates/.building/risk/a.parquet",
        "vault/tmp/999999.x/duckdb_temp_storage.tmp", "control/.business_date.parquet.999999.tmp",
        landed.relative_to(home).with_name("business_date=2025-12-31") / ".part.parquet.999999.tmp",
    ):  # fmt: skip
        path = home / half
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GARBAGE)
    (home / "dbt" / "target" / "partial_parse.msgpack").write_bytes(GARBAGE)
    (home / "releases" / ".building-current").symlink_to("nowhere")
    (home / "run.lock").write_text("999999")
    night.finish()
    assert [path for path in home.rglob("*999999*")] == []


@pytest.mark.fault("pointer deleted")
def test_a_pointer_that_is_gone(night: Night) -> None:
    (night.home / "releases" / "current").unlink()
    night.finish()


@pytest.mark.fault("warehouse corrupt")
@pytest.mark.parametrize("harm", ["beginning", "middle", "end"])
def test_a_warehouse_that_is_damaged(night: Night, harm: str) -> None:
    """Either it makes no difference, or the night says what to do, and that helps."""
    warehouse = night.home / "warehouse" / "warehouse.duckdb"
    size = warehouse.stat().st_size
    with warehouse.open("r+b") as file:
        if harm == "end":
            file.truncate(size // 3)
        else:
            file.seek({"beginning": 0, "middle": size // 2}[harm])
            file.write(GARBAGE * 400)
    code, said = night.run()
    assert "Traceback" not in said, said
    night.check()
    if code:
        assert "warehouse.duckdb" in said and "move it away" in said, said
        for path in warehouse.parent.iterdir():
            path.rename(night.home.parent / path.name)
    night.finish()


@pytest.mark.fault("Parquet corrupt")
@pytest.mark.parametrize("harm", ["truncated", "empty", "garbage", "gone"])
def test_a_landed_file_that_is_damaged(night: Night, harm: str) -> None:
    """The night says which file, and what to do, and that helps; one that is gone is landed again without a word."""
    (path,) = night.home.glob(f"lake/core.transaction/source=[!_]*/business_date={EVE}/part.parquet")
    content = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes({"truncated": content[: len(content) // 2], "empty": b"", "garbage": GARBAGE}[harm])
    code, said = night.run()
    assert "Traceback" not in said, said
    night.check()
    assert bool(code) == (harm != "gone"), said
    if code:
        assert str(path) in said and "move it away" in said, said
        path.unlink()
    night.finish()


@pytest.mark.fault("published release corrupt")
@pytest.mark.parametrize("name", ["manifest.json", "marketing/customer_360.parquet"])
def test_a_published_release_that_is_damaged(night: Night, name: str) -> None:
    """What the night is held against cannot be read: it says which file, publishes nothing, and its return helps."""
    path = night.home / "releases" / night.bank.eve_release / name
    content = path.read_bytes()
    path.write_bytes(GARBAGE)
    code, said = night.run()
    assert code and "Traceback" not in said, said
    assert night.bank.eve_release in said and path.name in said, said
    assert [one.id for one in list_releases(Home(night.home))] == [night.bank.eve_release]
    path.write_bytes(content)
    assert night.check() == night.bank.eve_release
    night.finish()


@pytest.mark.fault("clock set back")
def test_a_clock_that_was_set_back(night: Night) -> None:
    clock = shutil.which("faketime")
    if clock is None:
        pytest.skip("Debian: apt-get install faketime")
    code, said = night.run(clock, "2001-02-03 04:05:06")
    assert code == 0, said
    assert night.check() == night.bank.release
    night.finish()
