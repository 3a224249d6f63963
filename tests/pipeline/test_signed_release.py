"""A signed release by the command: verified, packed, its keys changed; and publication alone, of what it may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from homes import copied

from pipelines.audit.content import content_hash
from pipelines.audit.seal import description_hash, seal
from pipelines.history.recording import nothing_stated
from pipelines.release.catalogue import Release, current
from pipelines.release.description import describe_candidate
from pipelines.release.verifier.signed import encoded
from pipelines.settings import Home
from pipelines.vault import access

pytestmark = pytest.mark.slow  # commands on whole homes


@pytest.fixture(scope="module")
def home(xiaocheng, tmp_path_factory) -> Path:
    return copied(xiaocheng.home, tmp_path_factory.mktemp("signed") / "home")


def published(home: Path) -> Release:
    release = current(Home(home))
    assert release is not None
    return release


def test_a_night_is_signed_packed_and_verified_by_a_bare_python(zhongtai, home, tmp_path):
    verified = zhongtai("releases", "verify", "--json", home=home)
    assert verified.code == 0, verified.err
    signed = verified.json["signed"]
    (key,) = zhongtai("signing", "status", "--json", home=home).json["keys"]
    assert signed["key"] == key["fingerprint"] and key["signs"]
    packed = zhongtai("releases", "pack", "current", "--out", str(tmp_path / "pack.tar"), "--json", home=home)
    assert packed.code == 0, packed.err
    assert packed.json["key"] == key["fingerprint"]
    with tarfile.open(tmp_path / "pack.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    verifier = tmp_path / packed.json["release"] / "verify.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(verifier), str(tmp_path / "pack.tar"), "--key", key["fingerprint"]],
        capture_output=True, text=True, check=False, env={"PATH": os.defpath},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"VERIFIED: release {published(home).id} of xiaocheng")
    again = zhongtai("releases", "pack", "current", "--out", str(tmp_path / "pack.tar"), home=home)
    assert again.code == 2 and "name a new file" in again.err


def test_lineage_and_sql_of_the_night_are_in_its_record(home):
    release = published(home)
    with tarfile.open(release.path / "record.tar") as record:
        lineage = json.load(record.extractfile("record/lineage.json"))
        names, all_bytes = record.getnames(), (release.path / "record.tar").read_bytes()
    assert lineage["built"]
    assert lineage["products"].keys() == release.manifest["rows"].keys()
    assert {f"record/sql/{model}.sql" for model in lineage["models"]} <= set(names)
    made_from = {one for columns in lineage["products"].values() for origins in columns.values() for one in origins}
    assert {one.partition(" ")[0] for one in made_from} <= lineage["models"].keys()
    assert str(home).encode() not in all_bytes, "where it was made is no part of it"


def test_keys_are_rotated_trusted_and_distrusted_by_command(zhongtai, home, tmp_path):
    before = zhongtai("signing", "status", "--json", home=home).json["keys"][0]
    rotated = zhongtai("signing", "rotate", "--operator", "Ann", "--json", home=home)
    assert rotated.code == 0, rotated.err
    assert rotated.json["fingerprint"] != before["fingerprint"]
    assert zhongtai("releases", "verify", home=home).code == 0, "what the key before signed stays believed"
    told = zhongtai("signing", "distrust", before["fingerprint"][:8], "--reason", "it was copied", home=home)
    assert told.code == 0, told.err
    assert "ok   signing key: " in zhongtai("doctor", home=home).out
    now = home / "vault" / "signing" / f"{rotated.json['fingerprint']}.key"
    now.rename(now.with_suffix(".away"))
    ill = zhongtai("doctor", home=home)
    assert ill.code == 2 and "BAD  signing key: " in ill.out and "is gone: restore it" in ill.out
    now.with_suffix(".away").rename(now)
    refused = zhongtai("releases", "verify", home=home)
    assert refused.code == 3 and "which is distrusted: it was copied" in refused.err
    assert zhongtai("releases", "pack", "current", "--out", str(tmp_path / "pack.tar"), home=home).code == 3
    assert not (tmp_path / "pack.tar").exists()
    other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert zhongtai("signing", "trust", other, home=home).code == 0
    for wrong in (other, "not a key", "00"):
        assert zhongtai("signing", "trust", wrong, home=home).code == 2
    states = [key["state"].partition(":")[0] for key in zhongtai("signing", "status", "--json", home=home).json["keys"]]
    assert states == ["distrusted", "signs", "believed"]
    logged = [(entry["action"], entry["operator"]) for entry in access.read(Home(home).vault)]
    assert logged[-3][0] == "signing-rotate" and logged[-3][1] == "Ann"
    assert [action for action, _ in logged[-2:]] == ["signing-distrust", "signing-trust"]


# What publication alone is started on, and what it says; a check of the evidence is spoiled, or what it is bound to.
SPOILED = {
    "failed": (lambda e: e["checks"][0].update(state="failed", observed="3 rows"), " failed: 3 rows"),
    "not audited": (lambda e: e["checks"][0].update(state="not_audited", observed="no"), " not audited: no"),
    "not audited at all": (None, "nothing is published without evidence"),
    "audited for another hash": (lambda e: e.update(candidate_hash="0" * 64), "the evidence is for content 000000"),
    "audited for another date": (
        lambda e: e.update(business_date="2025-12-30"), "the evidence is for business date 2025-12-30, not 2025-12-31",
    ),
}  # fmt: skip


MADE_FROM = (
    "deliveries", "contracts", "policy", "code", "engines", "key_fingerprint", "decisions_sha256",
    "admission_decisions_sha256", "identity_before",
)  # fmt: skip


def candidate_again(home: Path) -> Path:
    """The candidate that the current release was made of, with the evidence that it was published by."""
    release = published(home)
    candidate = Home(home).candidates / release.content_hash
    for name in (*release.manifest["files"], "evidence.json"):
        (candidate / name).parent.mkdir(parents=True, exist_ok=True)
        (candidate / name).write_bytes((release.path / name).read_bytes())
    nothing_stated(candidate / "stated")
    made_from = {name: release.manifest[name] for name in MADE_FROM}
    rows = release.manifest["rows"]
    describe_candidate(
        candidate, Home(home), release.manifest["bank"], release.business_date, made_from, rows=rows, withheld={}
    )
    seal(candidate, description_hash(candidate))
    assert content_hash(candidate) == release.content_hash
    return candidate


@pytest.fixture(scope="module")
def alone(xiaocheng, tmp_path_factory) -> Path:
    return copied(xiaocheng.home, tmp_path_factory.mktemp("alone") / "home")


@pytest.mark.parametrize("name", SPOILED)
def test_publication_started_alone_refuses(zhongtai, alone, name):
    spoil, said = SPOILED[name]
    candidate, before = candidate_again(alone), sorted(path.name for path in Home(alone).releases.iterdir())
    evidence = candidate / "evidence.json"
    if spoil is None:
        evidence.unlink()
    else:
        found = json.loads(evidence.read_bytes())
        spoil(found)
        evidence.write_bytes(encoded(found))
    call = zhongtai("releases", "publish", candidate.name[:12], home=alone)
    assert call.code == 3, call.err
    assert said in call.err
    assert sorted(path.name for path in Home(alone).releases.iterdir()) == before
    assert candidate.is_dir(), "it stays to be looked at"


def test_publication_started_alone_publishes_what_was_audited(zhongtai, alone):
    """What is refused above is refused for what was spoiled."""
    release, candidate = published(alone), candidate_again(alone)
    call = zhongtai("releases", "publish", candidate.name[:12], home=alone)
    assert call.code == 0, call.err
    assert published(alone).id == release.id
