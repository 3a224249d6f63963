"""Pages for people of what contracts expect, from the suites that the audit runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.audit.data_docs import write_data_docs

from .candidates import DAY, write_candidate
from .test_defects import put

DECISION, COVERAGE = "risk.low_risk_decision", "shared.coverage"
PRODUCTS = (DECISION, COVERAGE)
SECRET = "13800138000"


@pytest.mark.slow
def test_every_product_has_its_pages_and_none_quotes_a_value(tmp_path: Path, catalog) -> None:
    def spoil(tables) -> None:
        put(DECISION, "rule_history", SECRET)(tables)
        put(DECISION, "income_periods", 7777777)(tables)
        put(DECISION, "exclusion_reasons", None)(tables)

    candidate = write_candidate(tmp_path / "candidates", catalog, spoil=spoil)
    index = write_data_docs(candidate, catalog, DAY, tmp_path / "out", tmp_path)
    pages = {path.relative_to(tmp_path / "out").as_posix(): path.read_text() for path in index.parent.rglob("*.html")}
    for product in PRODUCTS:
        folder = product.replace(".", "/")
        assert f"expectations/{folder}.html" in pages
        assert any(name.startswith(f"validations/{folder}/") for name in pages), sorted(pages)
    (of_decision,) = (text for name, text in pages.items() if name.startswith("validations/risk/low_risk_decision/"))
    assert "Failed" in of_decision
    assert not [name for name, text in pages.items() if SECRET in text or "7777777" in text]
    assert {path.name for path in tmp_path.iterdir()} == {"candidates", "out"}


@pytest.mark.slow
def test_a_product_that_cannot_be_read_has_no_page_and_the_others_have(tmp_path: Path, catalog) -> None:
    candidate = write_candidate(tmp_path / "candidates", catalog)
    (candidate / "shared" / "coverage.parquet").unlink()
    index = write_data_docs(candidate, catalog, DAY, tmp_path / "out", tmp_path)
    assert (index.parent / "expectations" / "risk" / "low_risk_decision.html").is_file()
    assert not (index.parent / "expectations" / "shared").exists()
