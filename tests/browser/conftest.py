"""The Dagster UI as `zhongtai ui` serves it, a home in which it works, and a Chromium that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from pipelines.settings import PROJECT

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
THIS_MACHINE = {"localhost", "127.0.0.1"}
SECONDS_TO_START, SECONDS_TO_STOP = 90, 30
# The key in the vault of the home: a copy of the home has the same.
OWN_KEY = {"ZHONGTAI_VAULT_KEY": ""}
Found = TypeVar("Found")


@dataclass(frozen=True)
class Ui:
    """A server that answers."""

    home: Path
    url: str
    log: Path

    def told(self) -> dict[str, Any] | None:
        """The last alert that it sent."""
        place = self.home.parent / "alerts.log"
        return json.loads(place.read_text().splitlines()[-1]) if place.exists() else None

    def ask(self, query: str) -> dict[str, Any]:
        """The answer to a GraphQL query."""
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]


def until(probe: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """What `probe` finds, asked again and again for at most `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (found := probe()) is not None:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


@pytest.fixture(scope="session")
def homes(zhongtai, tmp_path_factory) -> tuple[Path, Path]:
    """Two homes that are the same: the invented bank through the day before its last."""
    place = tmp_path_factory.mktemp("ui")
    done = zhongtai("backfill", "--bank", "xiaocheng", "--to", "2025-12-30", home=place / "clicked", **OWN_KEY)
    assert done.code == 0, done.err
    shutil.copytree(place / "clicked", place / "commanded", symlinks=True)
    return place / "clicked", place / "commanded"


@pytest.fixture(scope="session")
def ui(homes) -> Iterator[Ui]:
    """`zhongtai ui` on a free port. Ended by its process id, and then nothing that it started is left."""
    home, log = homes[0], homes[0].parent / "ui.log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), "ui", "--port", str(port)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ZHONGTAI_", "DAGSTER_"))}
    told = {"ZHONGTAI_ALERT_LOG": str(home.parent / "alerts.log")}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=inherited | told, cwd=PROJECT, stdout=output, stderr=output, start_new_session=True
        )
    server = Ui(home, f"http://localhost:{port}", log)
    try:
        until(lambda: _loaded(server, process), SECONDS_TO_START, f"UI at {server.url}")
        yield server
    finally:
        left = _end(process)
    assert not left, f"`zhongtai ui` left processes behind:\n{log.read_text()[-2000:]}"


@pytest.fixture
def page(ui, tmp_path, request) -> Iterator[Any]:
    """A page of a Chromium with no history. It may ask nobody but this machine."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        context = browser.new_context(base_url=ui.url, viewport={"width": 1600, "height": 1000})
        context.on("request", lambda made: asked.append(made.url))
        page = context.new_page()
        try:
            yield page
        finally:
            page.screenshot(path=tmp_path / f"{request.node.name}.png")  # kept by pytest: what a failed test saw
            browser.close()
    outside = {url for url in asked if urlsplit(url).scheme not in ("data", "blob")}
    outside = {url for url in outside if urlsplit(url).hostname not in THIS_MACHINE}
    assert asked and not outside, f"the UI asks other machines: {sorted(outside)[:5]}"


def _loaded(server: Ui, process: subprocess.Popen[bytes]) -> bool | None:
    """Whether the server knows the definitions. Raises AssertionError where it cannot load them or ended."""
    assert process.poll() is None, f"`zhongtai ui` ended:\n{server.log.read_text()[-4000:]}"
    try:
        found = server.ask(
            "{workspaceOrError{... on Workspace{locationEntries{loadStatus locationOrLoadError{__typename "
            "... on PythonError{message}}}}}}"
        )
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
    entries = found["workspaceOrError"]["locationEntries"]
    errors = [entry["locationOrLoadError"] for entry in entries if entry["locationOrLoadError"]]
    assert not [error for error in errors if error["__typename"] == "PythonError"], errors
    return True if entries and all(entry["loadStatus"] == "LOADED" for entry in entries) else None


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Ask the server to end. True where it or a process of its group was left after a time and had to be killed."""

    def gone() -> bool | None:
        process.poll()
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return None

    process.send_signal(signal.SIGTERM)
    try:
        until(gone, SECONDS_TO_STOP, "end of the UI")
    except AssertionError:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False
