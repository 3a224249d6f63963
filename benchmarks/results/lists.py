"""How often those on the low-risk lists default later, against everybody who could.

Belongs here: the lists as of a day, and what instalments and statements delivered later say.
Borrowers are owners of a loan or credit card who were not in default on that day; of the others nobody knows.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.early_warning import Share, share
from benchmarks.mutual_information import Information, told_by_list
from benchmarks.results.world import World
from pipelines.history.reading import as_of
from pipelines.scoring.outcome import outcomes
from pipelines.settings import Home

VARIANTS = {"internal": "low_risk_list", "with bureau": "low_risk_list_with_bureau"}
WINDOW = 180  # days after the list in which a default counts


@dataclass(frozen=True)
class Listed:
    """One variant: parties on it in all, the defaults of the borrowers among them, by band, and off it, and what
    membership and band tell of the probability of default, in bits."""

    variant: str
    parties: int
    of: int
    on_the_list: Share
    bands: dict[str, Share]
    off_the_list: Share
    told: dict[str, Information]


def measured(world: World, day: date, past_due: int, warehouse: Path) -> tuple[Share, list[Listed]]:
    """The share of all borrowers who default within the window, and each variant, by marts as of `day`."""
    home = Home(world.home)
    with closing(duckdb.connect(str(warehouse), read_only=True)) as con:
        marts = {
            mart: con.execute(f"select * from marts.{mart} where business_date = ? order by party_id", [day]).pl()
            for mart in (*VARIANTS.values(), "risk_grade")
        }
    graded = marts["risk_grade"].select("party_id", "pd").drop_nulls("pd")
    known = outcomes(home, day, WINDOW, past_due)
    standing = as_of(home, "customer_360", day, "published").select("party_id", "days_past_due")
    borrowers = known.join(standing, on="party_id").filter(pl.col("days_past_due").fill_null(0) < past_due)
    found = []
    for variant, mart in VARIANTS.items():
        rows = marts[mart].select("party_id", "included", "band")
        judged = borrowers.join(rows, on="party_id")
        bands = {band: _share(judged.filter(pl.col("band") == band)) for band in ("A", "B", "C")}
        on, off = (_share(judged.filter(pl.col("included") == side)) for side in (True, False))
        scored = rows.join(graded, on="party_id").sort("party_id")
        told = told_by_list(scored["included"].to_list(), scored["band"].to_list(), scored["pd"].to_list())
        found.append(Listed(variant, int(rows["included"].sum()), rows.height, on, bands, off, told))
    return _share(borrowers), found


def _share(rows: pl.DataFrame) -> Share:
    return share(int(rows["bad"].sum()), rows.height)
