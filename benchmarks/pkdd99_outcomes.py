"""What became of the loans that PKDD'99 granted after the low-risk list was made: bad ones on the list, and off it.

    make run BANK=pkdd99
    .venv/bin/python -m benchmarks.pkdd99_outcomes var-pkdd99 [--json]

Belongs here: the comparison of a published list of the real bank with what its file of loans says later. Does not
belong here: the list. It is read as it was published, and knows bookings up to its own date; the file of loans is
opened only after it, and says how each loan ended: B is finished and not paid, D runs and is in debt.

A loan is of a listed account where the owner of the account is on the list. Accounts that were opened after the date
nobody could judge, and they are told apart. The list also looks at loans of before the date; `borrowed_before` counts
whom of those compared that could have touched: an account of this bank has one loan at most. Intervals are Wilson's of
95 %, p is Fisher's exact test, two-sided.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml
from scipy.stats import fisher_exact

from benchmarks.simulated_bank.effects import wilson
from pipelines.release.catalogue import current
from pipelines.settings import PROJECT, Home

RAW = Path(os.environ.get("ZHONGTAI_PUBLIC_DATA") or PROJECT.parent / "shared" / "data") / "pkdd99"
BAD = ("B", "D")
# The first commit that has the thresholds of the list as they are; the comparison was first written after it.
COMMITTED, _POLICY, _SECTION = "34af08c", "data_contracts/policy.yaml", "low_risk"
_LISTED = "select party_id, included, band from marts.low_risk_list where business_date = ? and variant = 'internal'"


@dataclass(frozen=True)
class Group:
    """Loans granted after the date to accounts of one kind."""

    name: str
    loans: int
    bad: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Outcome:
    """The groups, and how likely a difference as large as that of the first two is by chance.

    `borrowed_before`: clients of the first two groups who had a loan on the date.
    """

    as_of: date
    release: str
    policy_version: str
    borrowed_before: int
    groups: tuple[Group, ...]
    odds_ratio: float
    p: float


def evaluate(home: Path, raw: Path = RAW) -> Outcome:
    """Compare the list of the current release of `home` with the loans in `raw`."""
    release = current(Home(home))
    if release is None:
        raise SystemExit(f"{home} has published nothing: make run BANK=pkdd99")
    with closing(duckdb.connect(str(Home(home).warehouse), read_only=True)) as con:
        listed = con.execute(_LISTED, [release.business_date]).pl()
    clients = pl.read_parquet(home / "identity" / "party_crosswalk.parquet").filter(
        pl.col("contract") == "core.party", pl.col("source") == "core"
    )
    judged = dict(clients.join(listed, on="party_id").select("record_key", "included").iter_rows())
    later, day = later_loans(raw, release.business_date), release.business_date
    groups, odds, p = compared(later, judged)
    borrowed = _loans(raw).filter(
        pl.col("date") <= f"{day:%y%m%d}", pl.col("client_id").is_in(later["client_id"].implode())
    )
    known = borrowed.filter(pl.col("client_id").is_in(list(judged)))["client_id"].n_unique()
    return Outcome(day, release.id, release.manifest["policy"]["version"], known, groups, odds, p)


def later_loans(raw: Path, after: date) -> pl.DataFrame:
    """Loans granted after the date: client_id of the account's owner, and whether it went bad."""
    loans = _loans(raw).filter(pl.col("date") > f"{after:%y%m%d}")
    return loans.select("client_id", bad=pl.col("status").is_in(BAD))


def _loans(raw: Path) -> pl.DataFrame:
    read: dict[str, Any] = {"separator": ";", "infer_schema": False}
    owners = pl.read_csv(raw / "disp.asc", **read).filter(pl.col("type") == "OWNER")
    return pl.read_csv(raw / "loan.asc", **read).join(owners, on="account_id")


def committed_before() -> bool | None:
    """Whether the thresholds of the list are still those of COMMITTED; None where the checkout has no such history."""
    shown = subprocess.run(["git", "show", f"{COMMITTED}:{_POLICY}"], cwd=PROJECT, capture_output=True, check=False)
    if shown.returncode:
        return None
    then, now = (yaml.safe_load(text)["thresholds"] for text in (shown.stdout, (PROJECT / _POLICY).read_bytes()))
    return bool(then[_SECTION] == now[_SECTION])


def compared(loans: pl.DataFrame, listed: Mapping[str, bool]) -> tuple[tuple[Group, ...], float, float]:
    """Loans of clients on the list, off it, and not judged; the odds ratio of the first two, and Fisher's p."""
    of = loans.with_columns(listed=pl.col("client_id").replace_strict(listed, default=None, return_dtype=pl.Boolean))
    groups = (
        _group("listed", of.filter(pl.col("listed"))),
        _group("not listed", of.filter(~pl.col("listed"))),
        _group("account opened later", of.filter(pl.col("listed").is_null())),
    )
    odds, p = fisher_exact([[group.bad, group.loans - group.bad] for group in groups[:2]])
    return groups, float(odds), float(p)


def _group(name: str, loans: pl.DataFrame) -> Group:
    bad, number = int(loans["bad"].sum()), loans.height
    return (
        Group(name, number, bad, bad / number, *wilson(bad, number)) if number else Group(name, 0, 0, None, None, None)
    )


def lines(found: Outcome) -> list[str]:
    """The comparison as a table in Markdown."""
    rows = [
        f"| {group.name} | {group.loans} | {group.bad} | {group.share:.1%} | {group.low:.1%} to {group.high:.1%} |"
        if group.share is not None
        else f"| {group.name} | 0 | 0 | | |"
        for group in found.groups
    ]
    return ["| account | loans | bad (B, D) | share | 95 % |", "|---|---:|---:|---:|---|", *rows]


def told(found: Outcome) -> list[str]:
    """The comparison in words and as a table: of what, by which policy, and how sure."""
    policy = {
        True: f"are those of commit {COMMITTED}, which was made before outcomes were first read",
        False: f"are not those of commit {COMMITTED}: they were changed after outcomes were read",
        None: f"are to be compared with those of commit {COMMITTED}, which this checkout does not have",
    }[committed_before()]
    judged = sum(group.loans for group in found.groups[:2])
    return [
        f"As of {found.as_of}, policy {found.policy_version}; how loans granted later ended. The list knows bookings, "
        f"accounts and their holders, birth dates, and loans granted by then without what became of them; of the "
        f"{judged} clients compared {found.borrowed_before} had one, so that bookings decide. Thresholds of the "
        f"list (`{_SECTION}` of policy.yaml) {policy}.",
        "", *lines(found), "",
        f"Odds ratio {found.odds_ratio:.2f}, Fisher's exact p {found.p:.3g}.",
    ]  # fmt: skip


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = evaluate(given.home)
    if given.json:
        print(json.dumps(asdict(found), default=str))
        return
    print("\n".join(told(found)))


if __name__ == "__main__":
    main()
