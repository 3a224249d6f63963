"""The registry of gates: everything that is checked on a candidate, who answers for it and what it protects.

What belongs here: names, severities and owners, and which checks a catalog calls for. What does not: how a check
is done. A check's id is its gate's, followed by product, column or rule where a gate has many checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.contracts.expectations import Expectation, expectations, party_column
from pipelines.contracts.load import Catalog

State = Literal["passed", "failed", "not_audited"]
Severity = Literal["block", "warn"]
# What a gate has a check for: the release as a whole, each expectation of a contract, each product, each product with
# parties, with references or with groups (the policy says which), each list (its contract says who is a `member`), each
# source contract.
Each = Literal["release", "expectation", "product", "people", "reference", "group", "list", "source"]


@dataclass(frozen=True)
class Gate:
    """`principle` is the number of the BCBS 239 principle that the gate serves. `warn` states and never blocks."""

    id: str
    severity: Severity
    owner: str
    principle: int
    protects: str
    each: Each = "release"


@dataclass(frozen=True)
class Verdict:
    """What one check came to. A check that could not be carried out is not_audited, which is never a pass.

    `columns` are those that a failure is about, where the check is about more.
    """

    state: State
    observed: str
    failing_keys: tuple[dict[str, str | None], ...] = ()
    columns: tuple[str, ...] = ()


# Principles: 2 architecture, 3 accuracy and integrity, 4 completeness, 5 timeliness, 7 accuracy of reports,
# 11 distribution (to those entitled, with confidentiality kept).
_OFFICE, _PROTECTION, _RISK = "data-office", "data-protection-officer", "risk-policy"
REGISTRY: dict[str, Gate] = {
    gate.id: gate
    for gate in (
        Gate("candidate.content", "block", _OFFICE, 3, "what is audited is what was built, and nothing beside it"),
        Gate("candidate.business_date", "block", _OFFICE, 5, "the release says what was known on its date"),
        Gate(
            "contract.columns",
            "block",
            _OFFICE,
            2,
            "consumers get the columns promised to them, and no others",
            "expectation",
        ),
        Gate("contract.types", "block", _OFFICE, 2, "values keep their type and scale", "product"),
        Gate("contract.required", "block", _OFFICE, 4, "what must be known is known", "expectation"),
        Gate("contract.key", "block", _OFFICE, 3, "one row per grain: nothing is counted twice", "expectation"),
        Gate("contract.values", "block", _OFFICE, 3, "codes mean what the contract says", "expectation"),
        Gate("contract.range", "block", _OFFICE, 3, "figures are possible", "expectation"),
        Gate("contract.rule", "block", _OFFICE, 3, "columns of a row agree with each other", "expectation"),
        Gate("contract.business_date", "block", _OFFICE, 5, "no row is as of another date", "expectation"),
        Gate("contract.pseudonym", "block", _PROTECTION, 11, "parties appear under pseudonyms only", "expectation"),
        Gate("contract.references", "block", _OFFICE, 3, "what a key names is there", "reference"),
        Gate("reconciliation.agreed", "block", _OFFICE, 3, "counts and sums agree from delivery to mart"),
        Gate("reconciliation.present", "block", _OFFICE, 4, "every required delivery was reconciled"),
        Gate("coverage.required", "block", _OFFICE, 4, "every required delivery that is due by its contract is there"),
        Gate("coverage.carried", "warn", _OFFICE, 5, "optional data is not behind by more than its contract allows"),
        Gate("coverage.fresh", "warn", _OFFICE, 5, "data is as fresh as it is due, or usually is", "source"),
        Gate("volume.delivered", "warn", _OFFICE, 4, "a delivery is as long as promised, and as usual", "source"),
        Gate("volume.published", "block", _OFFICE, 4, "nothing is lost or doubled on the way", "product"),
        Gate("list.churn", "block", _RISK, 3, "a list does not turn over in a night by mistake", "list"),
        Gate("distribution.drift", "warn", _RISK, 3, "figures are spread as they were", "people"),
        Gate("consumers.consistent", "block", _OFFICE, 7, "consumers see the same parties and decisions"),
        Gate(
            "privacy.no_raw_identifier",
            "block",
            _PROTECTION,
            11,
            "no identifier leaves, in data or in words",
        ),
        Gate("privacy.no_party_id", "block", _PROTECTION, 11, "no internal id leaves"),
        Gate("privacy.pseudonym_per_consumer", "block", _PROTECTION, 11, "consumers cannot join what they hold"),
        Gate("privacy.lawful_use", "block", _PROTECTION, 11, "nothing is handed over of a party without a legal basis"),
        Gate("privacy.data_usage", "block", _PROTECTION, 11, "the ledger says what was used of whom, all of it"),
        Gate("privacy.release_point", "block", _PROTECTION, 11, "a wider purpose sees only what was signed"),
        Gate("privacy.group_size", "block", _PROTECTION, 11, "figures of groups tell of nobody in them", "group"),
    )
}

# Gates of which single rows fail; of the others the whole of a table, a list or a release does.
OF_ROWS = frozenset(
    {
        "contract.required", "contract.key", "contract.values", "contract.range", "contract.rule",
        "contract.business_date", "contract.pseudonym", "contract.references", "consumers.consistent",
        "reconciliation.agreed", "coverage.required", "coverage.carried", "list.churn", "privacy.group_size",
    }
)  # fmt: skip

# Gates that are one check each; the others have one per product, list, source contract, column or rule.
SINGLE = frozenset(name for name, gate in REGISTRY.items() if gate.each == "release")


def gate_of(check_id: str) -> Gate:
    """The gate that a check belongs to; KeyError where no gate has such checks."""
    return REGISTRY[check_id.partition("/")[0]]


def about(check_id: str) -> str | None:
    """The product or source contract that a check is about; None where it is about the release as a whole."""
    return check_id.split("/")[1] if "/" in check_id else None


def suites(catalog: Catalog) -> dict[str, tuple[Expectation, ...]]:
    """What is expected of each product, by product id."""
    marts = catalog.marts
    return {name: expectations(product, marts.get(product.mart or "")) for name, product in catalog.products.items()}


def types_check(product_id: str) -> str:
    """Id of the check that holds a product's Parquet types against its contract."""
    return f"contract.types/{product_id}"


def checked_of(gate: Gate, catalog: Catalog) -> tuple[str, ...]:
    """The products or source contracts of which a gate has one check each."""
    products, rules = catalog.products, catalog.policy.gates
    match gate.each:
        case "product":
            return tuple(products)
        case "source":
            return tuple(catalog.sources)
        case "list":
            return tuple(name for name, product in products.items() if product.member is not None)
        case "group":
            return tuple(name for name in rules.groups if name in products)
        case "people":
            return tuple(n for n, p in products.items() if any(party_column(column.name) for column in p.columns))
        case "reference":
            return tuple(name for name, product in products.items() if rules.references_of(products, product))
    return ()


def expected_checks(catalog: Catalog) -> frozenset[str]:
    """Every check that complete evidence holds: from contracts and registry alone, never from evidence."""
    of_contracts = {expectation.id for suite in suites(catalog).values() for expectation in suite}
    each = {f"{gate.id}/{name}" for gate in REGISTRY.values() for name in checked_of(gate, catalog)}
    return frozenset(SINGLE | of_contracts | each)
