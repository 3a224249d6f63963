"""Feeds two at a time: nobody starts before those it stands on have ended, and what is landed is the same."""

from __future__ import annotations

import hashlib
import threading
import time
from datetime import date
from pathlib import Path

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.ingest.night import ingest, open_desk
from pipelines.ingest.together import together
from pipelines.settings import Settings

KEY = "7b" * 32


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


def files(home: Path) -> dict[str, str]:
    found = [path for part in ("lake", "control", "quarantine") for path in (home / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.slow
def test_one_at_a_time_and_two_at_a_time_land_the_same_bytes(catalog: Catalog, tmp_path: Path) -> None:
    landed = []
    for threads in (1, 2):
        home = tmp_path / str(threads)
        settings = Settings(home_dir=home, bank="xiaocheng", threads=threads, vault_key=KEY)
        desk = open_desk(catalog, settings)
        outcomes = ingest(desk, date(2025, 12, 20), date(2025, 12, 31))
        assert [outcome.feed.contract for outcome in outcomes] == [
            feed.contract for feed in desk.feeds if feed.readable
        ]
        landed.append(files(home))
    assert landed[0] == landed[1] and len(landed[0]) > 50


def test_a_feed_waits_for_what_it_stands_on_and_for_its_own_contract(catalog: Catalog, tmp_path: Path) -> None:
    desk = open_desk(catalog, Settings(home_dir=tmp_path / "home", bank="simbank", threads=2, vault_key=KEY))
    feeds, begun, ended, at_once, lock = desk.feeds, {}, {}, [0, 0], threading.Lock()

    def work(number: int) -> None:
        with lock:
            begun[number] = len(begun) + len(ended)
            at_once[0] += 1
            at_once[1] = max(at_once)
        time.sleep(0.002)  # gives the other worker room to be wrong
        with lock:
            ended[number] = len(begun) + len(ended)
            at_once[0] -= 1

    together(desk, feeds, work)
    assert sorted(ended) == list(range(len(feeds)))
    assert at_once[1] == 2
    for number, feed in enumerate(feeds):
        parents = {column.references[0] for column in catalog.contract(feed.contract).columns if column.references}
        for other in range(number):
            if feeds[other].contract in {feed.contract, *parents}:
                assert ended[other] < begun[number], f"{feed.contract} did not wait for {feeds[other].contract}"


def test_what_a_feed_raises_ends_the_run(catalog: Catalog, tmp_path: Path) -> None:
    desk = open_desk(catalog, Settings(home_dir=tmp_path / "home", bank="simbank", threads=2, vault_key=KEY))
    done = []

    def work(number: int) -> None:
        if number == 5:
            raise RuntimeError("of the fifth")
        done.append(number)

    with pytest.raises(RuntimeError, match="of the fifth"):
        together(desk, desk.feeds, work)
    assert len(done) < len(desk.feeds) - 1
