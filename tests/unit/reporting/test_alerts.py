"""What is told of a run, to whom, and what a sink that fails or hangs costs: servers of this machine, for real."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_string
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from project import project_catalog
from typer.testing import CliRunner

from pipelines.audit.gates import REGISTRY
from pipelines.cli.main import app
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import ContractError
from pipelines.release.refused import Refused
from pipelines.reporting import alerts
from pipelines.settings import PROJECT, InputError, Settings

OUTCOME = {
    "bank": "xiaocheng", "business_date": "2025-12-31", "status": "published", "release": "2025-12-31-0123456789ab",
    "content_hash": "cd" * 32, "checks": {"passed": 264, "failed": 0, "warned": 0}, "seconds": {"total": 31.5},
}  # fmt: skip
REFUSED = {**OUTCOME, "status": "refused", "release": None, "checks": {"passed": 263, "failed": 1, "warned": 0}}
PERSONAL = "13800138000 张伟 11010519491231002X zhang.wei@example.com"
ERROR = Refused(f"list.churn/marketing.low_risk_list failed: {PERSONAL}; core.party line 7: name '{PERSONAL}'")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@contextmanager
def serving(server: TCPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[dict]]]:
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/hook?token=secret", got


@contextmanager
def mail_server(refuses: bool = False, certificate: Path | None = None) -> Iterator[tuple[str, list[str]]]:
    """As much of SMTP (RFC 5321) as a letter takes; by TLS from the start where it has a certificate."""
    got: list[str] = []

    class Handler(StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 local")
            while line := self.rfile.readline().decode().strip():
                match line.split(":")[0].upper().split()[0]:
                    case "EHLO" | "HELO":
                        self.say("250 local")
                    case "RCPT" if refuses:
                        self.say("550 nobody of that name")
                    case "DATA":
                        self.say("354 go on")
                        lines = []
                        while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                            lines.append(text)
                        got.append("\n".join(lines))
                        self.say("250 taken")
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case _:
                        self.say("250 fine")

    class Server(TCPServer):
        def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
            connection, address = super().get_request()
            return (tls.wrap_socket(connection, server_side=True) if certificate else connection), address

        def handle_error(self, *_: object) -> None:
            """A client that does not believe the certificate has gone."""

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate:
        tls.load_cert_chain(certificate)
    with serving(Server(("127.0.0.1", 0), Handler)) as port:
        yield f"{'smtps' if certificate else 'smtp'}://127.0.0.1:{port}", got


def self_signed(path: Path) -> Path:
    """A certificate of this machine's address that nobody else signed, with its key, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(datetime(2025, 1, 1)).not_valid_after(datetime(2125, 1, 1)).add_extension(here, False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@contextmanager
def silent() -> Iterator[int]:
    """A server that takes a connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def by_mail(server: str) -> dict[str, str]:
    return {"alert_smtp": server, "alert_mail_from": "nightly@bank.example", "alert_mail_to": "office@bank.example"}


def test_every_sink_is_told_the_same(catalog: Catalog, tmp_path: Path) -> None:
    message, log = alerts.told(catalog, OUTCOME, None), tmp_path / "alerts.log"
    with webhook() as (url, posted), mail_server() as (server, mailed):
        settings = Settings(alert_log=log, alert_webhook=url, **by_mail(server))
        assert alerts.send(settings, message) == []
        assert alerts.send(settings, message) == []
    assert [json.loads(line) for line in log.read_text().splitlines()] == [message] * 2
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert posted == [{"text": "xiaocheng 2025-12-31 published", **message}] * 2
    for letter in mailed:
        read = message_from_string(letter, policy=default)
        assert json.loads(read.get_content()) == message
        assert (read["Subject"], read["To"]) == ("xiaocheng 2025-12-31 published", "office@bank.example")


def test_a_mail_server_that_nobody_vouches_for_is_told_nothing(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, certificate = alerts.told(catalog, OUTCOME, None), self_signed(tmp_path / "mail.pem")
    with mail_server(certificate=certificate) as (server, mailed):
        settings = Settings(**by_mail(server))
        assert alerts.send(settings, message) == ["mail: SSLCertVerificationError"]
        assert mailed == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert alerts.send(settings, message) == []
        assert len(mailed) == 1


def test_a_password_is_sent_to_no_server_that_does_not_encrypt(catalog: Catalog) -> None:
    with mail_server() as (server, mailed):
        settings = Settings(**by_mail(server.replace("//", "//me:secret@")))
        assert alerts.send(settings, alerts.told(catalog, OUTCOME, None)) == ["mail: NoEncryption"]
    assert mailed == []


@pytest.mark.parametrize("command", [("nightly", "--date", "2025-12-31"), ("backfill", "--to", "2025-12-31")])
def test_a_contract_that_cannot_be_read_is_told_of_as_a_night(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contracts = Path(shutil.copytree(PROJECT / "data_contracts", tmp_path / "contracts"))
    with (contracts / "policy.yaml").open("a") as file:
        file.write(f"zhang.wei@example.com: {PERSONAL}\n")
    for name, text in {"CONTRACTS": contracts, "ALERT_LOG": tmp_path / "alerts.log", "HOME": tmp_path / "home"}.items():
        monkeypatch.setenv(f"ZHONGTAI_{name}", f"{text}")
    done = CliRunner().invoke(app, [*command, "--bank", "xiaocheng"])
    assert isinstance(done.exception, ContractError)
    (line,) = (tmp_path / "alerts.log").read_text("utf-8").splitlines()
    told = json.loads(line)
    assert (told["bank"], told["business_date"], told["status"]) == ("xiaocheng", "2025-12-31", "failed")
    assert (told["trouble"], told["next"]) == ("bad input", "zhongtai contracts check")
    assert not any(word in line for word in PERSONAL.split())


def test_how_many_deliveries_came_late_is_told(catalog: Catalog) -> None:
    late = {"arrivals": {"late": 1}, "warnings": ["card.account from cards, 2025-12-31: came on 2026-01-01 09:30"]}
    message = alerts.told(catalog, OUTCOME | late, None)
    assert (message["arrivals"], message["warned"]) == ({"late": 1}, ["card.account"])


def test_of_an_error_only_names_of_contracts_and_gates_are_told(catalog: Catalog) -> None:
    message = alerts.told(catalog, REFUSED, ERROR)
    assert message["concerns"] == ["list.churn/marketing.low_risk_list", "core.party"]
    assert (message["trouble"], message["status"]) == ("refused", "refused")
    said = json.dumps(message, ensure_ascii=False)
    assert not [word for word in PERSONAL.split() if word in said]
    assert alerts.subject(message) == "xiaocheng 2025-12-31 refused: list.churn/marketing.low_risk_list, core.party"


@given(text=st.text(max_size=200))
def test_whatever_an_error_says_none_of_it_is_told(catalog: Catalog, text: str) -> None:
    """What is told does not depend on the words of an error but through the names that are known."""
    known = alerts.names_in(catalog, text)
    assert alerts.told(catalog, REFUSED, InputError(text)) == {
        **alerts.told(catalog, REFUSED, InputError("")), "concerns": known,
    }  # fmt: skip
    assert {part for name in known for part in name.split("/")} <= {*catalog.all(), *REGISTRY}


def test_the_path_of_the_home_and_of_files_is_not_told(catalog: Catalog) -> None:
    message = alerts.told(catalog, {**OUTCOME, "path": "/srv/home/releases/x"}, InputError("/srv/core.party/x.csv"))
    assert "/srv" not in json.dumps(message)


def test_a_sink_that_fails_is_named_and_the_others_are_told(catalog: Catalog, tmp_path: Path) -> None:
    message, log = alerts.told(catalog, OUTCOME, None), tmp_path / "alerts.log"
    with webhook(500) as (url, _), mail_server(refuses=True) as (server, mailed):
        faults = alerts.send(Settings(alert_log=log, alert_webhook=url, **by_mail(server)), message)
    assert faults == ["webhook: HTTPError", "mail: SMTPRecipientsRefused"]
    assert (len(log.read_text().splitlines()), mailed) == (1, [])
    assert alerts.send(Settings(alert_log=tmp_path / "no" / "such" / "place"), message) == ["log: FileNotFoundError"]


@pytest.mark.parametrize("sink", ["webhook", "mail"])
def test_a_sink_that_hangs_is_left_behind(catalog: Catalog, tmp_path: Path, sink: str) -> None:
    message, log = alerts.told(catalog, OUTCOME, None), tmp_path / "alerts.log"
    with silent() as port:
        told = (
            {"alert_webhook": f"http://127.0.0.1:{port}"} if sink == "webhook" else by_mail(f"smtp://127.0.0.1:{port}")
        )
        faults = alerts.send(Settings(alert_log=log, alert_timeout=0.2, **told), message)
    assert [fault.partition(":")[0] for fault in faults] == [sink]
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alert_webhook": "file:///etc/passwd"}, "ZHONGTAI_ALERT_WEBHOOK: not an http or https address"),
        ({"alert_mail_to": "a@b.example"}, "ZHONGTAI_ALERT_MAIL_TO needs ZHONGTAI_ALERT_SMTP"),
        ({**by_mail("http://x"), "alert_log": "never.log"}, "ZHONGTAI_ALERT_MAIL_TO needs ZHONGTAI_ALERT_SMTP"),
    ],
)
def test_a_sink_that_is_configured_by_half_is_said_and_nothing_is_sent(catalog, settings, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (fault,) = alerts.send(Settings(**settings), alerts.told(catalog, OUTCOME, None))
    assert words in fault
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("warned", "status", "sent"), [(0, "published", 0), (1, "published", 1), (0, "refused", 1)])
def test_who_wants_to_hear_of_trouble_only(catalog, tmp_path: Path, warned: int, status: str, sent: int) -> None:
    message = alerts.told(catalog, {**OUTCOME, "status": status, "checks": {"warned": warned}}, None)
    log = tmp_path / "alerts.log"
    log.touch()
    assert alerts.send(Settings(alert_log=log, alert_when="trouble"), message) == []
    assert len(log.read_text().splitlines()) == sent


def test_addresses_with_passwords_are_not_shown() -> None:
    settings = Settings(alert_webhook="https://hooks.example/secret", alert_smtp="smtp://me:secret@host")
    assert "secret" not in repr(settings)
    assert settings.alerts
    assert not Settings().alerts
