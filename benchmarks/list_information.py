"""What a low-risk list tells of the probability of default: by membership and band, and by nothing beyond them.

    .venv/bin/python -m benchmarks.list_information HOME

HOME is a home with a release; printed is what each way of grouping customers tells beyond the band: the segment that is
on marketing's lists, and those that are not. Belongs here: mutual information in bits with its interval, and the
permutation null of what a column tells beyond the band. Does not belong here: that a list is refused which tells more
(`tests/pipeline/test_low_risk_list.py`).

Mutual information: Shannon (1948); its bias at small counts by Miller (1955), (rows - 1) * (columns - 1) / (2 n ln 2).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from benchmarks.command import machine
from pipelines.release.catalogue import current
from pipelines.settings import Home

LISTS = ("low_risk_list", "low_risk_list_with_bureau")
GROUPINGS = ("asset_tier", "rfm_group", "social_role")  # of customer_segment, known of who is listed
PD_BINS = 5
_LEVEL = 0.01  # of all columns together, after Bonferroni


@dataclass(frozen=True)
class Information:
    """Bits that one thing tells of another, less their bias, with the 95 % interval of a bootstrap."""

    bits: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Leak:
    """What a column tells of the probability of default beyond the band, and what it may by chance."""

    column: str
    bits: float
    allowed: float

    @property
    def leaks(self) -> bool:
        """Whether it tells more than chance would."""
        return self.bits > self.allowed


def main() -> int:
    """Print the table of a home's current release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    home = Home(parser.parse_args().home.resolve())
    print(machine("benchmarks/list_information.py"), end="\n\n")
    print("| list | parties | grouping | bits beyond the band | by chance at most | on the list |")
    print("|---|---:|---|---:|---:|---|")
    for name in LISTS:
        listed = _listed(home, name)
        columns = {grouping: listed[grouping].to_list() for grouping in ("segment", *GROUPINGS)}
        for leak in beyond_band(columns, listed["band"].to_list(), listed["pd"].cast(float).to_list()):
            cells = (name, f"{listed.height:,}", leak.column, f"{leak.bits:.5f}", f"{leak.allowed:.5f}")
            print(f"| {' | '.join(cells)} | {'yes' if leak.column == 'segment' else 'no'} |")
    return 0


def _listed(home: Home, name: str) -> pl.DataFrame:
    """Who is on a list as of the current release and has a grade, by the bank's marts."""
    release = current(home)
    if release is None:
        raise SystemExit(f"{home.path}: no release; run a night of a bank with a scorecard first")
    with closing(duckdb.connect(str(home.warehouse), read_only=True)) as con:
        return con.execute(
            f"select listed.segment, listed.band, grade.pd, {', '.join(f'segment.{one}' for one in GROUPINGS)} "
            f"from marts.{name} as listed inner join marts.risk_grade as grade using (party_id, business_date) "
            f"inner join marts.customer_segment as segment using (party_id, business_date) "
            f"where listed.included and grade.pd is not null and business_date = ? order by party_id",
            [release.business_date],
        ).pl()


def binned(values: Sequence[float], bins: int = PD_BINS) -> np.ndarray:
    """Bins of about equal size; equal values are in one bin."""
    numbers = np.asarray(values, dtype=float)
    edges = np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(np.unique(edges), numbers, side="right")


def mutual_information(one: Sequence[object], other: Sequence[object]) -> float:
    """Bits that the two tell of each other in these rows, as counted."""
    return _bits(_table(_codes(one), _codes(other)))


def information(one: Sequence[object], other: Sequence[object], seed: int = 0, draws: int = 200) -> Information:
    """Bits less their bias, never below zero, with the interval of `draws` bootstrap samples."""
    left, right = _codes(one), _codes(other)
    rng, rows = np.random.default_rng(seed), len(left)
    found = []
    for _ in range(draws):
        drawn = rng.integers(0, rows, rows)
        found.append(_unbiased(_table(left[drawn], right[drawn])))
    low, high = np.quantile(found, [0.025, 0.975])
    return Information(_unbiased(_table(left, right)), float(low), float(high), rows)


def told_by_list(
    included: Sequence[bool], band: Sequence[str | None], pd: Sequence[float], seed: int = 0
) -> dict[str, Information]:
    """What membership tells of the probability of default among all, and the band among those who are listed."""
    member = np.asarray(included, dtype=bool)
    numbers, bands = np.asarray(pd, dtype=float), np.asarray(band, dtype=object)
    return {
        "membership": information(member.tolist(), binned(numbers).tolist(), seed),
        "band": information(bands[member].tolist(), binned(numbers[member]).tolist(), seed),
    }


def beyond_band(
    columns: dict[str, Sequence[object]], band: Sequence[str], pd: Sequence[float], seed: int = 0, draws: int = 2000
) -> list[Leak]:
    """What each column of the list tells of the probability of default given the band, and what chance allows.

    The null: probabilities are dealt anew within each band. Allowed is what all of the columns together would exceed by
    chance in 1 % of cases (Bonferroni), estimated from `draws` deals.
    """
    bands, classes = _codes(band), np.zeros(len(band), dtype=int)
    numbers = np.asarray(pd, dtype=float)
    groups = [np.flatnonzero(bands == code) for code in range(bands.max() + 1)] if len(bands) else []
    for group in groups:
        classes[group] = binned(numbers[group])
    codes = {name: _codes(values) for name, values in columns.items()}
    rng, null = np.random.default_rng(seed), {name: np.empty(draws) for name in codes}
    for draw in range(draws):
        dealt = classes.copy()
        for group in groups:
            dealt[group] = rng.permutation(dealt[group])
        for name, code in codes.items():
            null[name][draw] = _given(code, dealt, groups)
    level = 1 - _LEVEL / max(len(codes), 1)
    return [
        Leak(name, _given(code, classes, groups), float(np.quantile(null[name], level, method="higher")))
        for name, code in codes.items()
    ]


def _given(one: np.ndarray, other: np.ndarray, groups: Sequence[np.ndarray]) -> float:
    rows = sum(map(len, groups))
    bits = sum(len(group) / rows * _bits(_table(one[group], other[group])) for group in groups)
    # Sums of the same terms in another order differ in their last digits, and in nothing else.
    return round(float(bits), 12)


def _codes(values: Sequence[object]) -> np.ndarray:
    place = {value: n for n, value in enumerate(sorted(set(values), key=repr))}
    return np.array([place[value] for value in values], dtype=int)


def _table(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    if not len(one):
        return np.zeros((1, 1))
    width = int(other.max()) + 1
    counts = np.bincount(one * width + other, minlength=(int(one.max()) + 1) * width)
    return counts.reshape(-1, width).astype(float)


def _bits(table: np.ndarray) -> float:
    rows = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    seen = table > 0
    return float((table[seen] / rows * np.log2(table[seen] * rows / expected[seen])).sum()) if rows else 0.0


def _unbiased(table: np.ndarray) -> float:
    rows = table.sum()
    used = (table.sum(axis=1) > 0).sum() - 1, (table.sum(axis=0) > 0).sum() - 1
    return float(max(0.0, _bits(table) - used[0] * used[1] / (2 * rows * math.log(2)))) if rows else 0.0


if __name__ == "__main__":
    raise SystemExit(main())
