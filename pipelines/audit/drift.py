"""Checks that figures are spread as in the release before: population stability index, with a test of significance.

Of each column that holds codes or a number, the rows of both releases fall into bins: one for each code, or the deciles
of the release before, and one for what is empty. The index (PSI) says how far the shares of the bins lie apart,
and grows by chance where there are few rows; so it counts only where a chi-square test of the same two rows of counts,
with one degree of freedom less than there are bins, says that chance does not explain it. Parties are mostly the same
in both, which makes the test careful: it alarms less often than its level says.

What does not belong here: whether there are as many rows (`volume`), and who is in them (`churn`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import chdtrc

from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject
from pipelines.audit.tables import Table, exact_path
from pipelines.contracts.expectations import party_column
from pipelines.contracts.model import Column

_NUMBERS = ("bigint", "double", "decimal")
_SMALLEST_EXPECTED = 5  # bins in which fewer rows are expected say too little for chi-square: they are put together
_MOST_CODES = 200
_EXACT = 2**52  # whole numbers below it are exact as doubles: a code is told from another by its hash
_ROW = "_row"
_HALF = 0.5  # added to each count, so that an empty bin has a logarithm


@dataclass(frozen=True)
class Drift:
    """How far one column lies from where it was. `p` is the probability of chi-square at its degrees of freedom."""

    column: str
    psi: float
    chi_square: float
    freedom: int
    p: float

    def __str__(self) -> str:
        chance = f"p {self.p:.2g}" if self.p >= 1e-300 else "p 0"
        return (
            f"{self.column}: PSI {self.psi:.2f}, chi-square {self.chi_square:.0f} with {self.freedom} degrees, {chance}"
        )


def stable(subject: Subject, product_id: str) -> Verdict:
    """No column of a product has drifted further than the policy lets pass, and beyond chance."""
    product = subject.catalog.products[product_id]
    table = subject.tables.need(product_id)
    latest = subject.past.latest
    before = latest.file(product) if latest else None
    if latest is None or before is None:
        why = subject.past.why or "the release before does not have it"
        return Verdict("passed", f"{why}: nothing to compare with")
    found = compare(subject, table, before, (subject.content.business_date - latest.business_date).days)
    rows, drifts = found.rows, found.drifts
    least = subject.threshold("gates.drift_min_rows")
    if min(rows) < least or not drifts:
        few = f"fewer than {least:.0f}, too few to judge" if drifts else "no column to compare"
        return Verdict("passed", f"{rows[1]} rows, {rows[0]} before: {few}")
    psi, p = subject.threshold("gates.drift_max_psi"), subject.threshold("gates.drift_max_p")
    # Of many columns some drift by chance: each is held to its part of the level (Bonferroni).
    far = [one for one in drifts if one.psi > psi and one.p < p / len(drifts)]
    words = f"{len(drifts)} columns of {rows[1]} rows against {rows[0]}"
    if far:
        return Verdict("failed", f"{words}: {'; '.join(map(str, far))}", columns=tuple(one.column for one in far))
    return Verdict("passed", f"{words}; the largest is {max(drifts, key=lambda one: one.psi)}")


@dataclass(frozen=True)
class Compared:
    """Rows of a product that were compared, before and now, and the drift of each of its columns."""

    rows: tuple[int, int]
    drifts: tuple[Drift, ...]


def compare(subject: Subject, table: Table, before: Path, aged: int) -> Compared:
    """A product against its file in a release of `aged` days before."""
    there = {name for (name,) in subject.tables.rows(f"select name from parquet_schema('{exact_path(before)}')")}
    columns = [
        column
        for column in table.contract.columns
        if _compared(column) and column.name in there and not table.unusable((column.name,))
    ]
    old = _sample(subject, table, f"read_parquet('{exact_path(before)}')", columns, aged)
    new = _sample(subject, table, table.view, columns, 0)
    bins = int(subject.threshold("gates.drift_bins"))
    found = [
        drift(column.name, *counts(old[column.name], new[column.name], 0 if _coded(column) else bins))
        for column in columns
        if not (_coded(column) and _too_many(old[column.name], new[column.name]))
    ]
    return Compared((len(old[_ROW]), len(new[_ROW])), tuple(found))


def drift(name: str, before: np.ndarray, now: np.ndarray) -> Drift:
    """PSI and chi-square of two rows of counts over the same bins."""
    one, other = before + _HALF, now + _HALF
    p, q = one / one.sum(), other / other.sum()
    psi = float(((q - p) * np.log(q / p)).sum())
    chi_square, freedom = _chi_square(before, now)
    return Drift(name, psi, chi_square, freedom, float(chdtrc(freedom, chi_square)) if freedom else 1.0)


def _chi_square(before: np.ndarray, now: np.ndarray) -> tuple[float, int]:
    """Statistic and degrees of freedom of the test that two rows of counts come from one distribution."""
    total = before + now
    share = min(before.sum(), now.sum()) / max(total.sum(), 1)
    rare = total * share < _SMALLEST_EXPECTED
    table = np.array([[*row[~rare], row[rare].sum()] for row in (before, now)], dtype=float)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 0.0, 0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum()), table.shape[1] - 1


def counts(before: np.ndarray, now: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """How many values fall into each bin: the values themselves where they are few, else quantiles of `before`.

    The last bin is of what is empty. Without `bins` they are codes.
    """
    empty = [np.isnan(values).sum() for values in (before, now)]
    old, new = (values[~np.isnan(values)] for values in (before, now))
    distinct = np.unique(np.concatenate([old, new]))
    if not bins or len(distinct) <= bins:
        edges = distinct[1:]
    elif not len(old):
        edges = distinct[:0]  # where there were none, any value is another
    else:
        edges = np.unique(np.quantile(old, np.arange(1, bins) / bins, method="inverted_cdf"))
    filled = [np.bincount(np.searchsorted(edges, one, side="right"), minlength=len(edges) + 1) for one in (old, new)]
    first, second = (np.append(count, none) for count, none in zip(filled, empty, strict=True))
    return first, second


def _compared(column: Column) -> bool:
    """Codes and numbers that say something of a party: not what moves for everybody at once, as coverage does."""
    if party_column(column.name) or column.history in ("shared", "left_out"):
        return False
    return _coded(column) or (not column.key and column.type.startswith(_NUMBERS))


def _coded(column: Column) -> bool:
    return bool(column.enum) or column.type == "boolean" or (column.key and column.type == "string")


def _too_many(*samples: np.ndarray) -> bool:
    """Whether what looked like codes are rather keys."""
    return len(np.unique(np.concatenate(samples))) > _MOST_CODES


def _sample(subject: Subject, table: Table, source: str, columns: list[Column], aged: int) -> dict[str, np.ndarray]:
    """Numbers that stand for values of columns, NaN for none, of the same parties in both releases.

    Pseudonyms are hashes: those that begin low are a sample, and in a file that is sorted by them the beginning of it.
    A column that counts days has grown by `aged` where nothing happened; no days stay none.
    """
    (party, *_) = [name for name in table.contract.key if party_column(name)]
    wanted = subject.threshold("gates.drift_sample_rows")
    below = f"{int(min(1.0, wanted / max(table.rows, 1)) * 0xFFFFFF):06x}g"  # g: after every digit
    chosen = "".join(f', {_number(column, aged)} as "{column.name}"' for column in columns)
    sql = f"select cast(1 as double) as {_ROW}{chosen} from {source} where \"{party}\" < '{below}'"
    found = subject.tables.connection.execute(sql).fetchnumpy()
    return {name: np.ma.filled(values.astype(float), np.nan) for name, values in found.items()}


def _number(column: Column, aged: int) -> str:
    value = f'"{column.name}"'
    if column.type == "string":
        return f"cast(hash({value}) % {_EXACT} as double) + case when {value} is null then null else 0 end"
    if column.history == "counted" and aged:
        return f"cast(case when {value} > 0 then {value} + {aged} else {value} end as double)"
    return f"cast({value} as double)"
