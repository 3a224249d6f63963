"""Readers, other publications and sudden ends: the old release or the new one is there, whole, at every moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.release import pointer
from pipelines.release import publish as module
from pipelines.release.catalogue import current, find, list_releases, verify_release
from pipelines.settings import InputError

from .warehouse import DAY, Office

pytestmark = pytest.mark.slow  # processes that read while another publishes
EVE = date(1994, 3, 30)
COUNT = "select count(*) from customer_360"


def consumer_file(office: Office) -> Path:
    return office.home.releases / "current" / "risk" / "risk.duckdb"


def count(path: Path) -> int:
    """What a process that opens the file now sees."""
    program = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).sql(sys.argv[2]).fetchall()[0][0])"
    done = subprocess.run([sys.executable, "-c", program, str(path), COUNT], capture_output=True, check=True)
    return int(done.stdout)


def sudden_end(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_reader_keeps_the_release_it_opened_and_the_next_one_sees_the_new(office: Office) -> None:
    office.publish(office.approved(EVE, parties=3))
    with duckdb.connect(str(consumer_file(office).resolve()), read_only=True) as reader:
        assert reader.execute(COUNT).fetchall() == [(3,)]
        office.publish(office.approved(DAY, parties=5))
        assert reader.execute(COUNT).fetchall() == [(3,)]
        assert reader.execute("select distinct business_date from customer_360").fetchall() == [(EVE,)]
        assert count(consumer_file(office)) == 5
    assert count(consumer_file(office)) == 5


def test_readers_during_a_publication_never_meet_the_writer(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.publish(office.approved(EVE, parties=3))
    seen, build = [], module.build_consumer_file

    def while_it_is_built(*arguments: object) -> Path:
        seen.append(count(consumer_file(office)))
        return build(*arguments)

    monkeypatch.setattr(module, "build_consumer_file", while_it_is_built)
    office.publish(office.approved(DAY, parties=5))
    assert seen == [3, 3]
    assert count(consumer_file(office)) == 5


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (module, "_copy"),
        (module, "build_consumer_file"),
        (module, "make_durable"),
        (Path, "rename"),
        (module, "point"),
    ],
)
def test_an_end_before_the_pointer_moves_leaves_the_old_release(
    office: Office, monkeypatch: pytest.MonkeyPatch, of: object, name: str
) -> None:
    before = office.publish(office.approved(EVE))
    candidate = office.approved(DAY)
    with monkeypatch.context() as patch:
        patch.setattr(of, name, sudden_end)
        with pytest.raises(KeyboardInterrupt):
            office.publish(candidate)
    assert current(office.home).id == before.id
    assert verify_release(current(office.home), office.catalog) == []
    assert not list(office.home.releases.glob(".*"))
    after = office.publish(candidate)
    assert current(office.home).id == after.id
    assert verify_release(after, office.catalog) == []


def test_what_a_killed_publication_left_is_swept_up_by_the_next(office: Office) -> None:
    leftover = office.home.releases / ".building-killed"
    (leftover / "risk").mkdir(parents=True)
    (leftover / "risk" / "customer_360.parquet").write_bytes(b"half")
    (office.home.releases / ".building-current").symlink_to("nowhere")
    assert list_releases(office.home) == []
    release = office.publish(office.approved())
    assert {path.name for path in office.home.releases.iterdir()} == {"current", release.id}


def test_an_error_while_the_pointer_moves(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before = office.publish(office.approved(EVE))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", sudden_end)
        with pytest.raises(KeyboardInterrupt):
            pointer.point(office.home.releases, "1994-03-31-000000000000")
    assert current(office.home).id == before.id


def test_two_publications_at_once(office: Office) -> None:
    """Whichever comes first, both are published and the later business date is current."""
    candidates = [office.approved(EVE), office.approved(DAY)]
    errors: list[BaseException] = []
    together = threading.Barrier(len(candidates))

    def go(candidate: Path) -> None:
        together.wait()
        try:
            office.publish(candidate)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=go, args=(candidate,)) for candidate in candidates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    releases = list_releases(office.home)
    assert [release.business_date for release in releases] == [EVE, DAY]
    assert [verify_release(release, office.catalog) for release in releases] == [[], []]
    assert current(office.home).business_date == DAY


def test_a_publication_waits_for_the_one_before_it(office: Office) -> None:
    candidate, published = office.approved(), threading.Event()

    def go() -> None:
        office.publish(candidate)
        published.set()

    with module.alone(office.home.releases):
        thread = threading.Thread(target=go)
        thread.start()
        assert not published.wait(0.3)
        assert list(office.home.releases.iterdir()) == []
    thread.join()
    assert published.is_set()
    assert current(office.home).business_date == DAY


def test_nothing_is_published_yet(office: Office) -> None:
    assert (current(office.home), list_releases(office.home)) == (None, [])
    with pytest.raises(InputError, match=r"nothing is published in .* yet: run `zhongtai nightly`"):
        find(office.home, None)


def test_a_release_is_found_by_the_beginning_of_its_name(office: Office) -> None:
    eve, day = office.publish(office.approved(EVE)), office.publish(office.approved(DAY))
    assert find(office.home, None).id == find(office.home, "current").id == find(office.home, "1994-03-31").id == day.id
    assert find(office.home, eve.id).id == eve.id
    for name, matches in (("1994-03", 2), ("1995", 0)):
        with pytest.raises(InputError) as caught:
            find(office.home, name)
        assert str(caught.value) == f"{matches} releases are called '{name}'; there are: {eve.id}, {day.id}"


def test_the_pointer_is_a_relative_link(office: Office, tmp_path: Path) -> None:
    release = office.publish(office.approved())
    assert (office.home.releases / "current").readlink() == Path(release.id)
    moved = office.home.path.rename(tmp_path / "moved")
    assert (
        count(moved / "releases" / "current" / "risk" / "risk.duckdb") == release.manifest["rows"]["risk.customer_360"]
    )
