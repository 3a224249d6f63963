"""What an audit leaves behind: whole evidence, no values of the data, no files, no locks, no network."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.audit.content import ContentError, content_hash
from pipelines.audit.evidence import read_evidence, superseded, verify
from pipelines.audit.gates import expected_checks
from pipelines.audit.run import audit_candidate
from pipelines.audit.usage import ledger
from pipelines.contracts.load import Catalog

from .candidates import DAY, NO_SHELF, write_candidate
from .test_defects import DECISION, LIST, failed, not_audited, put

PHONE = "13800138000"


@pytest.mark.slow
def test_every_contract_of_the_project_is_audited(tmp_path: Path, whole_catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, whole_catalog)
    evidence = audit_candidate(candidate, whole_catalog, crosswalk, NO_SHELF)
    assert {check.id for check in evidence.checks} == expected_checks(whole_catalog)
    assert verify(read_evidence(candidate), content_hash(candidate), DAY, expected_checks(whole_catalog)) == []


def test_the_same_candidate_gives_the_same_evidence(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, catalog)
    audit_candidate(candidate, catalog, crosswalk, NO_SHELF, threads=1)
    first = (candidate / "evidence.json").read_bytes()
    audit_candidate(candidate, catalog, crosswalk, NO_SHELF, threads=2)
    assert (candidate / "evidence.json").read_bytes() == first
    assert content_hash(candidate) == candidate.name, "evidence is no part of the content"


def test_contracts_changed_since_the_audit_are_told(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    evidence = audit_candidate(write_candidate(tmp_path, catalog), catalog, crosswalk, NO_SHELF)
    assert superseded(evidence, catalog) == []
    catalog.products[LIST] = replace(catalog.products[LIST], sha256="0" * 64)
    catalog.__dict__["policy"] = replace(catalog.policy, sha256="0" * 64)
    assert superseded(evidence, catalog) == [f"changed since the audit: {LIST}, policy.yaml"]


def test_a_file_tampered_with_after_the_audit_is_told(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, catalog)
    audit_candidate(candidate, catalog, crosswalk, NO_SHELF)
    path = candidate / "marketing" / "low_risk_list.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    (problem,) = verify(read_evidence(candidate), content_hash(candidate), DAY, expected_checks(catalog))
    assert "changed after the audit" in problem


def test_a_file_tampered_with_before_the_audit_is_told(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, catalog)
    path = candidate / "shared" / "coverage.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")
    evidence = audit_candidate(candidate, catalog, crosswalk, NO_SHELF)
    assert failed(evidence) == {"candidate.content"}


def test_a_file_beside_the_products_is_refused(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, catalog)
    (candidate / "marketing" / "extra.parquet").write_bytes((candidate / "shared" / "coverage.parquet").read_bytes())
    evidence = audit_candidate(candidate.rename(tmp_path / content_hash(candidate)), catalog, crosswalk, NO_SHELF)
    assert {c.observed for c in evidence.refusals()} == {"unknown: marketing/extra.parquet"}


def test_a_ledger_that_forgets_a_customer_is_refused(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, catalog)
    place = ledger(candidate, "marketing")
    pl.read_parquet(place).slice(1).write_parquet(place)
    evidence = audit_candidate(candidate.rename(tmp_path / content_hash(candidate)), catalog, crosswalk, NO_SHELF)
    assert {check.id for check in evidence.refusals()} == {"privacy.data_usage"}


def test_a_missing_product_is_refused_and_its_checks_are_not_audited(
    tmp_path: Path, catalog: Catalog, crosswalk: Path
) -> None:
    candidate = write_candidate(tmp_path, catalog)
    (candidate / "marketing" / "low_risk_list.parquet").unlink()
    evidence = audit_candidate(candidate.rename(tmp_path / content_hash(candidate)), catalog, crosswalk, NO_SHELF)
    assert failed(evidence) == {"candidate.content"}
    of_list = {name for name in expected_checks(catalog) if LIST in name}
    across = {"consumers.consistent", *(name for name in expected_checks(catalog) if name.startswith("privacy."))}
    assert not_audited(evidence) == of_list | across


def test_what_is_not_parquet_is_no_candidate(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> None:
    candidate = write_candidate(tmp_path, catalog)
    (candidate / "risk" / "low_risk_decision.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ContentError, match=r"risk/low_risk_decision\.parquet is not a readable Parquet file"):
        audit_candidate(candidate, catalog, crosswalk, NO_SHELF)


def test_failing_keys_are_published_pseudonyms(audited) -> None:
    evidence = audited(put(DECISION, "income_periods", 7))
    (refused,) = evidence.refusals()
    assert refused.observed == "1 of 40 rows"
    (key,) = refused.failing_keys
    assert key.keys() == {"pseudonym", "business_date", "variant"}
    assert len(key["pseudonym"]) == 64


def test_where_privacy_is_in_doubt_no_key_and_no_value_is_written(audited, tmp_path: Path) -> None:
    def spoil(tables) -> None:
        put(DECISION, "income_periods", 7)(tables)
        put(DECISION, "pseudonym", PHONE)(tables)

    evidence = audited(spoil)
    assert {"privacy.no_raw_identifier", f"contract.pseudonym/{DECISION}"} < failed(evidence)
    assert all(check.failing_keys == () for check in evidence.checks)
    assert PHONE not in evidence.to_json().decode()


def test_an_audit_leaves_no_file_no_database_and_asks_no_network(
    tmp_path: Path, catalog: Catalog, crosswalk: Path, monkeypatch, capfd
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError(f"network: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.chdir(tmp_path)
    names: list[str] = []
    opened = duckdb.connect
    monkeypatch.setattr(
        duckdb, "connect", lambda *a, **k: names.append(a[0] if a else k["database"]) or opened(*a, **k)
    )
    candidate = write_candidate(tmp_path, catalog)
    before = {path for path in tmp_path.rglob("*")}
    audit_candidate(candidate, catalog, crosswalk, NO_SHELF)
    assert {path for path in tmp_path.rglob("*")} - before == {candidate / "evidence.json", candidate / "audited.json"}
    assert capfd.readouterr() == ("", "")
    named = {name for name in names if name.startswith(":memory:audit")}
    assert named
    for name in named:
        with opened(name) as connection:
            assert connection.execute("select count(*) from duckdb_views() where not internal").fetchone() == (0,)


def test_audits_may_follow_each_other_and_run_in_other_threads(
    tmp_path: Path, catalog: Catalog, crosswalk: Path
) -> None:
    candidate = write_candidate(tmp_path, catalog)
    found = []
    thread = threading.Thread(target=lambda: found.append(audit_candidate(candidate, catalog, crosswalk, NO_SHELF)))
    thread.start()
    thread.join()
    assert found == [audit_candidate(candidate, catalog, crosswalk, NO_SHELF)]


def test_great_expectations_is_imported_late() -> None:
    code = "import sys, pipelines.audit.run; print('great_expectations' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
