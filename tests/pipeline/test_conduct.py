"""Complaints, rings, bookings and staff of the simulated bank, recomputed from deliveries and held against truth.

Belongs here: what the tables of conduct say of one bank. Does not belong here: what each model does (its unit tests).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from project import project_catalog
from simulated import NIGHT, Simulated

pytestmark = pytest.mark.slow


def product(simbank: Simulated, consumer: str, name: str) -> pl.DataFrame:
    return pl.read_parquet(simbank.home / "releases" / "current" / consumer / f"{name}.parquet")


def truth(simbank: Simulated, name: str) -> pl.DataFrame:
    return pl.read_parquet(simbank.home / "simulated" / "truth" / f"{name}.parquet")


def landed(home: Path, contract: str) -> pl.DataFrame:
    """Every landed change of a contract, in order."""
    changes = pl.read_parquet(home / "lake" / contract / "source=*" / "business_date=*" / "part.parquet",
                              hive_partitioning=True, missing_columns="insert")  # fmt: skip
    changes = changes.with_columns(pl.col("business_date").cast(pl.String).str.to_date())
    return changes.filter(pl.col("business_date") <= NIGHT).sort("business_date", "_line")


def latest(home: Path, contract: str, key: str) -> pl.DataFrame:
    """What stands of a contract at the end of the night."""
    return landed(home, contract).group_by("source", key, maintain_order=True).last().filter(_change="upsert")


@pytest.fixture(scope="module")
def policy() -> dict[str, float]:
    return project_catalog().policy.thresholds


def state(is_done: bool, used: float, allowed: float) -> str:
    late = used > allowed
    return ("breached" if late else "in_time") if is_done else ("breached_open" if late else "open")


def test_every_complaint_stands_as_its_times_say(simbank: Simulated, policy: dict[str, float]) -> None:
    bank = project_catalog().bank("simbank")
    end = datetime.combine(NIGHT + timedelta(days=1), datetime.min.time())
    expected = {}
    for row in latest(simbank.home, "service.complaint", "complaint_key").iter_rows(named=True):
        resolved, received = row["resolved_at"], row["received_at"]
        if resolved and (NIGHT - resolved.date()).days >= policy["complaint.closed_window_days"]:
            continue
        until = resolved.date() if resolved else NIGHT
        days = [received.date() + timedelta(days=n + 1) for n in range((until - received.date()).days)]
        worked = sum(map(bank.is_working_day, days))
        answered = row["responded_at"] or resolved
        hours = ((answered or end) - received) / timedelta(hours=1)
        allowed = policy["complaint.statutory_complex_days" if row["is_complex"] else "complaint.statutory_days"]
        extended = allowed + policy["complaint.statutory_extension_days"]
        expected[row["complaint_key"]] = (
            state(answered is not None, hours, policy["complaint.response_hours"]),
            state(resolved is not None, worked, policy["complaint.resolution_working_days"]),
            state(resolved is not None, len(days), allowed),
            state(resolved is not None, len(days), extended) if row["is_complex"] else None,
            worked,
            len(days),
        )
    found = product(simbank, "risk", "complaint_sla").select(
        "complaint_key", "response_state", "resolution_state", "statutory_state", "statutory_extended_state",
        "resolution_working_days_used", "statutory_days_used",
    )  # fmt: skip
    assert expected
    assert {row[0]: row[1:] for row in found.iter_rows()} == expected


def test_hot_spots_count_the_complaints_that_stand(simbank: Simulated, policy: dict[str, float]) -> None:
    complaints = latest(simbank.home, "service.complaint", "complaint_key").with_columns(
        ago=(pl.lit(NIGHT) - pl.col("received_at").dt.date()).dt.total_days()
    )
    counts = complaints.filter(pl.col("ago") < 120).group_by("category").agg(
        recent=(pl.col("ago") < 30).sum(), earlier=(pl.col("ago") >= 30).sum()
    )  # fmt: skip
    shown = counts.filter(pl.col("recent") + pl.col("earlier") >= policy["complaint.min_cell"])
    for consumer in ("marketing", "risk"):
        found = product(simbank, consumer, "complaint_hotspot").filter(cell_kind="category")
        rows = found.select("cell", "complaints_30d", "complaints_before_90d").rows()
        assert sorted(rows) == sorted(shown.rows())
    assert "campaign_key" not in product(simbank, "risk", "complaint_hotspot").columns


def members(simbank: Simulated) -> tuple[dict[str, set[str]], dict[int, set[str]]]:
    """Parties of each found ring, and of each planted one, as far as they are customers by now."""
    found = pl.read_parquet(simbank.home / "relation" / "party_network.parquet").filter(pl.col("ring_id").is_not_null())
    crosswalk = pl.read_parquet(simbank.home / "identity" / "party_crosswalk.parquet").filter(
        contract="core.party", role="holder"
    )
    planted = truth(simbank, "ring").join(crosswalk, left_on="party_key", right_on="record_key")
    of_found = {name: set(group["party_id"]) for (name,), group in found.group_by("ring_id")}
    return of_found, {name: set(group["party_id"]) for (name,), group in planted.group_by("ring")}


def test_rings_are_those_that_were_planted(simbank: Simulated) -> None:
    found, planted = members(simbank)
    listed = product(simbank, "risk", "fraud_ring")
    assert dict(listed.select("ring_id", "members").iter_rows()) == {name: len(ring) for name, ring in found.items()}
    right = [ring for ring in found.values() if any(len(ring & other) > len(ring) / 2 for other in planted.values())]
    caught = [ring for ring in planted.values() if any(len(ring & other) > len(ring) / 2 for other in found.values())]
    large = [ring for ring in planted.values() if len(ring) >= 4]
    assert large
    assert len(caught) >= 0.7 * len(large)
    # Two families under one roof can share a phone; who shares phones and devices was planted.
    assert len(right) >= 0.5 * len(found)
    both = listed.filter(shared_identifiers="device;phone")["ring_id"]
    assert [name for name in both if found[name] not in right] == []


def robust(values: np.ndarray, least: float) -> tuple[float, float]:
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), least)


def test_alerts_on_staff_are_what_the_log_says(simbank: Simulated, policy: dict[str, float]) -> None:
    """Edits, recomputed; and of staff who edit as nobody does, all are found and nobody else."""
    log = landed(simbank.home, "ops.audit_log").filter(pl.col("business_date") > NIGHT - timedelta(days=30))
    edits = log.filter(action="edit_customer").group_by("staff_key").len("edits")
    serving = latest(simbank.home, "reference.staff", "staff_key").filter(
        (pl.col("hired_on") <= NIGHT) & (pl.col("left_on").is_null() | (pl.col("left_on") >= NIGHT))
    )
    staff = serving.join(edits, on="staff_key", how="left").with_columns(pl.col("edits").fill_null(0))
    expected = {}
    for _, peers in staff.group_by("role"):
        counts = peers["edits"].to_numpy().astype(float)
        middle, spread = robust(counts, float(np.sqrt(max(np.median(counts), 1))))
        for key, count in peers.select("staff_key", "edits").iter_rows():
            distance = round((count - middle) / spread, 2)
            if len(peers) >= policy["staff.min_peers"] and distance >= policy["staff.min_robust_z"]:
                expected[key] = (count, distance)
    alerts = product(simbank, "risk", "staff_alert")
    found = alerts.filter(measure="edits_30d")
    assert {k: (v, pytest.approx(float(z), abs=0.011)) for k, v, z in found.select(
        "staff_key", "value", "robust_z").iter_rows()} == expected  # fmt: skip
    daily = log.filter(action="edit_customer").group_by("staff_key", "business_date").len()
    bursts = set(daily.filter(pl.col("len") >= 12)["staff_key"])
    planted = set(truth(simbank, "staff").filter(pl.col("is_abnormal"))["staff_key"])
    large = {key for _, peers in staff.group_by("role") if len(peers) >= policy["staff.min_peers"]
             for key in peers["staff_key"]}  # fmt: skip
    assert bursts <= planted
    assert bursts & large <= set(found["staff_key"])
    assert set(found["staff_key"]) <= planted


def test_abnormal_bookings_lie_far_from_peers(simbank: Simulated, policy: dict[str, float]) -> None:
    """Amounts of 30 days, recomputed from the warehouse's days of parties with numpy."""
    with duckdb.connect(simbank.home / "warehouse" / "warehouse.duckdb", read_only=True) as con:
        booked = con.execute(
            "select b.party_id, c.party_type || '/' || coalesce(s.asset_tier, s.enterprise_size, 'unknown') as peers, "
            "cast(sum(b.debit_amount) as double) as amount from intermediate.int_party_account_day as b "
            "join marts.customer_360 as c on c.party_id = b.party_id "
            "join marts.customer_segment as s on s.party_id = b.party_id where b.business_date > ? group by all "
            "having amount > 0", [NIGHT - timedelta(days=30)],
        ).pl()  # fmt: skip
        rows = con.execute(
            "select party_id, cast(robust_z as double) from marts.transaction_anomaly "
            "where measure = 'debit_amount_30d'"
        ).fetchall()
    expected = {}
    for _, group in booked.group_by("peers"):
        scaled = np.log1p(group["amount"].to_numpy())
        middle, spread = robust(scaled, policy["anomaly.min_spread"])
        if len(group) >= policy["anomaly.min_peers"]:
            for key, amount, at in zip(group["party_id"], group["amount"], scaled, strict=True):
                distance = round((at - middle) / spread, 2)
                if distance >= policy["anomaly.min_robust_z"] and amount >= policy["anomaly.min_amount"]:
                    expected[key] = pytest.approx(distance, abs=0.011)
    assert dict(rows) == expected


def test_refused_uses_name_what_was_delivered(simbank: Simulated) -> None:
    found = pl.read_parquet(simbank.home / "releases" / "current" / "shared" / "refused_use.parquet")
    rows = {row["refusal"]: row for row in found.iter_rows(named=True)}
    medical = landed(simbank.home, "medical.payment")
    assert rows["medical_credit_input"]["rows_delivered"] == len(medical.filter(business_date=NIGHT))
    year = medical.filter(pl.col("business_date") > NIGHT - timedelta(days=365))
    assert rows["medical_credit_input"]["rows_delivered_365d"] == len(year) > 0
    assert rows["phone_book"]["rows_delivered"] is None
    assert all("PIPL" in row["article"] or "条例" in row["article"] for row in rows.values())


def test_nothing_of_staff_is_published_but_to_risk(simbank: Simulated) -> None:
    keys = set(truth(simbank, "staff")["staff_key"])
    seen = 0
    for consumer in ("marketing", "shared", "risk"):
        for path in (simbank.home / "releases" / "current" / consumer).glob("*.parquet"):
            # Whoever is to decide on a case is named there, and nothing else of them.
            frame = pl.read_parquet(path).select(pl.exclude("reviewer_key"))
            values = {v for name in frame.columns if frame[name].dtype == pl.String for v in frame[name].drop_nulls()}
            assert path.stem == "staff_alert" or not keys & values, path
            seen += path.stem == "staff_alert"
    assert seen == 1
