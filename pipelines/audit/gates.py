"""The registry of gates: everything that is checked on a candidate, who answers for it and what it protects.

What belongs here: names, severities and owners, and which checks a catalog calls for. What does not: how a check
is done. A check's id is its gate's, followed by product, column or rule where a gate has many checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.contracts.expectations import Expectation, expectations
from pipelines.contracts.load import Catalog

State = Literal["passed", "failed", "not_audited"]
Severity = Literal["block", "warn"]


@dataclass(frozen=True)
class Gate:
    """`principle` is the number of the BCBS 239 principle that the gate serves. `warn` states and never blocks."""

    id: str
    severity: Severity
    owner: str
    principle: int
    protects: str


@dataclass(frozen=True)
class Verdict:
    """What one check came to. A check that could not be carried out is not_audited, which is never a pass."""

    state: State
    observed: str
    failing_keys: tuple[dict[str, str | None], ...] = ()


# Principles: 2 architecture, 3 accuracy and integrity, 4 completeness, 5 timeliness, 7 accuracy of reports,
# 11 distribution (to those entitled, with confidentiality kept).
_OFFICE, _PROTECTION = "data-office", "data-protection-officer"
REGISTRY: dict[str, Gate] = {
    gate.id: gate
    for gate in (
        Gate("candidate.content", "block", _OFFICE, 3, "what is audited is what was built, and nothing beside it"),
        Gate("candidate.business_date", "block", _OFFICE, 5, "the release says what was known on its date"),
        Gate("contract.columns", "block", _OFFICE, 2, "consumers get the columns promised to them, and no others"),
        Gate("contract.types", "block", _OFFICE, 2, "values keep their type and scale"),
        Gate("contract.required", "block", _OFFICE, 4, "what must be known is known"),
        Gate("contract.key", "block", _OFFICE, 3, "one row per grain: nothing is counted twice"),
        Gate("contract.values", "block", _OFFICE, 3, "codes mean what the contract says"),
        Gate("contract.range", "block", _OFFICE, 3, "figures are possible"),
        Gate("contract.rule", "block", _OFFICE, 3, "columns of a row agree with each other"),
        Gate("contract.business_date", "block", _OFFICE, 5, "no row is as of another date"),
        Gate("contract.pseudonym", "block", _PROTECTION, 11, "parties appear under pseudonyms only"),
        Gate("reconciliation.agreed", "block", _OFFICE, 3, "counts and sums agree from delivery to mart"),
        Gate("reconciliation.present", "block", _OFFICE, 4, "every required delivery was reconciled"),
        Gate("coverage.required", "block", _OFFICE, 4, "no required delivery is absent"),
        Gate("coverage.carried", "warn", _OFFICE, 5, "optional data is not carried beyond its contract"),
        Gate("consumers.consistent", "block", _OFFICE, 7, "consumers see the same parties and decisions"),
        Gate("privacy.no_raw_identifier", "block", _PROTECTION, 11, "no identity or phone number leaves"),
        Gate("privacy.no_party_id", "block", _PROTECTION, 11, "no internal id leaves"),
        Gate("privacy.pseudonym_per_consumer", "block", _PROTECTION, 11, "consumers cannot join what they hold"),
        Gate("privacy.lawful_use", "block", _PROTECTION, 11, "nothing is handed over of a party without a legal basis"),
        Gate("privacy.data_usage", "block", _PROTECTION, 11, "the ledger says what was used of whom, all of it"),
        Gate("privacy.release_point", "block", _PROTECTION, 11, "a wider purpose sees only what was signed"),
    )
}

# Gates that are one check each; the others have one per product, column or rule.
SINGLE = frozenset(name for name in REGISTRY if not name.startswith("contract."))


def gate_of(check_id: str) -> Gate:
    """The gate that a check belongs to; KeyError where no gate has such checks."""
    return REGISTRY[check_id.partition("/")[0]]


def suites(catalog: Catalog) -> dict[str, tuple[Expectation, ...]]:
    """What is expected of each product, by product id."""
    marts = catalog.marts
    return {name: expectations(product, marts.get(product.mart or "")) for name, product in catalog.products.items()}


def types_check(product_id: str) -> str:
    """Id of the check that holds a product's Parquet types against its contract."""
    return f"contract.types/{product_id}"


def expected_checks(catalog: Catalog) -> frozenset[str]:
    """Every check that complete evidence holds: from contracts and registry alone, never from evidence."""
    of_contracts = {expectation.id for suite in suites(catalog).values() for expectation in suite}
    return frozenset(SINGLE | of_contracts | {types_check(product_id) for product_id in catalog.products})
