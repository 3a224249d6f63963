"""Pages for people of what contracts expect: they say what the evidence says, quote no value, and fetch nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from pipelines.audit.data_docs import INDEX, is_of_today, write_data_docs
from pipelines.audit.evidence import Evidence, read_evidence
from pipelines.audit.gates import suites
from pipelines.contracts.load import Catalog
from pipelines.settings import InputError

from .candidates import DAY, Spoil
from .test_defects import put

DECISION, COVERAGE = "risk.low_risk_decision", "shared.coverage"
PRODUCTS = (DECISION, COVERAGE)
SECRET = "13800138000"
STATES = {"success": "passed", "danger": "failed", "warning": "not_audited"}
ROW = re.compile(r'<i class="[^"]*text-(success|danger|warning)".*?</td><td[^>]*>(.*?)</td>', re.DOTALL)


def spoiled(tables) -> None:
    put(DECISION, "rule_history", SECRET)(tables)
    put(DECISION, "income_periods", 7777777)(tables)
    put(DECISION, "exclusion_reasons", None)(tables)


def said(page: str, words: list[str]) -> Counter[tuple[str, str]]:
    """How often a page says of an expectation, in its words, what it came to."""
    cells = (
        (STATES[icon], " ".join(unescape(re.sub(r"<[^>]*>", " ", cell)).split())) for icon, cell in ROW.findall(page)
    )
    # Below what failed or was not audited, the page says how many rows, or why.
    longest = sorted(words, key=len, reverse=True)
    return Counter((state, next((one for one in longest if cell.startswith(one)), cell)) for state, cell in cells)


@pytest.fixture
def candidate(tmp_path: Path, audited: Callable[[Spoil | None], Evidence]) -> Path:
    """A candidate that broke some of what is expected of it, with the evidence of its audit."""
    evidence = audited(spoiled)
    (path,) = (one.parent for one in tmp_path.glob("**/evidence.json"))
    assert read_evidence(path) == evidence
    return path


def test_the_pages_say_of_every_expectation_what_the_evidence_says(
    candidate: Path, catalog: Catalog, tmp_path: Path
) -> None:
    evidence = read_evidence(candidate)
    (unseen,) = (check for check in evidence.checks if check.id == f"contract.key/{COVERAGE}")
    checks = tuple(replace(c, state="not_audited", observed="no time") if c == unseen else c for c in evidence.checks)
    index = write_data_docs(candidate, replace(evidence, checks=checks), catalog, tmp_path / "out")
    found = {check.id: check for check in checks}
    states = set()
    for product, suite in suites(catalog).items():
        words = [" ".join(one.description.split()) for one in suite]
        wanted = Counter((found[one.id].state, each) for one, each in zip(suite, words, strict=True))
        assert said((index.parent / f"{product}.html").read_text(), words) == wanted
        told = [sum(n for (state, _), n in wanted.items() if state == one) for one in STATES.values()]
        row = "".join(f"<td>{n}</td>" for n in (sum(told), *told))
        assert f'<a href="{product}.html">{product}</a></td>{row}' in index.read_text()
        states |= {state for state, _ in wanted}
    assert states == {*STATES.values()}


def test_no_page_quotes_a_value_or_fetches_anything_and_nobody_else_may_read_it(
    candidate: Path, catalog: Catalog, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert write_data_docs(candidate, read_evidence(candidate), catalog, out) == out / INDEX
    pages = {path.name: path.read_text() for path in out.iterdir()}
    assert pages.keys() == {INDEX, *(f"{product}.html" for product in PRODUCTS)}
    assert not [name for name, text in pages.items() if SECRET in text or "7777777" in text]
    assert not [name for name, text in pages.items() if re.search(r"//|<script|<link|\bsrc=", text)]
    assert {link for text in pages.values() for link in re.findall(r'href="([^"]*)"', text)} == pages.keys()
    assert {path.stat().st_mode & 0o777 for path in (out, *out.iterdir())} == {0o700, 0o600}
    write_data_docs(candidate, read_evidence(candidate), catalog, tmp_path / "again")
    assert {path.name: path.read_text() for path in (tmp_path / "again").iterdir()} == pages, "they are reproducible"


def test_what_was_held_to_other_contracts_has_no_pages_by_those_of_today(
    candidate: Path, catalog: Catalog, tmp_path: Path
) -> None:
    manifest = {name: {"sha256": version.sha256} for name, version in read_evidence(candidate).contracts.items()}
    assert is_of_today(manifest, catalog)
    catalog.products[DECISION] = replace(catalog.products[DECISION], sha256="0" * 64)
    assert not is_of_today(manifest, catalog)
    with pytest.raises(InputError, match=rf"held to other contracts than today's \({DECISION}\).*ZHONGTAI_CONTRACTS"):
        write_data_docs(candidate, read_evidence(candidate), catalog, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_product_that_cannot_be_read_has_a_page_that_says_so(
    audited: Callable[[Spoil | None], Evidence], catalog: Catalog, tmp_path: Path
) -> None:
    evidence = audited(None)
    (path,) = (one.parent for one in tmp_path.glob("**/evidence.json"))
    (path / "shared" / "coverage.parquet").unlink()
    of_it = {one.id for one in suites(catalog)[COVERAGE]}
    gone = "the file is missing"
    checks = tuple(replace(c, state="not_audited", observed=gone) if c.id in of_it else c for c in evidence.checks)
    index = write_data_docs(path, replace(evidence, checks=checks), catalog, tmp_path / "out")
    text = (index.parent / f"{COVERAGE}.html").read_text()
    assert text.count(gone) >= len(of_it) and f"{DAY}" in text
