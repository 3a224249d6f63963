"""The hash of a candidate: what changes it and what does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.audit.content import ContentError, content_hash, read_content


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    for name in ("marketing/a", "risk/a", "shared/b"):
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"x": [1, 2]}), path)
    describe(tmp_path, bank="pkdd99", business_date="1994-03-31")
    return tmp_path


def describe(candidate: Path, **content: str) -> None:
    (candidate / "candidate.json").write_text(json.dumps(content))


def move(candidate: Path) -> None:
    (candidate / "risk" / "a.parquet").rename(candidate / "risk" / "c.parquet")


def one_more_file(candidate: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), candidate / "shared" / "hidden.parquet")


def other_bytes(candidate: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2]}), candidate / "risk" / "a.parquet", compression="none")


@pytest.mark.parametrize(
    "change",
    [
        move,
        one_more_file,
        other_bytes,
        lambda c: describe(c, bank="other", business_date="1994-03-31"),
        lambda c: describe(c, bank="pkdd99", business_date="1994-04-01"),
    ],
)
def test_content_bank_and_date_change_the_hash(candidate: Path, change: Callable[[Path], None]) -> None:
    before = content_hash(candidate)
    change(candidate)
    assert content_hash(candidate) != before


def test_what_describes_the_candidate_does_not_change_its_hash(candidate: Path) -> None:
    before = content_hash(candidate)
    (candidate / "evidence.json").write_text("{}")
    (candidate / ".evidence.json.123.tmp").write_text("an interrupted write")
    describe(candidate, bank="pkdd99", business_date="1994-03-31", key_fingerprint="f00d")
    assert content_hash(candidate) == before


def test_the_listing_is_sorted_and_relative(candidate: Path) -> None:
    content = read_content(candidate)
    assert [(f.path, f.rows) for f in content.files] == [
        ("marketing/a.parquet", 2), ("risk/a.parquet", 2), ("shared/b.parquet", 2),
    ]  # fmt: skip


def test_a_description_below_the_top_is_content(candidate: Path) -> None:
    (candidate / "risk" / "evidence.json").write_text("{}")
    with pytest.raises(ContentError, match=r"risk/evidence\.json is not a readable Parquet file"):
        content_hash(candidate)


def test_links_are_refused(candidate: Path) -> None:
    (candidate / "risk" / "link.parquet").symlink_to(candidate / "shared" / "b.parquet")
    with pytest.raises(ContentError, match=r"risk/link\.parquet is not a plain file"):
        content_hash(candidate)


@pytest.mark.parametrize("text", ["", "[]", '{"bank": "pkdd99"}', '{"bank": "pkdd99", "business_date": "soon"}'])
def test_without_bank_and_date_there_is_no_candidate(candidate: Path, text: str) -> None:
    (candidate / "candidate.json").write_text(text)
    with pytest.raises(ContentError, match="does not declare bank and business_date"):
        content_hash(candidate)
