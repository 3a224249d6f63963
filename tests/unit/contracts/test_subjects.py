"""Subjects: whom the rows of a contract are about. What a wrong one is told is in messages/subjects.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.model import ContractError
from pipelines.contracts.subjects import ATTRIBUTES, KINDS, Reference, Subject, read_subjects

PATH = Path("a.odcs.yaml")


def test_a_contract_without_subjects_is_about_nobody():
    assert read_subjects(PATH, None) == ()


def test_a_subject_is_read_as_it_stands():
    stated = {
        "role": "owner", "entity": "person", "key": "lease_key", "name": "owner_name",
        "acts_for": {"contract": "market.stall_lease", "role": "merchant", "key": "lease_key"},
    }  # fmt: skip
    assert read_subjects(PATH, [stated]) == (
        Subject(
            "owner", "person", "lease_key", {"name": "owner_name"},
            acts_for=Reference(contract="market.stall_lease", role="merchant", key="lease_key"),
        ),
    )  # fmt: skip


def test_rows_of_either_kind_are_told_by_an_identifier():
    (subject,) = read_subjects(PATH, [{"role": "defendant", "entity": {"organisation": "uscc"}, "key": "case_key"}])
    assert (subject.entity, subject.organisation_if) == ("person", "uscc")


WORD = st.text("abcdefghij_", min_size=1, max_size=8).filter(lambda text: not text.startswith("_"))
STATED = st.builds(
    lambda role, entity, key, columns: {"role": role, "entity": entity, "key": key, **columns},
    WORD, st.sampled_from(KINDS), WORD, st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), WORD),
)  # fmt: skip


@given(st.lists(STATED, max_size=4, unique_by=lambda one: one["role"]))
def test_every_attribute_that_is_stated_is_read_and_no_other(stated):
    for subject, given_ in zip(read_subjects(PATH, stated), stated, strict=True):
        assert subject.columns == {name: column for name, column in given_.items() if name in ATTRIBUTES}
        assert (subject.role, subject.entity, subject.key) == (given_["role"], given_["entity"], given_["key"])


@given(STATED, WORD.filter(lambda word: word not in ATTRIBUTES))
def test_nothing_else_can_be_stated(stated, word):
    known = {"role", "entity", "key", "refers_to", "acts_for"}
    if word in known:
        return
    with pytest.raises(ContractError, match="not known here"):
        read_subjects(PATH, [stated | {word: "x"}])


def test_every_subject_of_the_project_has_something_to_be_matched_by(catalog):
    subjects = [(one.id, subject) for one in catalog.sources.values() for subject in one.subjects]
    assert len({(contract, subject.role, subject.key) for contract, subject in subjects}) == len(subjects) > 15
    for contract, subject in subjects:
        kind = next(column.identifier for column in catalog.sources[contract].columns if column.name == subject.key)
        assert kind or subject.columns or subject.refers_to, (contract, subject.role)


def test_every_role_is_one_that_the_crosswalk_may_have(catalog):
    role = next(column for column in catalog.derived["identity.party_crosswalk"].columns if column.name == "role")
    stated = {subject.role for one in catalog.sources.values() for subject in one.subjects}
    assert stated == set(role.enum)
