"""Where things are: one settings object and the home of a bank's data.

What belongs here: environment, paths, directory modes. What does not: anything about contracts, banks or dates.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parents[1]

PRIVATE_DIR, PRIVATE_FILE = 0o700, 0o600
# A consumer's group must be able to pass through to its own directory without listing what lies beside it.
PASSAGE_DIR = 0o711
_OF_A_CONTAINER = Path("/sys/fs/cgroup/memory.max")  # bytes, or "max"; cgroup v2


def half_of_memory(limit: Path = _OF_A_CONTAINER) -> int:
    """Half of the bytes that this machine has, or that its container may have: the rest is for what DuckDB is not."""
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    told = limit.read_text("ascii").strip() if limit.is_file() else ""
    return min(has, int(told) if told.isdigit() else has) // 2


class InputError(Exception):
    """The user or a delivery gave something the platform cannot work with (exit code 2). Says what to do."""


class Settings(BaseSettings):
    """Everything that differs between installations; each field is `ZHONGTAI_<FIELD>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="ZHONGTAI_", frozen=True, populate_by_name=True, env_ignore_empty=True)

    home_dir: Path = Field(default=PROJECT / "var", validation_alias="ZHONGTAI_HOME")
    bank: str | None = None
    contracts: Path = PROJECT / "data_contracts"
    public_data: Path = PROJECT.parent / "shared" / "data"
    deliveries: Path | None = None  # overrides the place named in bank.yaml
    vault_key: str | None = Field(default=None, repr=False)  # hex, oldest first with commas; or else the key file
    group_marketing: str | None = None
    group_risk: str | None = None
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1)
    memory_limit: str = Field(default_factory=lambda: f"{half_of_memory() // 2**20}MiB")
    # Who is told what came of a run (`reporting.alerts`); addresses may hold passwords.
    alert_when: Literal["always", "trouble"] = "always"
    alert_log: Path | None = None
    alert_webhook: str | None = Field(default=None, repr=False)
    alert_smtp: str | None = Field(default=None, repr=False)
    alert_mail_from: str | None = None
    alert_mail_to: str | None = None
    alert_timeout: float = Field(default=10.0, gt=0, le=60)  # seconds for all sinks together

    @property
    def alerts(self) -> bool:
        """Whether anybody is to be told what came of a run."""
        return any(sink is not None for sink in (self.alert_log, self.alert_webhook, self.alert_mail_to))

    @cached_property
    def home(self) -> Home:
        """The home, resolved against the working directory."""
        return Home(self.home_dir.expanduser().resolve())

    def bank_name(self) -> str:
        """The bank asked for, or else the one the home belongs to. Raises InputError where neither says."""
        name = self.bank or self.home.bank()
        if name is None:
            raise InputError(f"{self.home.path} is not the home of a bank yet: name one with --bank")
        return name


@dataclass(frozen=True)
class Home:
    """The directories of one bank's data. Nothing outside them is ever written."""

    path: Path
    lake: Path = field(init=False)
    control: Path = field(init=False)
    identity: Path = field(init=False)
    relation: Path = field(init=False)
    history: Path = field(init=False)
    risk: Path = field(init=False)
    quarantine: Path = field(init=False)
    arrivals: Path = field(init=False)
    vault: Path = field(init=False)
    candidates: Path = field(init=False)
    releases: Path = field(init=False)
    documents: Path = field(init=False)
    dagster: Path = field(init=False)
    dbt: Path = field(init=False)
    warehouse: Path = field(init=False)
    lock: Path = field(init=False)

    def __post_init__(self) -> None:
        for name in _DIRECTORIES:
            object.__setattr__(self, name, self.path / name)
        object.__setattr__(self, "warehouse", self.path / "warehouse" / "warehouse.duckdb")
        object.__setattr__(self, "lock", self.path / "run.lock")

    def bank(self) -> str | None:
        """Name of the bank this home belongs to, or None before its first run."""
        marker = self.path / "home.json"
        return json.loads(marker.read_text())["bank"] if marker.exists() else None

    def prepare(self, bank: str) -> None:
        """Create what is missing, with the narrowest modes, and claim the home for `bank`.

        Raises InputError where it belongs to another bank.
        """
        owner = self.bank()
        if owner not in (None, bank):
            raise InputError(
                f"{self.path} is the home of bank '{owner}', not '{bank}': a home belongs to one bank. "
                f"Give another with --home or ZHONGTAI_HOME."
            )
        make_directory(self.path, PASSAGE_DIR)
        for name in _DIRECTORIES:
            make_directory(self.path / name, PASSAGE_DIR if name == "releases" else PRIVATE_DIR)
        make_directory(self.warehouse.parent)
        if owner is None:
            write_private(self.path / "home.json", json.dumps({"bank": bank}).encode())


_DIRECTORIES = (
    "lake", "control", "identity", "relation", "history", "risk", "quarantine", "arrivals", "vault", "candidates",
    "releases", "documents", "dagster", "dbt",
)  # fmt: skip


def make_directory(path: Path, mode: int = PRIVATE_DIR) -> Path:
    """Create `path` and its parents; whatever the umask, `path` ends with `mode`."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        path.chmod(mode)
    return path


def make_durable(path: Path) -> None:
    """Make a file durable, or what was created, renamed or removed in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` atomically and durably by `content`, readable by its owner alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    make_durable(path.parent)


def runs(process: str) -> bool:
    """Whether a process of this id runs on this machine; what one that does not left behind may be removed."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
