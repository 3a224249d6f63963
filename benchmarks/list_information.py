"""What marketing's low-risk lists tell of the probability of default, of one night and of nights that are joined.

    .venv/bin/python -m benchmarks.list_information HOME

HOME is a home with a release; with two or more, the first of them is joined with the last. Belongs here: what is asked
of a home, and how it is told. Does not belong here: how bits are reckoned (`benchmarks.mutual_information`), what
membership and band of one night tell (`benchmarks.results.lists`), and that a list is refused which tells more
(`tests/pipeline/test_low_risk_list.py`, `test_attack_joining_lists.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from functools import reduce
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.command import machine
from benchmarks.mutual_information import Leak, beyond_band
from pipelines.release.catalogue import Release, current, list_releases
from pipelines.settings import Home, Settings
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

LISTS = ("low_risk_list", "low_risk_list_with_bureau")
GROUPINGS = ("asset_tier", "rfm_group", "social_role")  # of customer_segment, known of who is listed
BANDS, EVERYTHING_ELSE = "bands of every other file", "everything else in all files"


@dataclass(frozen=True)
class Joined:
    """Of a list: the parties on its last night; what the bands of all other files tell beyond its own, and what all
    else that the files say tells beyond every band."""

    name: str
    nights: tuple[date, ...]
    parties: int
    bands: Leak
    rest: Leak


def main() -> int:
    """Print the tables of a home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args().home.resolve())
    print(machine("benchmarks/list_information.py"), end="\n\n")
    print("\n".join(lines(home, KeyRing.open(home.vault, Settings(home_dir=home.path).vault_key))))
    return 0


def lines(home: Home, ring: KeyRing) -> list[str]:
    """What the lists of the current release tell beyond the band, and what the first and the last night tell joined."""
    told = ["| list | parties | grouping | bits beyond the band | by chance at most | on the list |",
            "|---|---:|---|---:|---:|---|"]  # fmt: skip
    for name in LISTS:
        parties, leaks = groupings(home, name)
        for leak in leaks:
            on = "yes" if leak.column == "segment" else "no"
            told.append(f"| {name} | {parties:,} | {leak.column} | {leak.bits:.5f} | {leak.allowed:.5f} | {on} |")
    releases = list_releases(home)
    if releases[0].business_date == _current(home).business_date:
        return told
    told += ["", "| list | nights | parties | what | bits beyond it | by chance at most |",
             "|---|---|---:|---|---:|---:|"]  # fmt: skip
    for found in joined_nights(home, ring, [releases[0], _current(home)]):
        for beyond, leak in (("the band of the last night", found.bands), ("all bands", found.rest)):
            told.append(f"| {found.name} | {' and '.join(map(str, found.nights))} | {found.parties:,} | {leak.column}, "
                        f"beyond {beyond} | {leak.bits:.5f} | {leak.allowed:.5f} |")  # fmt: skip
    return told


def groupings(home: Home, name: str) -> tuple[int, list[Leak]]:
    """How many are on a list as of the current release and have a grade, and what each grouping of them tells."""
    with closing(duckdb.connect(str(home.warehouse), read_only=True)) as con:
        listed = con.execute(
            f"select listed.segment, listed.band, grade.pd, {', '.join(f'segment.{one}' for one in GROUPINGS)} "
            f"from marts.{name} as listed inner join marts.risk_grade as grade using (party_id, business_date) "
            f"inner join marts.customer_segment as segment using (party_id, business_date) "
            f"where listed.included and grade.pd is not null and business_date = ? order by party_id",
            [_current(home).business_date],
        ).pl()
    columns = {grouping: listed[grouping].to_list() for grouping in ("segment", *GROUPINGS)}
    return listed.height, beyond_band(columns, listed["band"].to_list(), listed["pd"].cast(float).to_list())


def joined_nights(home: Home, ring: KeyRing, releases: Sequence[Release]) -> list[Joined]:
    """Each list of the last of the releases, joined with both lists of all of them as marketing can: by pseudonym."""
    files = {
        (name, release.business_date): pl.read_parquet(release.path / "marketing" / f"{name}.parquet")
        for name in LISTS for release in releases
    }  # fmt: skip
    graded = probabilities(home, ring)
    return [joined(name, files, graded) for name in LISTS]


def joined(name: str, files: Mapping[tuple[str, date], pl.DataFrame], graded: pl.DataFrame) -> Joined:
    """What the files, by list and night, tell together of `pd` in `graded`, of who is on `name` on the last night."""
    nights = tuple(sorted({night for _, night in files}))
    own = (name, nights[-1])
    named = [
        frame.rename({column: f"{column} {of}" for column in frame.columns if column != "pseudonym"})
        for of, frame in files.items()
    ]
    listed = files[own].select("pseudonym").join(graded, on="pseudonym").sort("pseudonym")
    wide = reduce(
        lambda left, right: left.join(right, on="pseudonym", how="left", maintain_order="left"), named, listed
    )
    pd, band = wide["pd"].cast(float).to_list(), wide[f"band {own}"].to_list()
    every_band = [column for column in wide.columns if column.startswith("band ")]
    bands, rest = wide.select(every_band).rows(), wide.drop("pseudonym", "pd", *every_band).rows()
    (of_bands,) = beyond_band({BANDS: bands}, band, pd)
    (of_rest,) = beyond_band({EVERYTHING_ELSE: rest}, bands, pd)
    return Joined(name, nights, wide.height, of_bands, of_rest)


def probabilities(home: Home, ring: KeyRing) -> pl.DataFrame:
    """The probability of default of who has one as of the last night of the home, by marketing's pseudonym."""
    with closing(duckdb.connect(str(home.warehouse), read_only=True)) as con:
        known = con.execute(
            "select party_id, pd from marts.risk_grade where pd is not null and business_date = ? order by party_id",
            [_current(home).business_date],
        ).pl()
    key = ring.pseudonym_key("marketing")
    return known.select("pd", pseudonym=hmac_sha256(pl.col("party_id"), key))


def _current(home: Home) -> Release:
    release = current(home)
    if release is None:
        raise SystemExit(f"{home.path}: no release; run a night of a bank with a scorecard first")
    return release


if __name__ == "__main__":
    raise SystemExit(main())
