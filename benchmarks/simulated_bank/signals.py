"""Whether signals precede defaults: a plain model on what the bank sees 90 days before, and what each signal does.

The model is a logistic regression on standardised features, fitted on half of the people and judged on the other, both
ways round. Snapshots are four weeks apart; positive is a default that comes 90 to 120 days after the snapshot.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.simulated_bank.observe import WEEK, Observed, loan_numbers
from pipelines.simulation import keys
from pipelines.simulation.records import records_of

LEAD, WINDOW = 90, 30
FEATURES = (
    "wages against the quarter before", "purchases against the quarter before", "balance in months of purchases",
    "savings against the quarter before", "app use against the quarter before", "orders against the quarter before",
    "card use", "card use against the quarter before", "cash drawn by card", "court cases", "bureau inquiries",
    "arrears elsewhere", "debt elsewhere", "income", "loans here", "instalments paid late",
)  # fmt: skip


def auc(observed: Observed) -> tuple[float, int]:
    """AUC of the plain model, and the number of defaults it was judged on."""
    world = observed.world
    samples, labels, owners = [], [], []
    for day in range(16 * WEEK, observed.days + 1, 4 * WEEK):
        has_card = world.cards.holder[world.cards.issued <= day - 30]
        borrowers = np.union1d(np.flatnonzero(_loans(observed, day)), has_card)
        miss = world.people.miss[borrowers]
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
    late, early = slice(max(now - 4, 0), now), slice(max(now - 16, 0), max(now - 4, 1))

    def change(table: np.ndarray, floor: float) -> np.ndarray:
        return np.clip(np.log((table[late].mean(0) + floor) / (table[early].mean(0) + floor)), -3, 3)

    main = np.maximum(world.accounts.of_person, 0)
    wages, purchases = observed.wages[:, main], observed.purchases[:, main]
    owned = ~world.accounts.is_company
    moved = observed.inflow[:now, owned] - observed.outflow[:now, owned]
    people, holder = len(world.people), world.accounts.holder[owned]
    balance = np.bincount(holder, moved.sum(0), people)
    before = np.bincount(holder, moved[:-12].sum(0), people)
    spent = purchases[early].mean(0) * 4 + 10_000
    use, use_before, cash = _card(observed, day), _card(observed, day - 90), _card(observed, day, "cash_advance_amount")
    reports = observed.frames["bureau.credit_report"].filter(pl.col("day") < day).sort("day")
    columns = [
        change(wages, 10_000), change(purchases, 5_000), np.log1p(np.maximum(balance, 0) / spent),
        np.clip((balance - before) / (np.abs(before) + spent), -2, 2), change(observed.logins, 0.25),
        change(observed.orders, 1_000), use, use - use_before, cash,
        _by_id(observed, observed.frames["judicial.case"].filter(pl.col("day") < day), "defendant_national_id", None),
        _by_id(observed, reports, "national_id", "inquiries_6m"),
        np.minimum(_by_id(observed, reports, "national_id", "worst_days_past_due_24m"), 90),
        np.log1p(_by_id(observed, reports, "national_id", "loan_balance") / 100),
        np.log1p(observed.inflow[early][:, main].mean(0)), _loans(observed, day), _late(observed, day),
    ]  # fmt: skip
    assert len(columns) == len(FEATURES)
    return np.nan_to_num(np.column_stack(columns))


def _card(observed: Observed, day: int, amount: str = "statement_balance") -> np.ndarray:
    """An amount of each person's last statement before `day`, as a share of the limit."""
    world, share = observed.world, np.zeros(len(observed.world.people))
    recent = (pl.col("day") < day) & (pl.col("day") >= day - 35)
    number = pl.DataFrame(
        {"card_key": keys.credit_card_key(np.arange(len(world.cards))), "card": range(len(world.cards))}
    )
    statements = observed.frames["card.statement"].filter(recent).sort("day").join(number, on="card_key")
    rows = statements["card"].to_numpy()
    share[world.cards.holder[rows]] = statements[amount].to_numpy() / world.cards.limit[rows]
    return share


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


def _late(observed: Observed, day: int) -> np.ndarray:
    """Instalments of the last quarter that were paid three days late or more, or not yet."""
    loans, late = observed.world.loans, np.zeros(len(observed.world.people))
    events = observed.frames["loan.repayment"].filter((pl.col("day") < day) & (pl.col("day") >= day - 100))
    kind, per = pl.col("event").cast(pl.String), ["loan_key", "instalment_no"]
    due = events.filter((kind == "due") & (pl.col("day") < day - 3)).select(*per, due="day")
    paid = events.filter(kind == "paid").group_by(per).agg(paid=pl.col("day").max())
    found = due.join(paid, on=per, how="left").filter(pl.col("paid").fill_null(day) - pl.col("due") >= 3)
    rows = found.join(loan_numbers(observed), on="loan_key")["loan"].to_numpy()
    rows = rows[~loans.is_company[rows]]
    np.add.at(late, loans.borrower[rows], 1)
    return late


def _loans(observed: Observed, day: int) -> np.ndarray:
    loans = observed.world.loans
    running = ~loans.is_company & (loans.granted <= day) & (loans.granted + loans.term * 30 > day)
    return np.bincount(loans.borrower[running], minlength=len(observed.world.people)).astype(float)
