"""The page on an audit: one file that fetches nothing and says what stands against a release, and why."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipelines.audit.evidence import CheckResult, Evidence, Version
from pipelines.audit.gates import REGISTRY
from pipelines.audit.upstream import Upstream
from pipelines.audit.waivers import WaiverRecord
from pipelines.release.audit_page import page
from pipelines.release.examined import Examined, rows_and_usual

from .warehouse import DAY, Office, evidence

CAME = Upstream(
    "core.party", "birth_date", ("risk.a.b", "a.b", "core__party.birth_date"), "core", "party.txt", "ab", "2025-01-01"
)
BROKEN = CheckResult(
    "contract.range/risk.low_risk_decision/income_periods", "failed", "block", "income_periods is <at most> 6.",
    "1 of 40 rows", ({"pseudonym": "ab" * 32, "variant": "<b>"},), None, CAME,
)  # fmt: skip
WAIVED = replace(BROKEN, id="list.churn/marketing.low_risk_list", waiver="campaign")
UNSEEN = CheckResult("privacy.no_party_id", "not_audited", "block", "No internal id leaves.", "no crosswalk")
GOOD = CheckResult("candidate.content", "passed", "block", "It is what was built.", "9 files")
RECORD = WaiverRecord("campaign", "00", "list.churn", ("marketing.low_risk_list",), "A campaign ended & many left.",
                      "risk-policy", ("a", "b"), "2025-02-01", (WAIVED.id,))  # fmt: skip


class Reader(HTMLParser):
    """Notes whatever a browser would fetch or run, and tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [(tag, str(value)) for name, value in attrs if name in ("src", "href", "action", "onload")]
        self.fetched += [(tag, "")] if tag in ("script", "link", "iframe", "object", "img") else []
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed where it begins."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def examined(*checks: CheckResult, waivers: tuple[WaiverRecord, ...] = ()) -> Examined:
    found = Evidence("cd" * 32, "xiaocheng", date(2025, 1, 1), {}, Version("1.0.0", "ef"), checks, waivers)
    return Examined(Path("candidates") / ("cd" * 32), "candidate", date(2025, 1, 1), found)


def read(text: str) -> tuple[Reader, str]:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader, " ".join(" ".join(reader.words).split())


def test_it_fetches_nothing_and_says_what_stands_against_it() -> None:
    text = page(examined(BROKEN, WAIVED, UNSEEN, GOOD, waivers=(RECORD,)), {})
    reader, words = read(text)
    assert reader.fetched == []
    assert not re.search(r"https?://|@import|url\(", text)
    for said in (
        "Candidate cdcdcdcdcdcd", "2 checks stand against publishing it; 1 warnings, 1 of 4 checks passed.",
        BROKEN.id, "income_periods is <at most> 6.", "1 of 40 rows", "ab" * 32, "<b>",
        "From core.party, last delivered by core as party.txt of 2025-01-01", "risk.a.b ← a.b ← core__party.birth_date",
        "failed, waived by campaign", "A campaign ended & many left.", "approved by a, b, until 2025-02-01",
        "not audited", "No earlier release to compare with.",
    ):  # fmt: skip
        assert said in words, said
    assert all(gate in words for gate in REGISTRY)


def test_charts_are_svg_with_a_mark_for_everything() -> None:
    rows = {"risk.a": (50, 100.0), "risk.b": (900, 100.0), "risk.c": (7, None)}
    text = page(examined(BROKEN, UNSEEN, GOOD), rows)
    gates, counted = (ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert len(gates.findall("rect")) == 3
    assert [mark.text for mark in gates.findall("text")][::2] == sorted(
        c.id.partition("/")[0] for c in (BROKEN, UNSEEN, GOOD)
    )
    places = [float(mark.get("cx")) for mark in counted.findall("circle")]
    assert places == [380.0, 800.0], "half as many as usual, and twice as many or more"
    assert "50 of 100" in [mark.text for mark in counted.findall("text")]


def test_where_nothing_stands_against_it_the_page_says_so() -> None:
    _, words = read(page(examined(GOOD), {"risk.a": (5, 5.0)}))
    assert "Nothing stands against publishing it; 0 warnings, 1 of 1 checks passed." in words
    assert "What stands against it" not in words
    assert "Waivers" not in words


@pytest.mark.slow
def test_rows_are_told_with_those_of_the_releases_before(office: Office) -> None:
    first = office.publish(office.approved(date(1994, 3, 30), 8))
    candidate = office.approved(DAY, 12)
    found = Examined(candidate, "candidate", DAY, evidence(candidate, office.catalog))
    rows = rows_and_usual(found, office.catalog, office.home)
    assert rows["risk.customer_360"] == (12, 8)
    assert rows.keys() == office.catalog.products.keys()
    before = Examined(first.path, "release", first.business_date, found.evidence)
    assert rows_and_usual(before, office.catalog, office.home)["risk.customer_360"] == (8, None)
