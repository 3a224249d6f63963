"""Deliveries at a URL, from real servers of this machine: an object store, a web server, and memory."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest
from fsspec.config import conf, set_conf_env

from pipelines.contracts.feed import Daily
from pipelines.ingest import origin, remote
from pipelines.ingest.arrival import arrivals
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.origin import scrubbed, shown
from pipelines.ingest.places import place
from pipelines.ingest.read import read_delivery
from pipelines.settings import Settings

from .workshop import contract, day, feed

pytestmark = pytest.mark.servers
OF = contract()
CONTENT = b"key,name,amount\na,Ann,1\n"
MISSING = "no such file of a required contract: daily, due for 2030-01-07; nothing ever came"
SECRET = "s3cr3t-of-the-store"


class Shop:
    """A place at a URL, and a way to put files there without the platform."""

    def __init__(self, url: str, directory: Path | None = None) -> None:
        self.url, self._directory = url, directory

    def put(self, name: str, content: bytes) -> None:
        if self._directory is None:
            fsspec.filesystem(self.url.partition(":")[0]).pipe_file(f"{self.url}/{name}", content)
        else:
            (self._directory / name).write_bytes(content)

    def remove(self, name: str) -> None:
        if self._directory is None:
            fsspec.filesystem(self.url.partition(":")[0]).rm_file(f"{self.url}/{name}")
        else:
            (self._directory / name).unlink()


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The address of an S3 server, which fsspec is told through its environment variables."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        given = {"ENDPOINT_URL": f"http://{host}:{port}", "KEY": "somebody", "SECRET": SECRET}
        for name, value in given.items():
            patch.setenv(f"FSSPEC_S3_{name}", value)
        patch.setitem(conf, "s3", {})
        set_conf_env(conf)
        fsspec.filesystem("s3").mkdir("bank")
        yield given["ENDPOINT_URL"]
    server.stop()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a web server, and the directory it serves."""
    directory = tmp_path_factory.mktemp("web")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def send_head(self):
            if "forbidden" in self.path:
                self.send_error(403, "Forbidden")
                return None
            return super().send_head()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=directory)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", directory
        server.shutdown()


@pytest.fixture(params=["s3", "http", "memory"])
def shop(request, tmp_path) -> Shop:
    own = tmp_path.name
    if request.param == "s3":
        request.getfixturevalue("store")
        return Shop(f"s3://bank/{own}")
    if request.param == "http":
        url, directory = request.getfixturevalue("web")
        (directory / own).mkdir()
        return Shop(f"{url}/{own}", directory / own)
    return Shop(f"memory://{own}")


@pytest.fixture
def bank(small_bank, shop, monkeypatch):
    monkeypatch.setenv("SHOP_URL", shop.url)
    daily = Daily(path="thing_{date:%Y%m%d}.csv", flag="{date:%Y%m%d}.ok")
    return small_bank(contracts=(OF,), feeds=(feed(OF, at="{env:SHOP_URL}").model_copy(update={"daily": daily}),))


def deliver(shop, number, content=CONTENT) -> None:
    shop.put(f"thing_{day(number):%Y%m%d}.csv", content)
    shop.put(f"{day(number):%Y%m%d}.ok", b"ok")


def left(bank) -> list[Path]:
    return [path for path in (bank.home.vault / "tmp").rglob("*")] if (bank.home.vault / "tmp").exists() else []


def test_a_delivery_is_landed_from_its_url_and_nothing_stays(bank, shop):
    for number in (1, 2, 3):
        deliver(shop, number, CONTENT.replace(b"1\n", b"%d\n" % number))
    bank.land(day(1), day(3))
    assert bank.state(day(3)) == {"a": 3} and left(bank) == []
    landing = bank.landings()[day(1)]
    assert (landing.delivery, landing.delivery_sha256) == ("thing_20300107.csv", hashlib.sha256(CONTENT).hexdigest())
    (outcome,) = bank.land(day(1), day(3))
    assert outcome.reused == 3
    deliver(shop, 2, CONTENT.replace(b"1\n", b"7\n"))
    (outcome,) = bank.land(day(1), day(3))
    assert bank.state(day(2)) == {"a": 7} and bank.state(day(3)) == {"a": 3}


def test_a_store_or_web_server_states_when_a_file_came(bank, shop):
    deliver(shop, 1)
    bank.land(day(1))
    seen = arrivals(bank.home, bank.feeds[0]).seen[day(1)]
    assert abs(seen.stated - seen.found) < timedelta(minutes=5)


def test_what_is_wrong_is_told_as_of_a_file(bank, shop):
    name = f"thing_{day(1):%Y%m%d}.csv"
    assert (bank.fault(day(1)).rule, bank.fault(day(1)).message) == ("missing_delivery", MISSING)
    shop.put(name, CONTENT)
    fault = bank.fault(day(1))
    assert (fault.rule, fault.message) == ("missing_flag", "the flag file 20300107.ok is not there: not complete yet")
    assert fault.file == f"{shop.url}/{name}"
    deliver(shop, 1, b"")
    assert bank.fault(day(1)).rule == "empty_file"
    deliver(shop, 1, b"key,name\n")
    assert bank.fault(day(1)).rule == "wrong_header"
    deliver(shop, 1)
    bank.land(day(1))
    shop.remove(name)
    assert "no such file any more" in bank.fault(day(1)).message
    assert left(bank) == []


def test_a_file_that_is_written_to_meanwhile_is_noticed(bank, shop, con, monkeypatch):
    deliver(shop, 1)
    with bank.desk.fetching() as desk:
        delivery = desk.office.daily(bank.feeds[0], OF, day(1))
        assert delivery.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert delivery.path.stat().st_mode & 0o777 == 0o600
        assert delivery.path.is_relative_to(bank.home.vault)
        deliver(shop, 1, CONTENT + b"b,Bo,2\n")
        with pytest.raises(DeliveryFault) as caught:
            read_delivery(con, delivery, "delivery")
        assert caught.value.rule == "changed_while_read"
    assert left(bank) == []


def test_a_companion_is_fetched_once(bank, shop, monkeypatch):
    deliver(shop, 1)
    fetched = []
    monkeypatch.setattr(
        remote.RemoteFile, "fetch",
        lambda self, target, plain=remote.RemoteFile.fetch: (fetched.append(self.name), plain(self, target)),
    )  # fmt: skip
    with bank.desk.fetching() as desk:
        for _ in range(2):
            assert desk.office.daily(bank.feeds[0], OF, day(1)).sha256
        assert len(fetched) == 1
        deliver(shop, 1, CONTENT + b"b,Bo,2\n")
        assert desk.office.daily(bank.feeds[0], OF, day(1)).path.stat().st_size == len(CONTENT)
        assert desk.office.daily(bank.feeds[0], OF, day(1)).sha256 and len(fetched) == 2


@pytest.mark.parametrize("criticality", ["required", "optional"])
def test_a_server_that_does_not_answer_is_no_quiet_day(small_bank, monkeypatch, criticality):
    monkeypatch.setenv("SHOP_URL", "http://anna:pass%40word@127.0.0.1:9/bank?sig=abcdef")
    of = contract(criticality=criticality, carry_forward_days=9)
    bank = small_bank(contracts=(of,), feeds=(feed(of, at="{env:SHOP_URL}"),))
    fault = bank.fault(day(1))
    assert fault.rule == "unreadable" and fault.file == "http://127.0.0.1:9/bank/thing_20300107.csv"
    assert fault.action.startswith("check the address and the access in the environment")
    assert not [secret for secret in ("anna", "pass", "word", "abcdef") if secret in str(fault)]
    monkeypatch.delenv("SHOP_URL")
    assert "the environment variable SHOP_URL, which names the place, is not set" in str(bank.fault(day(1)))


def test_a_refused_file_is_told_with_the_answer(small_bank, web, monkeypatch):
    monkeypatch.setenv("SHOP_URL", f"{web[0]}/forbidden")
    bank = small_bank(contracts=(OF,), feeds=(feed(OF, at="{env:SHOP_URL}"),))
    assert "the server answers 403 Forbidden" in bank.fault(day(1)).message


def test_a_wrong_key_of_the_store_is_told_without_it(small_bank, store, monkeypatch):
    monkeypatch.setattr(
        remote,
        "_system",
        lambda url: (_ for _ in ()).throw(PermissionError(f"Forbidden {url}?X-Amz-Signature={SECRET}")),
    )
    bank = small_bank(contracts=(OF,), feeds=(feed(OF, at="s3://bank/x"),))
    assert SECRET not in str(bank.fault(day(1))) and "Forbidden" in bank.fault(day(1)).message


def test_the_place_of_the_bank_may_be_a_url(small_bank, store, monkeypatch):
    monkeypatch.setenv("BUCKET", "bank")
    shop = Shop("s3://bank/whole")
    shop.put(f"thing_{day(1):%Y%m%d}.csv", CONTENT)
    made = small_bank(contracts=(OF,))
    given = Settings(home_dir=made.home.path, bank="small", threads=1)
    at = made.desk.bank.model_copy(update={"deliveries": "s3://{env:BUCKET}/whole"})
    object.__setattr__(made.desk, "settings", given)
    object.__setattr__(made.desk, "bank", at)
    made.land(day(1))
    assert made.state(day(1)) == {"a": 1}
    assert str(place(at, given)) == "s3://bank/whole" and place(at, given).is_dir()
    here = at.model_copy(update={"deliveries": "{home}/in"})
    assert place(here, given) == made.home.path / "in"
    monkeypatch.delenv("BUCKET")
    assert not place(at, given).is_dir() and "BUCKET" in str(place(at, given))


def test_a_protocol_that_nobody_knows_is_told(small_bank):
    bank = small_bank(contracts=(OF,), feeds=(feed(OF, at="nosuch://host/out"),))
    fault = bank.fault(day(1))
    assert fault.rule == "unreadable" and "Protocol not known: nosuch" in fault.message


@pytest.mark.parametrize(
    "url, said",
    [
        ("s3://bank/a", "s3://bank/a"), ("sftp://u:p@host:22/a", "sftp://host:22/a"),
        ("https://u:p%40x@host/a?sig=1#f", "https://host/a"), ("postgresql://u@/db?host=/tmp", "postgresql:///db"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_who_and_what(url, said):
    assert shown(url) == said
    told = scrubbed(f"cannot open {url} for reading", "p%40x")
    assert told.startswith(f"cannot open {said}") and "sig=" not in told and "@" not in told


def test_what_a_killed_run_fetched_is_gone_after_the_next(bank, shop):
    assert origin.Staging(bank.home.vault)._room is None
    old = bank.home.vault / "tmp" / "999999999.x"
    old.mkdir(parents=True)
    (old / "thing.csv").write_bytes(CONTENT)
    deliver(shop, 1)
    bank.land(day(1))
    assert left(bank) == []
