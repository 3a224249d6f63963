"""Fixtures that several suites share: the command line as a user calls it, and homes it has published from."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# No test waits on wall time: on a busy machine any example may take long. Few examples of each property keep
# `make test` short; `--hypothesis-profile=thorough` looks at more.
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.register_profile("zhongtai", deadline=None, max_examples=25)
settings.load_profile("zhongtai")

PROJECT = Path(__file__).resolve().parents[1]
XIAOCHENG = PROJECT / "tests" / "fixtures" / "xiaocheng"
PUBLIC_DATA = Path(os.environ.get("ZHONGTAI_PUBLIC_DATA") or PROJECT.parent / "shared" / "data")
# The same key in every home, so that the same data gives the same bytes in two of them.
VAULT_KEY = "5a" * 32


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--half", help="run only half of the files that hold slow tests, drawn by this: any text")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if (seed := config.getoption("--half")) is None:
        return
    file = {item: item.nodeid.partition("::")[0] for item in items}
    slow = {file[item] for item in items if item.get_closest_marker("slow")}
    drawn = sorted(slow, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())[: len(slow) // 2]
    left_out = slow.difference(drawn)
    config.hook.pytest_deselected(items=[item for item in items if file[item] in left_out])
    items[:] = [item for item in items if file[item] not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under `-n`, tests of a file run in one process, and so do files that share what takes long to make."""
    from scheduling import ByFixture

    return ByFixture(config, log)


@dataclass(frozen=True)
class Call:
    """What a call of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that --json prints."""
        return json.loads(self.out)


Command = Callable[..., Call]


@pytest.fixture(scope="session")
def zhongtai() -> Command:
    """The command as a process of its own: `zhongtai("nightly", "--json", home=...)`."""

    def call(*arguments: str, home: Path, **environment: str) -> Call:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("ZHONGTAI_", "DAGSTER_"))
        }
        done = subprocess.run(
            [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), *arguments],
            env=inherited | {"ZHONGTAI_VAULT_KEY": VAULT_KEY, "ZHONGTAI_PUBLIC_DATA": str(PUBLIC_DATA)} | environment,
            capture_output=True, text=True, cwd=PROJECT, check=False,
        )  # fmt: skip
        return Call(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="session")
def vault_key() -> str:
    """The key of every home that the command makes here."""
    return VAULT_KEY


@pytest.fixture(scope="session")
def expected() -> dict[str, Any]:
    """What the invented bank was made to come to; see tests/fixtures/xiaocheng/README.md."""
    return json.loads((XIAOCHENG / "expected.json").read_text("utf-8"))
