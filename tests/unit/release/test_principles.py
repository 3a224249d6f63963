"""The index of BCBS 239: every principle has an answer, every gate a principle, and every file is in every pack."""

from __future__ import annotations

import pytest

from pipelines.audit.gates import REGISTRY, expected_checks
from pipelines.contracts.load import Catalog
from pipelines.release.principles import PRINCIPLES, index, index_page
from pipelines.release.verifier.archive import Broken
from pipelines.release.verifier.pack import check_index

from .warehouse import Office, evidence


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, shelf) -> dict:
    from .conftest import new_office

    office: Office = new_office(tmp_path_factory.mktemp("indexed") / "home", catalog, shelf)
    return index(evidence(office.approved(), catalog))


def test_every_principle_is_answered_or_somebody_elses(told: dict) -> None:
    assert list(PRINCIPLES) == list(range(1, 15))
    for number, answer in told["principles"].items():
        assert answer["title"]
        assert answer["gates"] or answer["files"] or answer["others"], number
        assert bool(answer["shown"]) == bool(answer["files"]), "files come with what they show"


def test_every_gate_serves_a_principle_that_there_is(told: dict) -> None:
    listed = [gate["id"] for answer in told["principles"].values() for gate in answer["gates"]]
    assert sorted(listed) == sorted(REGISTRY)


def test_every_check_is_counted_once(told: dict, catalog: Catalog) -> None:
    counts = [gate["checks"] for answer in told["principles"].values() for gate in answer["gates"]]
    assert sum(sum(count.values()) for count in counts) == len(expected_checks(catalog))


def test_supervisors_principles_claim_no_gate(told: dict) -> None:
    """12 to 14 are addressed to supervisors: no gate of a bank can serve them."""
    assert all(not told["principles"][str(number)]["gates"] for number in (12, 13, 14))


def test_the_page_names_all_that_the_index_names(told: dict) -> None:
    page = index_page(told)
    for answer in told["principles"].values():
        for words in (answer["title"], answer["others"], *answer["files"], *(gate["id"] for gate in answer["gates"])):
            assert words in page


def test_an_index_that_names_a_file_of_nobody_or_leaves_a_principle_out(told: dict) -> None:
    files = {file for answer in told["principles"].values() for file in answer["files"]}
    there = {f"{file}x" if file.endswith("/") else file for file in files}
    check_index(told, there)
    for file in files:
        with pytest.raises(Broken, match="which is not in the pack"):
            check_index(told, there - {file, f"{file}x"})
    for number in told["principles"]:
        less = {n: answer for n, answer in told["principles"].items() if n != number}
        with pytest.raises(Broken, match=f"nothing answers principle {number}"):
            check_index({"principles": less}, there)
