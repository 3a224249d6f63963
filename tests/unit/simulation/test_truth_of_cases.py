"""The truth names who is behind each court case too, which no record of a system does."""

from __future__ import annotations

import polars as pl

from pipelines.simulation import truth
from pipelines.simulation.run import all_emitters
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import build_world


def test_every_case_that_is_delivered_has_a_defendant_in_the_truth() -> None:
    world = build_world(load_settings(), 2_000, 4)
    known = pl.concat(list(truth.tables()["identity"](world))).filter(pl.col("contract") == "judicial.case")
    sizes = {"person": len(world.people), "company": len(world.companies)}
    assert all(0 <= row["entity"] < sizes[row["entity_kind"]] for row in known.iter_rows(named=True))
    emit = all_emitters()["judicial.case", "court"]
    delivered = pl.concat([emit(world, day, "court").select("case_key") for day in range(10)])
    assert len(delivered) and set(delivered["case_key"]) <= set(known["record_key"])
    assert set(known["source"]) == {"court"}
