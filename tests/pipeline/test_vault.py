"""The commands of the vault on homes of whole runs: what they print, what they log first, what a night makes after."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from homes import copied, published_bytes

from pipelines.history.store import statements
from pipelines.settings import PROJECT, Home
from pipelines.vault import access, store
from pipelines.vault.keys import KeyRing

pytestmark = pytest.mark.slow  # commands on whole homes
SECOND = "c3" * 32
ASKED = ("--purpose", "risk_management", "--operator", "Ann", "--reason", "a complaint")


@pytest.fixture(scope="module")
def home(xiaocheng, tmp_path_factory) -> Path:
    return copied(xiaocheng.home, tmp_path_factory.mktemp("vault") / "home")


def identifiers(home: Path, key: str) -> pl.DataFrame:
    return store.values(Home(home), KeyRing(bytes.fromhex(key)))


def test_status_tells_of_keys_and_kinds_and_shows_no_value(zhongtai, home, vault_key):
    told, said = zhongtai("vault", "status", "--json", home=home), zhongtai("vault", "status", home=home)
    assert told.code == said.code == 0, told.err
    known = identifiers(home, vault_key)
    assert told.json["token_version"] == 1 and not told.json["interrupted"] and told.json["enumerable"] == []
    counted = {kind: of["values"] for kind, of in told.json["kinds"].items()}
    assert counted == dict(known.group_by("kind").len().iter_rows()) and counted
    wrong = dict(known.group_by("kind").agg((~pl.col("valid")).mean()).iter_rows())
    assert {kind: of["invalid_share"] for kind, of in told.json["kinds"].items()} == pytest.approx(wrong)
    shown = told.out + told.err + said.out + said.err
    assert vault_key not in shown and not [value for value in known["value"] if len(value) > 4 and value in shown]


def test_reveal_logs_before_it_prints_and_refuses_without_a_purpose(zhongtai, home, vault_key):
    known = identifiers(home, vault_key)
    row = known.filter(pl.col("kind") == "name").sort("token").row(0, named=True)
    vault = home / "vault"
    for wrong in (
        (), ASKED[2:], ("--purpose", "curiosity", *ASKED[2:]), (*ASKED[:4], "--reason", " "),
        (*ASKED, "--kind", "colour"),
    ):  # fmt: skip
        refused = zhongtai("vault", "reveal", row["token"], *wrong, home=home)
        assert refused.code == 2 and row["value"] not in refused.out + refused.err
    assert not access.log_path(vault).exists()
    shown = zhongtai("vault", "reveal", row["token"], "0" * 64, *ASKED, "--json", home=home)
    assert shown.code == 0, shown.err
    first, unknown = shown.json["revealed"]
    assert (first["kind"], first["value"], first["valid"]) == ("name", row["value"], row["valid"])
    assert (unknown["token"], unknown["kind"], unknown["value"]) == ("0" * 64, None, None)
    log = access.read(vault)
    assert [(e["token"], e["found"], e["operator"], e["purpose"]) for e in log] == [
        (row["token"], True, "Ann", "risk_management"), ("0" * 64, False, "Ann", "risk_management"),
    ]  # fmt: skip
    path = access.log_path(vault)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and row["value"] not in path.read_text("utf-8")
    before = path.read_bytes()
    assert zhongtai("vault", "reveal", row["token"], *ASKED, home=home).code == 0
    assert path.read_bytes().startswith(before) and len(access.read(vault)) == 3
    assert zhongtai("vault", "status", "--json", home=home).json["reveals"]["count"] == 2


def test_nothing_is_printed_where_the_log_cannot_be_written(zhongtai, home, vault_key, tmp_path):
    mine = copied(home, tmp_path / "home")
    access.log_path(mine / "vault").unlink(missing_ok=True)
    access.log_path(mine / "vault").mkdir()
    row = identifiers(mine, vault_key).sort("token").row(0, named=True)
    failed = zhongtai("vault", "reveal", row["token"], *ASKED, home=mine)
    assert failed.code == 1 and row["value"] not in failed.out + failed.err


def test_a_party_is_its_records(zhongtai, home, vault_key):
    crosswalk = pl.read_parquet(home / "identity" / "party_crosswalk.parquet").sort("record_key")
    shown = zhongtai("vault", "reveal", "--party", crosswalk["party_id"][0], *ASKED, "--json", home=home)
    assert shown.code == 0, shown.err
    assert {each["kind"] for each in shown.json["revealed"]} >= {"name"}
    by_beginning = zhongtai("vault", "reveal", "--party", crosswalk["party_id"][0][:16], *ASKED, "--json", home=home)
    assert by_beginning.json == shown.json
    of_all = zhongtai("vault", "reveal", "--party", "", *ASKED, home=home)
    assert of_all.code == 2
    assert zhongtai("vault", "reveal", "--party", "0" * 64, *ASKED, home=home).code == 2


def test_a_partner_key_is_handed_over_once_and_never_printed(zhongtai, home, vault_key, tmp_path):
    key = KeyRing(bytes.fromhex(vault_key)).partner_key("core")
    given = tmp_path / "core.key"
    assert zhongtai("vault", "partner-key", "nobody", "--out", str(given), home=home).code == 2 and not given.exists()
    done = zhongtai("vault", "partner-key", "core", "--out", str(given), home=home)
    assert done.code == 0, done.err
    assert given.read_text() == f"{key}\n" and stat.S_IMODE(given.stat().st_mode) == 0o600
    again = zhongtai("vault", "partner-key", "core", "--out", str(tmp_path / "again"), home=home)
    assert again.code == 2 and "handed over" in again.err and not (tmp_path / "again").exists()
    other = zhongtai("vault", "partner-key", "lending", "--out", str(given), home=home)
    assert other.code == 2 and given.read_text() == f"{key}\n"
    shown = "".join(call.out + call.err for call in (done, again, other))
    assert key not in shown and key not in access.log_path(home / "vault").read_text("utf-8")


def test_a_home_that_is_not_there_gets_no_vault(zhongtai, tmp_path):
    for command in (("status",), ("rotate",), ("reveal", "0" * 64, *ASKED)):
        refused = zhongtai("vault", *command, home=tmp_path / "none")
        assert refused.code == 2 and "not the home of a bank" in refused.err
    assert not (tmp_path / "none").exists()


def test_a_rotation_changes_tokens_and_no_product(zhongtai, xiaocheng, vault_key, tmp_path):
    home = copied(xiaocheng.home, tmp_path / "home")
    before, old = published_bytes(home), set(identifiers(home, vault_key)["token"])
    stated = statements(Home(home))
    crosswalk = pl.read_parquet(home / "identity" / "party_crosswalk.parquet")
    refused = zhongtai("vault", "rotate", home=home)
    assert refused.code == 2 and "add a new one" in refused.err and vault_key not in refused.err
    keys = f"{vault_key},{SECOND}"
    done = zhongtai("vault", "rotate", "--json", home=home, ZHONGTAI_VAULT_KEY=keys)
    assert done.code == 0, done.err
    assert done.json["token_version"] == 2 and done.json["tokens"] > 0
    alone = zhongtai("nightly", "--date", "2025-12-31", "--json", home=home)
    assert alone.code == 2 and "have key version 2" in alone.err
    night = zhongtai("nightly", "--date", "2025-12-31", "--json", home=home, ZHONGTAI_VAULT_KEY=keys)
    assert night.code == 0, night.err
    assert night.json["release"] == xiaocheng.runs["nightly"]["release"] and published_bytes(home) == before
    assert statements(Home(home)) == stated, "no published date is another one for a rotation"
    after = pl.read_parquet(home / "identity" / "party_crosswalk.parquet")
    assert set(after["party_id"]) == set(crosswalk["party_id"])
    held = "".join(path.read_bytes().decode("latin-1") for path in (home / "lake").rglob("*.parquet"))
    assert held and not [token for token in old if token in held]


def test_a_rotation_that_is_killed_is_finished_or_undone_by_the_next_command(xiaocheng, zhongtai, vault_key, tmp_path):
    home = copied(xiaocheng.home, tmp_path / "home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHONGTAI_")}
    environment |= {"ZHONGTAI_VAULT_KEY": f"{vault_key},{SECOND}"}
    command = [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), "vault", "rotate"]
    with subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL) as process:
        while not (home / "vault" / "rotation").exists() and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    left = (home / "vault" / "rotation").exists()
    version = 1 if left and not (home / "vault" / "rotation" / "ready.json").exists() else 2
    night = zhongtai("nightly", "--date", "2025-12-31", "--json", home=home, ZHONGTAI_VAULT_KEY=f"{vault_key},{SECOND}")
    assert night.code == 0, night.err
    assert not (home / "vault" / "rotation").exists() and night.json["release"] == xiaocheng.runs["nightly"]["release"]
    told = zhongtai("vault", "status", "--json", home=home, ZHONGTAI_VAULT_KEY=f"{vault_key},{SECOND}").json
    assert told["token_version"] == version and json.dumps(told).find(SECOND) == -1
