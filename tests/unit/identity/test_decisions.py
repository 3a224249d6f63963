"""The decision file: strict, edited by people and by undo, and the last word on a pair stands."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts.model import ContractError
from pipelines.identity import decisions
from pipelines.identity.decisions import Decision

from .nights import own, ref

NAME = st.sampled_from("abcdef")
SIDES = st.tuples(st.sets(NAME, min_size=1, max_size=3), st.sets(NAME, min_size=1, max_size=3)).map(
    lambda sides: (sides[0], sides[1] - sides[0])
).filter(lambda sides: sides[1])  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip())
ENTRY = st.builds(
    lambda verdict, sides, by, reason, event: Decision(
        verdict=verdict, left=sorted(map(ref, sides[0])), right=sorted(map(ref, sides[1])), decided_by=by,
        reason=reason, event=event and own(event),
    ),
    st.sampled_from(["together", "apart"]), SIDES, TEXT, TEXT, st.one_of(st.none(), NAME),
)  # fmt: skip
GOOD = f"""\
decisions:
# written by hand
- verdict: apart
  left: {ref("a")}
  right: [{ref("b")}, {ref("c")}]
  decided_by: Ann
  reason: two people   # and a remark
"""


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(entries=st.lists(ENTRY, min_size=1, max_size=4))
def test_what_is_added_is_read_and_what_was_there_stays(tmp_path_factory, entries):
    for start in (None, GOOD, "decisions: []\n", "decisions:\n", "# nothing yet\ndecisions:\n  # none\n"):
        file = tmp_path_factory.mktemp("home") / "decisions.yaml"
        if start:
            file.write_text(start, encoding="utf-8")
        before = decisions.read(file)
        for entry in entries:
            decisions.add(file, [entry])
        assert decisions.read(file) == (*before, *entries)
        assert start != GOOD or file.read_text(encoding="utf-8").startswith(GOOD.rstrip())
        assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_one_who_decided_nothing_has_no_file(tmp_path):
    assert decisions.read(tmp_path / "decisions.yaml") == ()


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("verdict: apart", "verdict: perhaps", r"decisions\.1\.verdict"),
        ("  reason: two people", "  cause: two people", r"decisions\.1\.cause: not known here"),
        ("decided_by: Ann", "decided_by: ''", r"decisions\.1\.decided_by"),
        (ref("a"), "abc", r"decisions\.1\.left"),
        (ref("a"), ref("b"), r"decisions\.1: .* is on both sides"),
        ("decisions:", "decision:", "decision: not known here"),
        ("decisions:", "decisions: {", "line "),
    ],
)
def test_a_fault_is_said_with_file_entry_and_rule(tmp_path, old, new, said):
    file = tmp_path / "decisions.yaml"
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContractError, match=said) as fault:
        decisions.read(file)
    assert str(fault.value).startswith(str(file))


def test_a_file_that_goes_on_after_its_list_is_left_alone(tmp_path):
    file = tmp_path / "decisions.yaml"
    file.write_text(GOOD + "more: 1\n", encoding="utf-8")
    before = file.read_bytes()
    entry = Decision(verdict="together", left=[ref("a")], right=[ref("d")], decided_by="Ann", reason="one")
    with pytest.raises(ContractError):
        decisions.add(file, [entry])
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


@given(entries=st.lists(ENTRY, max_size=5))
def test_the_last_word_on_a_pair_stands(entries):
    names = {ref(name) for name in "abcdef"}
    found = decisions.verdicts(entries, {}, names)
    assert not found.unknown
    if entries:
        last = entries[-1]
        for a in last.left:
            for b in last.right:
                assert (tuple(sorted((a, b))) in found.apart) == (last.verdict == "apart")
    # What stands of one kind, no entry of the other kind that stands speaks of as a whole.
    for joined in found.together.values():
        whole = {*joined.left, *joined.right}
        assert not [pair for pair in found.apart if set(pair) <= whole]


def test_a_party_id_is_its_founder_and_a_name_of_nobody_is_told():
    entry = Decision(verdict="apart", left=[own("a")], right=[ref("b"), ref("q")], decided_by="Ann", reason="no")
    found = decisions.verdicts([entry], {own("a"): ref("a")}, {ref("a"), ref("b")})
    assert list(found.apart) == [tuple(sorted((ref("a"), ref("b"))))] and found.unknown == (ref("q"),)
