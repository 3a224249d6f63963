"""Whether signals precede defaults: a plain model on what the bank sees 90 days before, and what each signal does.

The model is a logistic regression on standardised features, fitted on half of the people and judged on the other, both
ways round. Snapshots are four weeks apart; positive is a default that comes 90 to 120 days after the snapshot.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from pipelines.simulation.records import records_of
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.simulated_bank.observe import WEEK, Observed
from pipelines.simulation import keys

LEAD, WINDOW = 90, 30
FEATURES = (
    "inflow against the quarter before", "outflow against the quarter before", "balance in months of outflow",
    "app use against the quarter before", "card use", "court cases", "bureau inquiries", "loans here",
)  # fmt: skip


def auc(observed: Observed) -> tuple[float, int]:
    """AUC of the plain model, and the number of defaults it was judged on."""
    world = observed.world
    samples, labels, owners = [], [], []
    borrowers = np.unique(np.concatenate([world.loans.borrower[~world.loans.is_company], world.cards.holder]))
    for day in range(16 * WEEK, observed.days + 1, 4 * WEEK):
        default, miss = world.people.default[borrowers], world.people.miss[borrowers]
        cured = world.people.cure[borrowers] < day
        # Who is in arrears already needs no model.
        looked_at = borrowers[(miss >= day) | cured]
        default = world.people.default[looked_at]
        samples.append(features(observed, day)[looked_at])
        labels.append((default >= day + LEAD) & (default < day + LEAD + WINDOW))
        owners.append(looked_at)
    x, y, person = np.concatenate(samples), np.concatenate(labels), np.concatenate(owners)
    half = (person.astype(np.int64) * 2_654_435_761 >> 7) % 2 == 0
    score = np.empty(len(y))
    for train, test in ((half, ~half), (~half, half)):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, class_weight="balanced"))
        model.fit(x[train], y[train])
        score[test] = model.decision_function(x[test])
    aucs = [roc_auc_score(y[part], score[part]) for part in (half, ~half)]
    return float(np.mean(aucs)), int(y.sum())


def features(observed: Observed, day: int) -> np.ndarray:
    """One row per person, one column per name of FEATURES, from what was delivered before `day`."""
    world, now = observed.world, day // WEEK
    main = np.maximum(world.accounts.of_person, 0)
    late, early = slice(max(now - 4, 0), now), slice(max(now - 16, 0), max(now - 4, 1))
    came, went = observed.inflow[late].sum(0)[main] / 4, observed.outflow[late].sum(0)[main] / 4
    came_before, went_before = observed.inflow[early].sum(0)[main] / 12, observed.outflow[early].sum(0)[main] / 12
    balance = (observed.inflow[:now].sum(0) - observed.outflow[:now].sum(0))[main]
    logins, logins_before = observed.logins[late].sum(0) / 4, observed.logins[early].sum(0) / 12
    columns = [
        _change(came, came_before, 10_000), _change(went, went_before, 10_000),
        np.log1p(np.maximum(balance, 0) / (went_before * 4 + 10_000)), _change(logins, logins_before, 0.25),
        _card_use(observed, day), _cases(observed, day), _inquiries(observed, day), _loans(observed, day),
    ]  # fmt: skip
    return np.nan_to_num(np.column_stack(columns))


def _change(now: np.ndarray, before: np.ndarray, floor: float) -> np.ndarray:
    return np.clip(np.log((now + floor) / (before + floor)), -3, 3)


def _card_use(observed: Observed, day: int) -> np.ndarray:
    world, use = observed.world, np.zeros(len(observed.world.people))
    recent = (pl.col("day") < day) & (pl.col("day") >= day - 35)
    statements = observed.frames["card.statement"].filter(recent).sort("day")
    number = {key: row for row, key in enumerate(keys.credit_card_key(np.arange(len(world.cards))).to_list())}
    rows = np.array([number[key] for key in statements["card_key"].to_list()], dtype=int)
    use[world.cards.holder[rows]] = statements["statement_balance"].to_numpy() / world.cards.limit[rows]
    return use


def _cases(observed: Observed, day: int) -> np.ndarray:
    cases = observed.frames["judicial.case"].filter(pl.col("day") < day)
    return _by_id(observed, cases, "defendant_national_id", None)


def _inquiries(observed: Observed, day: int) -> np.ndarray:
    reports = observed.frames["bureau.credit_report"].filter(pl.col("day") < day).sort("day")
    return _by_id(observed, reports, "national_id", "inquiries_6m")


def _by_id(observed: Observed, frame: pl.DataFrame, column: str, value: str | None) -> np.ndarray:
    """Per person the number of rows, or the last `value`, by resident id as core has it."""
    known = records_of(observed.world, "core").select("national_id", "person").drop_nulls().unique("national_id")
    found = frame.join(known, left_on=column, right_on="national_id")
    result = np.zeros(len(observed.world.people))
    if value is None:
        np.add.at(result, found["person"].to_numpy(), 1)
    else:
        result[found["person"].to_numpy()] = found[value].to_numpy()
    return result


def _loans(observed: Observed, day: int) -> np.ndarray:
    loans = observed.world.loans
    running = ~loans.is_company & (loans.granted <= day) & (loans.granted + loans.term * 30 > day)
    return np.bincount(loans.borrower[running], minlength=len(observed.world.people)).astype(float)
