"""Trains the propensity card on the campaigns of the simulated bank, and measures it on later ones.

    .venv/bin/python -m benchmarks.propensity WAREHOUSE --train 2025-07-05 --test 2025-09-30 [--write CARD.yaml]

WAREHOUSE is a build with marts as of all these dates; nothing of a later date reaches a characteristic. Looked at are
the contacts of the `--days` after each date, and whether the person converted in that campaign. Belongs here: binning,
estimation, measurement. Does not belong here: what a card may look at (`pipelines.contracts.propensity`).

Bins of a number are quintiles of the training sample, and count from -1 to 1 in their order, what is not known as 0:
the signals are weak, and a weight per bin would learn the noise. Points are two decimals, so the card is exact in SQL.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

# Columns of customer_360 that marketing may use, and that say something of wealth, use of the bank and habits.
NUMBERS = (
    "aum", "balance_avg_90d", "value_income_365d", "travel_amount_90d", "dining_amount_90d", "online_amount_90d",
    "app_days_30d",
)  # fmt: skip
TEXTS = ("channel_preference",)
POINTS, ODDS, PDO = 500, 0.05, 20  # 500 points at one conversion in twenty, 20 points to double the odds
_REGULARISATION, _RESAMPLES, _SEED = 0.05, 500, 1

_CONTACTS = """
with contacted as (
    select distinct record.party_id, contact.customer_key, contact.campaign_key
    from staging.stg_crm__contact as contact
    inner join intermediate.int_crm_party as record
        on record.business_date = $day and record.customer_key = contact.customer_key
    where contact.event = 'contacted' and contact.business_date > $day and contact.business_date <= $day + $days
),
converted as (select distinct customer_key, campaign_key from staging.stg_crm__contact where event = 'converted')
select customer.*, converted.customer_key is not null as converted
from contacted
left join converted using (customer_key, campaign_key)
inner join marts.customer_360 as customer
    on customer.party_id = contacted.party_id and customer.business_date = $day
where customer.party_kind = 'person'
order by contacted.party_id, contacted.campaign_key
"""


def observed(warehouse: Path, dates: Sequence[date], days: int) -> pl.DataFrame:
    """One row per contact of a person within `days` after each date, as the person was on that date."""
    with closing(duckdb.connect(str(warehouse), read_only=True)) as con:
        return pl.concat([con.execute(_CONTACTS, {"day": day, "days": days}).pl() for day in dates])


def trained(frame: pl.DataFrame) -> tuple[float, list[dict[str, Any]]]:
    """Base points, and characteristics with bins and points."""
    described = [_bins(frame, name) for name in (*NUMBERS, *TEXTS)]
    coded = [_held(frame, one) @ _code(one) for one in described]
    fitted = LogisticRegression(C=_REGULARISATION, max_iter=1000)
    fitted.fit(np.column_stack(coded), frame["converted"].to_numpy())
    factor = PDO / math.log(2)
    offset = POINTS - factor * math.log(ODDS)
    weights = fitted.coef_[0]
    for one in described:
        code = _code(one)
        used, weights = weights[: code.shape[1]], weights[code.shape[1] :]
        for each, points in zip(one["bins"], factor * (code @ used), strict=True):
            each["points"] = round(float(points), 2) + 0.0
    return round(offset + factor * float(fitted.intercept_[0]), 2), described


def scores(frame: pl.DataFrame, base: float, described: list[dict[str, Any]]) -> np.ndarray:
    """The score of each row."""
    return base + sum(_held(frame, one) @ np.array([each["points"] for each in one["bins"]]) for one in described)


def auc(truth: np.ndarray, score: np.ndarray) -> tuple[float, float, float]:
    """AUC with the 2.5 and 97.5 percentile of resamples."""
    rng, found = np.random.default_rng(_SEED), []
    for _ in range(_RESAMPLES):
        drawn = rng.integers(0, len(truth), len(truth))
        if 0 < truth[drawn].sum() < len(truth):
            found.append(roc_auc_score(truth[drawn], score[drawn]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(roc_auc_score(truth, score)), float(low), float(high)


def _bins(frame: pl.DataFrame, name: str) -> dict[str, Any]:
    values = frame[name].drop_nulls()
    missing = [{"missing": True}]
    if name in TEXTS:
        words = sorted(values.unique().to_list())
        return {"column": name, "bins": [*missing, *({"values": [word]} for word in words[:-1]), {}]}
    quantiles = [values.cast(pl.Float64).quantile(share, "nearest") for share in (0.2, 0.4, 0.6, 0.8)]
    bounds = sorted({_rounded(value) for value in quantiles} - {_rounded(float(values.cast(pl.Float64).min()))})
    return {"column": name, "bins": [*missing, *({"below": bound} for bound in bounds), {}]}


def _code(one: dict[str, Any]) -> np.ndarray:
    """What each bin counts, as columns: its place among the others of a number; of a text, one column per bin."""
    bins = one["bins"]
    if any("values" in each for each in bins):
        return np.eye(len(bins))[:, 1:]
    return np.concatenate([[0.0], np.linspace(-1, 1, len(bins) - 1)])[:, None]


def _rounded(value: float) -> int:
    """Two digits: a bound is for people to read."""
    return int(round(value, 1 - math.floor(math.log10(value)))) if value >= 10 else round(value)


def _held(frame: pl.DataFrame, one: dict[str, Any]) -> np.ndarray:
    """Which bin each row is in: one column per bin, tried in their order."""
    column = frame[one["column"]]
    left, columns = np.ones(frame.height, dtype=bool), []
    for each in one["bins"]:
        if each.get("missing"):
            holds = column.is_null().to_numpy()
        elif "below" in each:
            holds = (column.cast(pl.Float64) < float(each["below"])).fill_null(False).to_numpy()
        elif "values" in each:
            holds = column.is_in(each["values"]).fill_null(False).to_numpy()
        else:
            holds = np.ones(frame.height, dtype=bool)
        columns.append(left & holds)
        left = left & ~holds
    return np.column_stack(columns).astype(float)


def card(warehouse: Path, train: Sequence[date], test: Sequence[date], days: int, world: str) -> dict[str, Any]:
    """The document of a card: points, and what they are worth on the contacts after `test`."""
    samples = {"train": (train, observed(warehouse, train, days)), "test": (test, observed(warehouse, test, days))}
    base, described = trained(samples["train"][1])
    measured = {}
    for name, (dates, frame) in samples.items():
        truth = frame["converted"].to_numpy().astype(int)
        area, low, high = auc(truth, scores(frame, base, described))
        measured[name] = {
            "observed": list(dates), "contacts": len(truth), "conversions": int(truth.sum()),
            "auc": round(area, 4), "auc_low": round(low, 4), "auc_high": round(high, 4),
        }  # fmt: skip
    return {
        "name": "offer", "version": "1.0.0",
        "title": {"zh": "营销响应倾向评分卡", "en": "Propensity to take up an offer"},
        "target": f"A conversion in the campaign after a contact within {days} days of the observation.",
        "limits": [
            "Trained on the simulated bank; it has to be trained on the campaigns of a bank before it is used there.",
            "Of people whom campaigns chose, so of others it says how those like them fared.",
            "It says who converts when contacted, not whom the contact changes; that is measured by the hold-out.",
        ],
        "owner": "marketing-analytics", "approved_by": ["chief-marketing-officer", "data-protection-officer"],
        "mart": "mart.customer_360", "scaling": {"points": POINTS, "odds": ODDS, "pdo": PDO}, "base_points": base,
        "characteristics": described, "training": {"world": world, **measured},
    }  # fmt: skip


def main() -> int:
    """Train, print what it is worth, write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--train", type=date.fromisoformat, nargs="+", required=True)
    parser.add_argument("--test", type=date.fromisoformat, nargs="+", required=True)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--world", default="simulated bank, 10000 customers, seed 1")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    document = card(given.warehouse, given.train, given.test, given.days, given.world)
    print(yaml.safe_dump(document["training"], sort_keys=False))
    if given.write:
        head = "# Trained by benchmarks/propensity.py on campaigns of the simulated bank; train anew, edit nothing.\n"
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        given.write.write_text(head + text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
