"""The gate that holds what is handed over against the proofs, and the proofs against the rules."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.audit import lawful
from pipelines.audit.content import PROOF, RULES
from pipelines.audit.lawful import PURPOSES, refusals
from pipelines.contracts.load import Catalog
from pipelines.lineage.needs import Needs
from pipelines.release.proof import rules

from .candidates import BANK, write_candidate

PRODUCTS = (
    "marketing.customer_segment", "marketing.customer_tag", "marketing.household", "marketing.lawful_use",
    "risk.customer_segment", "risk.lawful_use", "shared.coverage", "shared.reconciliation",
)  # fmt: skip


@pytest.fixture
def candidate(tmp_path: Path, catalog: Catalog) -> Path:
    return write_candidate(tmp_path, catalog)


@pytest.fixture
def by_consent(catalog: Catalog) -> dict:
    """The rules of a bank whose basis for marketing is consent."""
    return rules(catalog, "simbank", {})


def unproven(candidate: Path, catalog: Catalog) -> list[str]:
    with duckdb.connect() as con:
        return lawful.unproven(con, candidate, catalog)


def change(path: Path, **columns: pl.Expr) -> None:
    pl.read_parquet(path).with_columns(**columns).write_parquet(path)


def needs(candidate: Path, product: str, **said: object) -> None:
    """Say that a product needs something else."""
    place = candidate / PROOF / RULES
    told = json.loads(place.read_bytes())
    told["needs"][product] |= said
    place.write_text(json.dumps(told))


def test_what_is_lawful_passes(candidate: Path, catalog: Catalog) -> None:
    assert unproven(candidate, catalog) == []


def test_a_row_of_somebody_without_a_basis_is_seen(candidate: Path, catalog: Catalog) -> None:
    proofs = candidate / PROOF / "marketing.parquet"
    change(proofs, marketing_basic=pl.lit(value=False))
    found = unproven(candidate, catalog)
    assert "marketing.customer_segment: 40 of 40 rows of parties of whom that is not lawful" in found
    assert [line for line in found if line.startswith("proof of marketing: marketing_basic does not follow")]
    assert not [line for line in found if line.startswith("risk.")]


def test_a_row_of_somebody_without_a_proof_is_seen(candidate: Path, catalog: Catalog) -> None:
    proofs = candidate / PROOF / "risk.parquet"
    gone = pl.read_parquet(candidate / "risk" / "customer_segment.parquet")["pseudonym"][0]
    pl.read_parquet(proofs).filter(pl.col("pseudonym") != gone).write_parquet(proofs)
    assert "risk.customer_segment: 1 of 40 rows of parties of whom that is not lawful" in unproven(candidate, catalog)


def test_a_value_that_should_have_been_held_back_is_seen(candidate: Path, catalog: Catalog) -> None:
    needs(candidate, "marketing.customer_segment", columns={"rfm_group": ["marketing_bureau"]})
    values = pl.read_parquet(candidate / "marketing" / "customer_segment.parquet")["rfm_group"].is_not_null().sum()
    assert values
    assert unproven(candidate, catalog) == [
        f"marketing.customer_segment.rfm_group: {values} values of parties of whom that is not lawful"
    ]
    change(candidate / "marketing" / "customer_segment.parquet", rfm_group=pl.lit(None, pl.String))
    assert unproven(candidate, catalog) == []


def test_a_tag_that_should_have_been_held_back_is_seen(candidate: Path, catalog: Catalog) -> None:
    tag = pl.read_parquet(candidate / "marketing" / "customer_tag.parquet")["tag"][0]
    needs(candidate, "marketing.customer_tag", tags={tag: ["marketing_medical"]})
    (found,) = unproven(candidate, catalog)
    assert found.startswith(f"marketing.customer_tag: the tag {tag} of ")


def test_a_product_that_no_rule_speaks_of_is_seen(candidate: Path, catalog: Catalog) -> None:
    place = candidate / PROOF / RULES
    told = json.loads(place.read_bytes())
    del told["needs"]["marketing.household"]
    place.write_text(json.dumps(told))
    assert unproven(candidate, catalog) == ["marketing.household: no rule says what it needs"]


PERSON, NOTHING = "person", None


@pytest.mark.parametrize(
    ("consumer", "facts", "expected"),
    [
        pytest.param(
            "marketing", (PERSON, False, True, NOTHING), {"basic:no_consent", "transaction:no_consent"}, id="PIPL 13",
        ),
        pytest.param(
            "marketing", (PERSON, False, True, "marketing=given;marketing.basic=given"), {"transaction:no_consent"},
            id="PIPL 14, class by class",
        ),
        pytest.param(
            "marketing", (PERSON, False, True, "marketing=withdrawn;marketing.basic=withdrawn"), {"basic:withdrawn"},
            id="PIPL 15, withdrawn",
        ),
        # No to automated marketing, yes to marketing.
        pytest.param(
            "marketing", (PERSON, False, True, "marketing=given;marketing.basic=given;automated_marketing=withdrawn"),
            {"automated:withdrawn"}, id="PIPL 24",
        ),
        pytest.param(
            "marketing", (PERSON, True, True, "marketing=given;marketing.basic=given"), {"basic:minor", "public:minor"},
            id="PIPL 31, a child under 14",
        ),
        # Medical data never judge credit, whatever was consented to.
        pytest.param(
            "risk", (PERSON, False, True, "sensitive_processing=given"), {"medical:refused"}, id="PIPL 28, 29",
        ),
        # The bureau only as agreed.
        pytest.param("risk", (PERSON, False, True, NOTHING), {"bureau:no_authorisation"}, id="bureau, not asked"),
        pytest.param(
            "risk", (PERSON, False, True, "bureau_query=withdrawn"), {"bureau:withdrawn"}, id="bureau, withdrawn",
        ),
        pytest.param(
            "marketing", (PERSON, False, True, "bureau_query=given"), {"bureau:not_authorised_for_purpose"},
            id="bureau, for another purpose",
        ),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(by_consent: dict, consumer: str, facts: tuple, expected: set[str]) -> None:
    assert expected <= set(refusals(consumer, facts, by_consent))


@pytest.mark.parametrize(
    ("consumer", "facts", "lawful"),
    [
        ("risk", (PERSON, False, True, "bureau_query=given"), {"basic", "transaction", "bureau", "public"}),
        ("marketing", ("organisation", False, True, NOTHING), {"basic", "transaction", "public", "automated"}),
        ("marketing", (PERSON, False, True, "marketing=given;marketing.basic=given;marketing.transaction=given"),
         {"basic", "transaction", "public", "automated"}),
    ],
)  # fmt: skip
def test_what_is_lawful(by_consent: dict, consumer: str, facts: tuple, lawful: set[str]) -> None:
    assert not lawful & {one.partition(":")[0] for one in refusals(consumer, facts, by_consent)}


def test_where_consent_is_not_known_nothing_that_needs_it_is_lawful(by_consent: dict) -> None:
    found = set(refusals("marketing", (PERSON, False, False, NOTHING), by_consent))
    assert {"basic:consent_unknown", "transaction:consent_unknown", "bureau:consent_unknown"} <= found


def test_a_bank_without_a_basis_may_do_nothing(by_consent: dict) -> None:
    for consumer in PURPOSES:
        told = by_consent | {"legal_basis": {}}
        assert "basic:no_basis" in refusals(consumer, ("organisation", False, True, NOTHING), told)


def test_rules_name_only_products_with_parties(catalog: Catalog) -> None:
    told = rules(catalog, BANK, {"shared.coverage": Needs(), "risk.customer_segment": Needs(frozenset({"risk_basic"}))})
    assert list(told["needs"]) == ["risk.customer_segment"]


def test_a_proof_that_is_not_there_is_named(candidate: Path, catalog: Catalog) -> None:
    (candidate / PROOF / "risk.parquet").unlink()
    with pytest.raises(FileNotFoundError) as error:
        unproven(candidate, catalog)
    assert error.value.filename == str(candidate / PROOF / "risk.parquet")
