"""The file of admission decisions: strict, signed, dated, and the last word on a case stands."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.admission import decisions
from pipelines.admission.decisions import Decision
from pipelines.contracts.model import ContractError
from pipelines.settings import Home

CASE, OTHER = "0123456789abcdef", "fedcba9876543210"
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)
ENTRY = st.builds(
    Decision, case=st.integers(0, 2**64 - 1).map("{:016x}".format), verdict=st.sampled_from(["admit", "reject"]),
    decided_by=TEXT, decided_on=st.dates(date(2020, 1, 1), date(2030, 1, 1)), reason=TEXT,
)  # fmt: skip
GOOD = f"""\
decisions:
# written by hand
- case: {CASE}
  verdict: reject
  decided_by: Ann
  decided_on: 2025-12-30
  reason: debts elsewhere   # and a remark
"""


def entry(case: str = CASE, verdict: str = "admit", on: str = "2025-12-31") -> Decision:
    return Decision(case=case, verdict=verdict, decided_by="Bob", decided_on=date.fromisoformat(on), reason="paid")


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(entries=st.lists(ENTRY, min_size=1, max_size=4, unique_by=lambda one: one.case))
def test_what_is_added_is_read_and_what_was_there_stays(tmp_path_factory, entries):
    for start in (None, GOOD.replace(CASE, "00000000000000zz".replace("zz", "0a")), "decisions: []\n", "decisions:\n"):
        file = tmp_path_factory.mktemp("home") / "risk" / "admission_decisions.yaml"
        if start:
            file.parent.mkdir()
            file.write_text(start, encoding="utf-8")
        before = decisions.read(file)
        for one in entries:
            if one.case not in {known.case for known in before}:
                decisions.add(file, [one])
        added = [one for one in entries if one.case not in {known.case for known in before}]
        assert decisions.read(file) == (*before, *added)
        assert [path.name for path in file.parent.iterdir()] == [file.name]
        assert file.stat().st_mode & 0o077 == 0 or not added


def test_no_file_is_no_decision(tmp_path):
    home = Home(tmp_path)
    assert decisions.read(decisions.path(home)) == ()
    assert decisions.rows(home) == []
    assert decisions.fingerprint(home, date(2025, 12, 31)) is None


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("verdict: reject", "verdict: review", r"decisions\.1\.verdict"),
        ("  reason: debts", "  cause: debts", r"decisions\.1\.cause: not known here"),
        ("  reason: debts elsewhere   # and a remark\n", "", r"decisions\.1\.reason"),
        ("decided_by: Ann", "decided_by: ' '", r"decisions\.1\.decided_by"),
        ("decided_by: Ann", "decided_by: Ann\n  decided_by: Bob", "given twice"),
        (CASE, CASE[:15], r"decisions\.1\.case"),
        (CASE, CASE.upper(), r"decisions\.1\.case"),
        ("2025-12-30", "20251230", r"decisions\.1\.decided_on"),
        ("2025-12-30", "2025-12-30T10:00:00", r"decisions\.1\.decided_on"),
        ("2025-12-30", "2025-02-30", r"decided_on|line |day is out of range"),
        ("decisions:", "decision:", "decision: not known here"),
    ],
)
def test_a_fault_is_said_with_file_entry_and_rule(tmp_path, old, new, said):
    file = tmp_path / "admission_decisions.yaml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError, match=said) as fault:
        decisions.read(file)
    assert str(fault.value).startswith(str(file))


def test_entries_of_one_case_come_in_the_order_of_their_days(tmp_path):
    file = tmp_path / "admission_decisions.yaml"
    decisions.add(
        file, [entry(on="2025-12-30"), entry(OTHER, on="2025-12-01"), entry(verdict="reject", on="2025-12-30")]
    )
    before = file.read_bytes()
    with pytest.raises(ContractError, match=f"case {CASE} was decided later above, on 2025-12-30"):
        decisions.add(file, [entry(on="2025-12-29")])
    assert file.read_bytes() == before


def test_what_is_said_later_is_no_part_of_an_earlier_release(tmp_path):
    home = Home(tmp_path)
    file = decisions.path(home)
    decisions.add(file, [entry(on="2025-12-30")])
    first = decisions.fingerprint(home, date(2025, 12, 30))
    decisions.add(file, [entry(verdict="reject", on="2025-12-31")])
    assert decisions.fingerprint(home, date(2025, 12, 29)) is None
    assert decisions.fingerprint(home, date(2025, 12, 30)) == first
    assert decisions.fingerprint(home, date(2025, 12, 31)) not in (None, first)
    assert [(row["entry"], row["verdict"]) for row in decisions.rows(home)] == [(1, "admit"), (2, "reject")]
