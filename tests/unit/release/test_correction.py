"""A second release of a date: whether it is the same one; if not, which one it supersedes, and what it says changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.content import supersession
from pipelines.release import provenance
from pipelines.release.catalogue import Release, current, find, verify_release
from pipelines.release.correction import deliveries_changed, reason_of
from pipelines.release.pointer import place_of

from .warehouse import DAY, Office, approve, evidence

FILES = st.dictionaries(
    st.tuples(st.sampled_from(("core.party", "core.account")), st.sampled_from(("a.csv", "b.csv"))),
    st.tuples(st.sampled_from(("11", "22")), st.integers(1, 3)),
)


def entries(files: dict) -> list[dict[str, Any]]:
    return [
        {"contract": contract, "source": "core", "delivery": name, "sha256": sha256, "first": "1994-03-30",
         "last": "1994-03-31", "rows": rows}
        for (contract, name), (sha256, rows) in sorted(files.items())
    ]  # fmt: skip


@given(before=FILES, now=FILES)
def test_every_delivery_that_is_another_is_named_once_with_how(before: dict, now: dict) -> None:
    found = {(one["contract"], one["delivery"]): one for one in deliveries_changed(entries(before), entries(now))}
    assert found.keys() == {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    for name, told in found.items():
        old, new = before.get(name), now.get(name)
        assert (told["rows_before"], told["rows_after"]) == (old and old[1], new and new[1])
        if old is None or new is None:
            assert told["change"] == ("new" if old is None else "gone")
        else:
            assert told["change"] == ("corrected" if old[0] != new[0] else "landed otherwise")


def published(office: Office, parties: int) -> Release:
    """The night with so many parties, built in this home and not taken from a shelf."""
    directory = office.build(DAY, parties).directory
    approve(directory, evidence(directory, office.catalog))
    return office.publish(directory)


@pytest.mark.slow
def test_the_same_night_is_the_same_release_and_another_one_supersedes_it(office: Office) -> None:
    first = published(office, 5)
    assert supersession(first.path) is None
    assert "supersedes" not in first.manifest
    assert published(office, 5).id == first.id
    second = published(office, 7)
    told = supersession(second.path) or {}
    assert (told["supersedes"], told["restores"], told["compared_with"]) == (first.id, None, first.id)
    assert second.manifest["supersedes"]["supersedes"] == first.id
    assert told["products"]["risk.customer_360"] == {
        "rows_before": 5, "rows_after": 7, "added": 2, "removed": 0, "changed": 0,
    }  # fmt: skip
    assert published(office, 7).id == second.id, "again it says of itself what it said"
    back = published(office, 5)
    assert back.id != first.id, "what was corrected back supersedes the correction"
    assert (supersession(back.path) or {})["supersedes"] == second.id
    assert [place_of(one.path).order for one in (first, second, back)] == [0, 1, 2]
    assert current(office.home).id == back.id
    assert verify_release(find(office.home, back.id), office.catalog) == []


@pytest.mark.slow
def test_other_code_with_the_same_rows_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    first = published(office, 3)
    monkeypatch.setattr(provenance, "code_digest", lambda: "0" * 64)
    second = published(office, 3)
    told = supersession(second.path) or {}
    assert second.id != first.id
    assert told["changed"] == {"deliveries": [], "contracts": [], "other": ["code"]}
    assert told["reason"] == "changed: code"
    assert told["products"] == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"deliveries": [{"contract": "b"}, {"contract": "a"}, {"contract": "a"}], "contracts": [], "other": []},
         "deliveries changed: a, b"),
        ({"deliveries": [], "contracts": ["x", "y"], "other": ["policy", "code"]},
         "contracts changed: 2; changed: policy, code"),
        ({"deliveries": [], "contracts": [], "other": []},
         "the same night came to something else: what was known before it is another"),
    ],
)  # fmt: skip
def test_the_reason_is_one_line(changed: dict, words: str) -> None:
    assert reason_of(changed) == words
