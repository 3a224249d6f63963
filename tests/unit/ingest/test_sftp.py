"""Deliveries over SFTP from a real server of this machine, whose key must be known."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from fsspec.config import conf

from .workshop import contract, day, feed

pytestmark = pytest.mark.servers
OF = contract()
PASSWORD = "opensesame"


class _Door(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


def _files(root: Path) -> type[paramiko.SFTPServerInterface]:
    class Files(paramiko.SFTPServerInterface):
        def stat(self, path):
            try:
                return paramiko.SFTPAttributes.from_stat((root / path.lstrip("/")).stat())
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno)

        lstat = stat

        def open(self, path, flags, attr):
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = (root / path.lstrip("/")).open("rb")
            handle.stat = lambda: paramiko.SFTPAttributes.from_stat(os.fstat(handle.readfile.fileno()))
            return handle

    return Files


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[int, Path, paramiko.PKey]]:
    """The port of a server, the directory it serves, and its key."""
    root, key = tmp_path_factory.mktemp("sftp"), paramiko.RSAKey.generate(2048)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    transport = paramiko.Transport(listener.accept()[0])
                    transport.add_server_key(key)
                    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _files(root))
                    with contextlib.suppress(paramiko.SSHException, EOFError):
                        transport.start_server(server=_Door())

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], root, key


def test_a_known_server_delivers_and_an_unknown_does_not(small_bank, server, tmp_path, monkeypatch):
    port, root, key = server
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHOP_URL", f"sftp://127.0.0.1:{port}/out")
    monkeypatch.setitem(conf, "sftp", {"username": "bank", "password": PASSWORD, "look_for_keys": False})
    bank = small_bank(contracts=(OF,), feeds=(feed(OF, at="{env:SHOP_URL}"),))
    fault = bank.fault(day(1))
    assert fault.rule == "unreadable" and "is not in" in fault.message and "known_hosts" in fault.message
    (tmp_path / ".ssh").mkdir()
    hosts = tmp_path / ".ssh" / "known_hosts"
    hosts.write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    assert bank.fault(day(1)).rule == "missing_delivery"
    (root / "out").mkdir()
    (root / "out" / f"thing_{day(1):%Y%m%d}.csv").write_bytes(b"key,name,amount\na,Ann,1\n")
    bank.land(day(1))
    assert bank.state(day(1)) == {"a": 1}
    monkeypatch.setitem(conf, "sftp", {"username": "bank", "password": "wrong-" + PASSWORD, "look_for_keys": False})
    fault = bank.fault(day(1))
    assert fault.rule == "unreadable" and PASSWORD not in str(fault)
