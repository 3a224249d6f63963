"""A product that names two parties in a row: both are pseudonyms, and both are held to that."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.audit.evidence import Evidence

from .candidates import Spoil, party_ids, with_values

RELATION, HOUSEHOLD = "risk.party_relation", "marketing.household"
PRODUCTS = (RELATION, HOUSEHOLD, "shared.coverage", "shared.reconciliation")


def put(column: str, value: str) -> Spoil:
    def spoil(tables: dict[str, pa.Table]) -> None:
        tables[RELATION] = with_values(tables[RELATION], column, [value])

    return spoil


def failed(evidence: Evidence) -> set[str]:
    return {check.id for check in evidence.checks if check.state == "failed"}


def test_two_pseudonyms_pass(audited) -> None:
    assert not {name for name in failed(audited()) if RELATION in name or name.startswith("privacy.")}


@pytest.mark.parametrize("column", ["from_pseudonym", "to_pseudonym"])
def test_a_party_id_in_either_is_caught(audited, column: str) -> None:
    assert "privacy.no_party_id" in failed(audited(put(column, party_ids(1)[0])))


@pytest.mark.parametrize("column", ["from_pseudonym", "to_pseudonym"])
def test_what_has_not_the_shape_of_a_pseudonym_is_caught(audited, column: str) -> None:
    assert f"contract.pseudonym/{RELATION}/{column}" in failed(audited(put(column, "A" * 64)))


def test_a_pseudonym_of_another_consumer_is_caught(audited) -> None:
    def spoil(tables: dict[str, pa.Table]) -> None:
        stranger = tables[HOUSEHOLD].column("pseudonym").to_pylist()[0]
        tables[RELATION] = with_values(tables[RELATION], "to_pseudonym", [stranger])

    assert "privacy.pseudonym_per_consumer" in failed(audited(spoil))
