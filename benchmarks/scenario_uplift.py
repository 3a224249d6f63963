"""What scenario features are worth to a model of risk: the same model with and without them, judged on later dates.

    .venv/bin/python -m benchmarks.scenario_uplift HOME --train 2025-06-30 --test 2026-01-01 [--json]

HOME is a home of the simulated bank with at least 180 days landed after the later date; it is not written to. Belongs
here: who is observed, the two models, what the difference is and how sure. Does not belong here: how marts of a past
date are made again (`benchmarks.past_marts`), and curves and resampling (`benchmarks.gain`).

Observed is who has a loan or a credit card on a date and is not in default; bad is who reaches 90 days past due within
180 days after, as instalments and statements delivered later say (int_party_default). Features are as of the date, so
nothing that came later reaches them. The model is a logistic regression on standardised values, amounts by their
logarithm, with a column for what is not known. Where the outcomes of the training are not all known on the test date,
no party is both trained on and judged: one half of the parties is judged by the model of the other half.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from benchmarks.gain import Gain, gained
from benchmarks.past_marts import copied
from pipelines.contracts.load import load_catalog
from pipelines.settings import PROJECT

_WINDOW = timedelta(days=180)  # that of int_party_default
FEATURES, OUTCOMES = ("scenario_feature", "customer_360"), ("int_party_default",)
# What the bank knows by itself of somebody with credit. Of the bureau and of partners nothing.
INTERNAL = (
    "days_past_due", "loan_arrears_amount", "loan_outstanding_principal", "loan_monthly_payment", "loans_active",
    "card_utilisation", "card_statement_balance", "card_limit", "card_cash_advance_90d", "applications_90d",
    "applications_declined_365d", "guaranteed_by_others_amount", "collateral_value", "balance_avg_90d",
    "balance_min_90d", "income_amount_90d", "debit_amount_90d", "fee_amount_365d", "relationship_days", "aum",
)  # fmt: skip
_PENALTY = 0.1  # C of the regression; defaults are few
_BOOKINGS = ("household", "insurance", "income", "cash", "card")

_OBSERVED = """
select * from marts.customer_360
where
    business_date = ?
    and (loans_active > 0 or card_limit > 0)
    and coalesce(days_past_due, 0) < 90
order by party_id
"""


@dataclass(frozen=True)
class Sample:
    """Who was observed on a date: how many, and how many of them became bad."""

    observed_on: date
    parties: int
    bads: int


@dataclass(frozen=True)
class Uplift:
    """`gains` by scenario, with `partners` for all scenarios of partners and `all` for every one."""

    train: Sample
    test: Sample
    split_by_party: bool
    gains: dict[str, Gain]


def evaluate(home: Path, train_on: date, test_on: date, *, resamples: int = 1000) -> Uplift:
    """Measure on a copy of what `home` has built, with marts made again as of each date and as of when it is judged."""
    with tempfile.TemporaryDirectory(prefix="zhongtai-uplift-") as place:
        copy, frames = copied(home, Path(place) / "home"), []
        for day in (train_on, test_on):
            features = observed(copy.built([day], FEATURES), day)
            frames.append(judged(features, copy.built([day + _WINDOW], OUTCOMES), day))
    return measure(*frames, train_on, test_on, resamples=resamples)


def observed(warehouse: Path, day: date) -> pl.DataFrame:
    """What was known on a day of each party with credit, and of each feature of a scenario."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as con:
        parties = con.execute(_OBSERVED, [day]).pl()
        long = con.execute(
            "select party_id, feature, value from marts.scenario_feature where business_date = ?", [day]
        ).pl()
    named = long.with_columns(("feature_" + pl.col("feature")).alias("feature"))
    wide = named.pivot("feature", index="party_id", values="value")
    return parties.join(wide, on="party_id", how="left", maintain_order="left")


def judged(parties: pl.DataFrame, warehouse: Path, day: date) -> pl.DataFrame:
    """The same parties, each with `bad`: whether it came to a default within the window after `day`."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as con:
        bads = con.execute(
            "select distinct party_id from intermediate.int_party_default where business_date = ?", [day + _WINDOW]
        ).pl()
    return parties.with_columns(pl.col("party_id").is_in(bads["party_id"].implode()).alias("bad"))


def measure(train: pl.DataFrame, test: pl.DataFrame, train_on: date, test_on: date, *, resamples: int = 1000) -> Uplift:
    """The same of parties that were observed and judged already."""
    samples = [Sample(day, f.height, int(f["bad"].sum())) for day, f in ((train_on, train), (test_on, test))]
    overlap = test_on < train_on + _WINDOW
    truth, base = test["bad"].to_numpy(), _scores(train, test, INTERNAL, overlap)
    gains = {
        name: gained(truth, base, _scores(train, test, (*INTERNAL, *columns), overlap), resamples)
        for name, columns in scenarios(train.columns).items()
    }
    return Uplift(samples[0], samples[1], overlap, gains)


def scenarios(present: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The features of each scenario that are among the columns, then of all partners, then all."""
    found: dict[str, tuple[str, ...]] = {}
    for name, feature in load_catalog(PROJECT / "data_contracts").features.items():
        if f"feature_{name}" in present:
            found[feature.scenario] = (*found.get(feature.scenario, ()), f"feature_{name}")
    partners = tuple(one for scenario, names in found.items() if scenario not in _BOOKINGS for one in names)
    return {**found, "partners": partners, "all": tuple(one for names in found.values() for one in names)}


def _scores(train: pl.DataFrame, test: pl.DataFrame, columns: Sequence[str], by_party: bool) -> np.ndarray:
    """Log odds of becoming bad of each row of `test`."""
    columns = [name for name in columns if name in train.columns and name in test.columns]
    if not by_party:
        return _judged(train, test, columns)
    score = np.empty(test.height)
    halves = [frame["party_id"].str.slice(0, 1).is_in(list("01234567")).to_numpy() for frame in (train, test)]
    for half in (True, False):
        score[halves[1] == half] = _judged(train.filter(halves[0] != half), test.filter(halves[1] == half), columns)
    return score


def _judged(train: pl.DataFrame, test: pl.DataFrame, columns: Sequence[str]) -> np.ndarray:
    columns = [name for name in columns if train[name].null_count() < train.height]  # nothing is learned of the rest
    raw, other = _numbers(train, columns), _numbers(test, columns)
    mean, spread = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
    missing = np.isnan(raw).any(axis=0)

    def design(values: np.ndarray) -> np.ndarray:
        scaled = np.clip((values - mean) / np.where(spread > 0, spread, 1), -5, 5)
        return np.column_stack([np.nan_to_num(scaled), np.isnan(values[:, missing])])

    fitted = LogisticRegression(C=_PENALTY, max_iter=2000).fit(design(raw), train["bad"].to_numpy())
    return fitted.decision_function(design(other))


def _numbers(frame: pl.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Values as floats, unknown as NaN; the logarithm tames amounts and leaves shares almost as they are."""
    values = frame.select(pl.col(name).cast(pl.Float64) for name in columns).to_numpy().astype(float)
    return np.sign(values) * np.log1p(np.abs(values))


def lines(uplift: Uplift) -> list[str]:
    """The measurement as a table in Markdown."""
    head = [
        "scenario",
        "AUC without",
        "AUC with",
        "difference",
        "95 %",
        "KS difference",
        "95 %",
        "false positives",
        "95 %",
    ]
    rows = [
        [name, f"{g.auc_before:.4f}", f"{g.auc_after:.4f}", f"{g.auc:+.4f}", f"{g.auc_low:+.4f} to {g.auc_high:+.4f}",
         f"{g.ks:+.4f}", f"{g.ks_low:+.4f} to {g.ks_high:+.4f}", f"{g.false_positives:+.1%}",
         f"{g.false_positives_low:+.1%} to {g.false_positives_high:+.1%}"]
        for name, g in uplift.gains.items()
    ]  # fmt: skip
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]


def plain(uplift: Uplift) -> Mapping[str, object]:
    """As JSON would have it."""
    return json.loads(json.dumps(asdict(uplift), default=str))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--train", type=date.fromisoformat, required=True)
    parser.add_argument("--test", type=date.fromisoformat, required=True)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    uplift = evaluate(given.home, given.train, given.test)
    if given.json:
        print(json.dumps(plain(uplift), indent=2))
        return 0
    print(f"train {uplift.train}\ntest {uplift.test}\nsplit by party: {uplift.split_by_party}")
    print("\n".join(lines(uplift)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
