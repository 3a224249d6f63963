"""The calibration matrix of the simulated bank, recomputed from other tables another way.

Belongs here: what the mart holds after the nights of `simulated`, and what each consumer gets of it. Does not belong
here: intervals as such (tests/unit/warehouse), release points as such (tests/unit/audit).
"""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import closing
from typing import Any

import duckdb
import polars as pl
import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.release.catalogue import list_releases
from pipelines.settings import Home

pytestmark = pytest.mark.slow
PEOPLE = """
with contacts as (select customer_key, campaign_key, event, business_date from staging.stg_crm__contact)
select
    p.decile, g.pd, coalesce(c.loans_active, 0) > 0 or coalesce(c.card_limit, 0) > 0 as borrows,
    p.party_id in (select party_id from intermediate.int_party_default where business_date = $day) as bad,
    exists (select 1 from contacts k join intermediate.int_crm_party r using (customer_key)
        where r.party_id = p.party_id and r.business_date = $day and k.event = 'contacted'
        and k.business_date between $day - 179 and $day) as contacted,
    exists (select 1 from contacts k join contacts a using (customer_key, campaign_key)
        join intermediate.int_crm_party r using (customer_key)
        where r.party_id = p.party_id and r.business_date = $day and k.event = 'contacted' and a.event = 'converted'
        and k.business_date between $day - 179 and $day and a.business_date <= $day) as converted
from marts.propensity_score p
join marts.customer_360 c on c.party_id = p.party_id and c.business_date = p.business_date
left join marts.risk_grade g on g.party_id = p.party_id and g.business_date = p.business_date
where p.business_date = $day
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def con(simbank) -> Any:
    with closing(duckdb.connect(str(Home(simbank.home).warehouse), read_only=True)) as con:
        yield con


def interval(successes: int, trials: int, z: float) -> tuple[float, float]:
    """The roots of (p - rate)^2 = z^2 p (1 - p) / n, which is what Wilson's bounds are."""
    rate = successes / trials
    a, b, c = 1 + z * z / trials, -(2 * rate + z * z / trials), rate * rate
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def test_the_matrix_is_what_people_add_up_to(con, catalog: Catalog) -> None:
    limit = {
        name.partition(".")[2]: v for name, v in catalog.policy.thresholds.items() if name.startswith("calibration.")
    }
    (day,) = con.execute("select max(business_date) from marts.calibration_matrix").fetchone()
    cells: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * 5)
    for decile, pd, borrows, bad, contacted, converted in con.execute(PEOPLE, {"day": day}).fetchall():
        high = "medium" if pd is not None and pd <= limit["medium_max_pd"] else "high"
        band = "not_evaluable" if pd is None else "low" if pd <= limit["low_max_pd"] else high
        for place, one in enumerate((True, contacted, converted, borrows or bad, bad)):
            cells[band, decile][place] += bool(one)
    expected: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * 5)
    for (band, decile), counts in cells.items():
        key = (band, decile if counts[0] >= limit["minimum_group"] else 0)
        expected[key] = [a + b for a, b in zip(expected[key], counts, strict=True)]
    expected = {key: counts for key, counts in expected.items() if counts[0] >= limit["minimum_group"]}
    rows = con.execute("select * from marts.calibration_matrix where business_date = ?", [day]).pl().rows(named=True)
    counted = ("people", "contacted_180d", "conversions_180d", "borrowers", "bads_180d")
    assert {(r["pd_band"], r["propensity_decile"]): [r[name] for name in counted] for r in rows} == expected
    assert rows
    for row in rows:
        for rate, part, whole in (
            ("conversion_rate", "conversions_180d", "contacted_180d"), ("bad_rate", "bads_180d", "borrowers"),
        ):  # fmt: skip
            found = [row[f"{rate}_low"], row[f"{rate}_high"]]
            if row[whole] == 0:
                assert found == [None, None]
            else:
                bounds = interval(row[part], row[whole], limit["wilson_z"])
                assert [float(bound) for bound in found] == pytest.approx(bounds, abs=6e-5)


def test_marketing_is_told_cells_and_nobody(simbank, catalog: Catalog) -> None:
    release = max(list_releases(Home(simbank.home)), key=lambda each: each.business_date)
    root = Home(simbank.home).releases / release.id
    cells = pl.read_parquet(root / "marketing" / "calibration_matrix.parquet")
    assert set(cells.columns) == {
        "business_date", "propensity_decile", "pd_band", "people_rounded", "conversion_rate_rounded", "advice",
    }  # fmt: skip
    point = catalog.policy.release_points["calibration_cells"]
    assert set(cells["pd_band"]) | set(cells["advice"]) <= set(point["output_domain"])
    assert (cells["people_rounded"] >= point["minimum_group"]).all()
    assert (cells["people_rounded"] % int(catalog.policy.thresholds["calibration.rounding"]) == 0).all()
    whole = pl.read_parquet(root / "risk" / "calibration_matrix.parquet")
    assert whole.height >= cells.height


def test_features_are_of_parties_they_speak_of_and_defined(con, catalog: Catalog) -> None:
    defined = {row[0] for row in con.execute("select distinct feature from marts.feature_definition").fetchall()}
    assert defined == catalog.features.keys()
    for name, feature in catalog.features.items():
        spoken, held = con.execute(
            f"select (select count(*) from marts.customer_360 where {feature.speaks_of}), "
            "(select count(*) from marts.scenario_feature where feature = ?)", [name],
        ).fetchone()  # fmt: skip
        assert spoken == held, name
