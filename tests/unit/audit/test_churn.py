"""Who came on a list and who left it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audit.churn import members, turnover
from pipelines.audit.drift import stable
from pipelines.audit.gates import expected_checks
from pipelines.audit.tables import NotAudited, Table, Tables
from pipelines.contracts.load import Catalog

from .candidates import DAY
from .earlier_releases import write_manifest, write_release

LIST, DECISION = "marketing.low_risk_list", "risk.low_risk_decision"
RING, QUEUE = "risk.fraud_ring", "risk.review_queue"
PRODUCTS = (LIST, DECISION, RING, QUEUE, "shared.coverage", "shared.reconciliation")
EVE = DAY - timedelta(1)


def without(product: str, start: int, stop: int | None = None):
    """Rows from `start` on, up to `stop`, are all that is left of a product."""

    def spoil(tables: dict[str, pa.Table]) -> None:
        tables[product] = tables[product].slice(start, None if stop is None else stop - start)

    return spoil


@pytest.fixture
def few_are_enough(catalog) -> None:
    thresholds = {**catalog.policy.thresholds, "gates.churn_min_members": 10.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)


@pytest.mark.parametrize(
    ("before", "now", "fault"),
    [
        ((0, None), (0, None), ""),
        ((0, None), (0, 10), ""),
        ((0, None), (0, 9), "55% of the members before are gone, 50% allowed"),
        ((0, 10), (0, None), ""),
        ((0, 10), (1, None), "53% of the members are new, 50% allowed"),
        ((0, 9), (0, None), "too few to judge"),
    ],
)
def test_a_list_that_turns_over_is_refused(opened, catalog, tmp_path, few_are_enough, before, now, fault: str) -> None:
    """Of 20 members, those of these places are on the list before and now."""
    write_release(tmp_path / "releases", catalog, EVE, spoil=without(LIST, *before))
    found = members(opened(catalog, without(LIST, *now)), LIST)
    assert found.observed.endswith(fault)
    assert found.state == ("failed" if "allowed" in fault else "passed")


def test_who_came_and_went_is_named_by_pseudonym(opened, catalog, tmp_path, few_are_enough) -> None:
    write_release(tmp_path / "releases", catalog, EVE, spoil=without(LIST, 0, 12))
    subject = opened(catalog, without(LIST, 12))
    found = members(subject, LIST)
    assert [key["change"] for key in found.failing_keys] == ["came"] * 3 + ["went"] * 2
    now = set(pq.read_table(subject.directory / "marketing" / "low_risk_list.parquet")["pseudonym"].to_pylist())
    assert all((key["pseudonym"] in now) == (key["change"] == "came") for key in found.failing_keys)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"PAR1 spoiled")])
def test_a_list_whose_file_before_is_gone_or_spoiled_is_not_audited(opened, catalog, tmp_path, spoil) -> None:
    """What it would be held against may not be left out: a list that turned over would pass."""
    release = write_release(tmp_path / "releases", catalog, EVE)
    spoil(release / "marketing" / "low_risk_list.parquet")
    subject = opened(catalog, without(LIST, 5))
    said = f"releases/{release.name}/marketing/low_risk_list.parquet cannot be read to compare with: restore it"
    for check in (members, stable):
        with pytest.raises(NotAudited, match=said):
            check(subject, LIST)


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-9] + b"PAR1 spoi")])
@pytest.mark.parametrize(("table", "told"), [("coverage", "newest"), ("reconciliation", "delivered")])
def test_what_a_release_before_told_of_deliveries_may_not_be_left_out(
    opened, catalog, tmp_path, spoil, table: str, told: str
) -> None:
    release = write_release(tmp_path / "releases", catalog, EVE)
    spoil(release / "shared" / f"{table}.parquet")
    subject = opened(catalog)
    with pytest.raises(NotAudited, match=f"releases/{release.name}/shared/{table}.parquet cannot be read to compare"):
        getattr(subject.past, told)


def test_every_product_whose_contract_has_members_is_a_list(whole_catalog: Catalog) -> None:
    checks = {name for name in expected_checks(whole_catalog) if name.startswith("list.churn/")}
    assert checks == {f"list.churn/{name}" for name, product in whole_catalog.products.items() if product.member}
    assert {"list.churn/risk.early_warning", "list.churn/risk.staff_alert"} < checks


def test_a_list_of_what_may_not_be_told_names_nobody(opened, catalog, tmp_path) -> None:
    """Rings are told by ids that are personal: how many came and went is said, and not which."""
    thresholds = {**catalog.policy.thresholds, "gates.churn_min_members": 5.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)
    write_release(tmp_path / "releases", catalog, EVE)
    found = members(opened(catalog, without(RING, 0, 3)), RING)
    assert found.state == "failed"
    assert found.observed.endswith("of the members before are gone, 50% allowed")
    assert found.failing_keys == ()


@pytest.mark.parametrize(("left", "state"), [(4, "passed"), (3, "failed")])
def test_a_queue_may_turn_over_further(opened, catalog, tmp_path, few_are_enough, left: int, state: str) -> None:
    write_release(tmp_path / "releases", catalog, EVE)
    found = members(opened(catalog, without(QUEUE, 0, left)), QUEUE)
    assert (found.state, found.observed.split(",")[0]) == (state, f"{left} members")


def test_only_those_of_whom_the_condition_holds_are_members(opened, catalog, tmp_path, few_are_enough) -> None:
    """Of 40 decisions 20 include."""
    write_release(tmp_path / "releases", catalog, EVE)
    assert members(opened(catalog), DECISION).observed == "20 members, 20 before, 0 came and 0 went"


def test_a_list_without_an_earlier_one_is_not_judged(opened, catalog, tmp_path, few_are_enough) -> None:
    assert members(opened(catalog), LIST).observed == "20 rows; this is the first release: nothing to compare with"
    release = write_release(tmp_path / "releases", catalog, EVE)
    write_manifest(release, EVE, {DECISION: 40})
    assert "does not have it: nothing to compare with" in members(opened(catalog), LIST).observed


@settings(max_examples=40, deadline=None)
@given(before=st.sets(st.integers(0, 19)), now=st.sets(st.integers(0, 19)))
def test_turnover_is_a_difference_of_sets(whole_catalog: Catalog, before: set[int], now: set[int]) -> None:
    product = whole_catalog.products[LIST]
    with TemporaryDirectory() as place, duckdb.connect() as con:
        path = Path(place) / "before.parquet"
        pq.write_table(of_parties(before), path)
        table = Table(product, path, of_parties(now).schema)
        con.register(table.view, of_parties(now))
        subject = SimpleNamespace(tables=Tables(whole_catalog, con, {}, {}))
        found = turnover(subject, table, path, "true")
    assert (found.now, found.before) == (len(now), len(before))
    assert (found.entries, found.exits) == (len(now - before), len(before - now))
    assert (found.entered, found.left) == (
        pytest.approx(len(now - before) / max(len(now), 1)),
        pytest.approx(len(before - now) / max(len(before), 1)),
    )


def of_parties(numbers: set[int]) -> pa.Table:
    return pa.table({"pseudonym": pa.array([f"{n:064x}" for n in sorted(numbers)], pa.string()),
                     "variant": pa.array(["internal"] * len(numbers), pa.string())})  # fmt: skip
