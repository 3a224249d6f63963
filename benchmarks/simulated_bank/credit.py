"""Arrears as a lender computes them from instalments and payments: days past due, NPL ratio, roll rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from benchmarks.simulated_bank.observe import Observed, loan_numbers

#: Days past due at which a bucket begins; the last one is non-performing.
BUCKETS = (0, 1, 31, 61, 91)
NAMES = ("current", "1-30", "31-60", "61-90", "over 90")


def days_past_due(observed: Observed, day: int) -> pl.DataFrame:
    """Loan, days past due and principal still owed of every loan that runs on `day`.

    Payments settle the oldest instalment first. Loans granted before the world began are seen from its first day on.
    """
    events = observed.frames["loan.repayment"].filter(pl.col("day") <= day)
    kind = pl.col("event").cast(pl.String)
    due = (
        events.filter(kind == "due").sort("loan_key", "instalment_no")
        .with_columns(owed=pl.col("amount").cum_sum().over("loan_key"))
    )  # fmt: skip
    paid = events.filter(kind == "paid").group_by("loan_key").agg(paid=pl.col("amount").sum())
    late = (
        due.join(paid, on="loan_key", how="left").filter(pl.col("owed") > pl.col("paid").fill_null(0))
        .group_by("loan_key").agg(oldest=pl.col("day").min())
    )  # fmt: skip
    loans, numbers = observed.world.loans, loan_numbers(observed)
    row = numbers["loan"].to_numpy()
    ends = loans.granted[row] + np.ceil(loans.term[row] * 30.44).astype(int)
    running = (loans.granted[row] <= day) & (ends > day)
    share_left = np.clip((ends - day) / np.maximum(ends - loans.granted[row], 1), 0, 1)
    found = numbers.with_columns(
        principal=pl.Series(loans.principal[row] * share_left), running=pl.Series(running)
    ).join(late, on="loan_key", how="left")
    past_due = pl.when(pl.col("oldest").is_null()).then(0).otherwise(day - pl.col("oldest"))
    return (
        found.with_columns(days=past_due).filter(pl.col("running") | (pl.col("days") > 0))
        .select("loan", "days", "principal").sort("loan")
    )  # fmt: skip


def npl_ratio(observed: Observed, day: int) -> float:
    """Principal of loans more than ninety days past due over principal of all."""
    found = days_past_due(observed, day)
    bad = found.filter(pl.col("days") > 90)["principal"].sum()
    return float(bad / found["principal"].sum())


def roll_rates(observed: Observed, days: list[int]) -> np.ndarray:
    """Share of loans in bucket i that are in bucket j a month later, over consecutive `days`; 5 x 5, rows sum to 1."""
    counts = np.zeros((len(BUCKETS), len(BUCKETS)))
    states = [days_past_due(observed, day) for day in days]
    for before, after in pairwise(states):
        both = before.join(after, on="loan", suffix="_after")
        i = np.searchsorted(BUCKETS, both["days"].to_numpy(), side="right") - 1
        j = np.searchsorted(BUCKETS, both["days_after"].to_numpy(), side="right") - 1
        np.add.at(counts, (i, j), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
