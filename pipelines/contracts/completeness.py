"""What must hold of a contract as a whole, and between source contracts; each fault says what to do.

What belongs here: rules over several columns or contracts. What does not: one column (`column`), purposes (`purpose`).
"""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.contracts.document import suggestion
from pipelines.contracts.expectations import PARTY, mentioned, party_column
from pipelines.contracts.model import CONSUMERS, DATA_CLASSES, DELIVERIES, Contract, ContractError
from pipelines.contracts.policy import Policy

SUFFIX = ".odcs.yaml"
_SUMMED = re.compile(r"decimal.*|bigint")
_CRITICALITIES = ("required", "optional")


def depth(contract_id: str, sources: dict[str, Contract], below: tuple[str, ...] = ()) -> int:
    """How many generations of referenced contracts land before `contract_id`. Raises ContractError for a circle."""
    if contract_id in below:
        circle = " -> ".join((*below[below.index(contract_id) :], contract_id))
        raise ContractError(
            f"{sources[contract_id].path}: relationships: {circle} is a circle, so none can be landed first; remove one"
        )
    parents = {c.references[0] for c in sources[contract_id].columns if c.references} - {contract_id}
    return 1 + max((depth(parent, sources, (*below, contract_id)) for parent in parents), default=0)


def check_references(sources: dict[str, Contract]) -> None:
    """Raise ContractError unless every foreign key leads to a key of its own type, and never back to itself."""
    for contract in sources.values():
        for column in contract.columns:
            if column.references is None:
                continue
            parent, name = column.references
            at = f"{contract.path}: {column.name}.relationships"
            if parent not in sources or sources[parent].key != (name,):
                raise ContractError(
                    f"{at}: {parent}.{name} is not the key of a source contract; name one as <contract id>.<key column>"
                )
            if (wanted := sources[parent].column(name).type) != column.type:
                raise ContractError(f"{at}: a {column.type} refers to {parent}.{name}, a {wanted}; make them agree")
    for contract_id in sources:
        depth(contract_id, sources)


def check_survivorship(sources: dict[str, Contract], policy: Policy) -> None:
    """Raise ContractError for an attribute of a party that a contract is to speak for and has no column of."""
    for attribute, contracts in policy.survivorship.items():
        for contract_id in contracts:
            at = f"{policy.path}: survivorship.{attribute}: {contract_id}"
            if contract_id not in sources:
                raise ContractError(f"{at} is no source contract{suggestion(contract_id, set(sources))}; correct it")
            if attribute not in {column.name for column in sources[contract_id].columns}:
                raise ContractError(f"{at} has no column {attribute}; name contracts that state it")
        if len(set(contracts)) < len(contracts):
            raise ContractError(f"{policy.path}: survivorship.{attribute}: a contract is listed twice; keep one")


def check_contract(
    path: Path, contract: Contract, numbered: list[tuple[str | None, int]], mart: Contract | None
) -> None:
    """Raise ContractError for the first thing wrong. `numbered` are the columns with a primaryKeyPosition."""
    names = [column.name for column in contract.columns]
    stored = [column.lake_name for column in contract.columns]
    twice = sorted({name for name in stored if stored.count(name) > 1})
    rules = [rule.name for rule in contract.rules]
    of_mart = set() if mart is None else {column.name for column in mart.columns}
    unsummed = [n for n in contract.control_sums if n not in names or not _SUMMED.fullmatch(contract.column(n).type)]
    folder = contract.domain if contract.kind != "mart" else path.parent.name
    deliveries = [name for name in DELIVERIES if (name != "derived") == (contract.kind == "source")]
    taken = sorted({"source", "business_date"} & set(names)) if contract.kind == "source" else []
    stands_for = {name: party for name in names if mart and (party := party_column(name))}
    internal = [name for name in names if name == PARTY or name.endswith(f"_{PARTY}")]
    loose = [name for name in stands_for if name not in contract.key]
    nobody = [name for name, party in stands_for.items() if party not in of_mart]
    faults = (
        (not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", contract.version), "version: give major.minor.patch in digits"),
        (contract.id != f"{contract.domain}.{contract.table}", "id: is not <domain>.<table>; make the three agree"),
        (
            (path.parent.name, path.name) != (folder, f"{contract.table}{SUFFIX}"),
            f"id: a file of this name does not hold {contract.id}; call it {folder}/{contract.table}{SUFFIX}",
        ),
        (not contract.key, "schema.properties: no primaryKey; every table has a key"),
        (twice, f"schema.properties: {', '.join(twice)} is there twice, counting tokens of identifiers; rename one"),
        (
            mart is None and numbered and numbered != [(name, n) for n, name in enumerate(contract.key, start=1)],
            "primaryKeyPosition: number the key columns 1, 2, ... in the order in which they are listed",
        ),
        (taken, f"schema.properties: {', '.join(taken)} is added by the lake to every row; rename the column"),
        (len(set(rules)) < len(rules), "schema.quality: two rules share a name; rename one"),
        (contract.delivery not in deliveries, f"customProperties.delivery: use {', '.join(deliveries)}"),
        (
            contract.criticality not in _CRITICALITIES,
            f"customProperties.criticality: use {' or '.join(_CRITICALITIES)}",
        ),
        (
            contract.kind == "source" and contract.data_class not in DATA_CLASSES,
            f"customProperties.dataClass: '{contract.data_class}' is no class of data; use {', '.join(DATA_CLASSES)}",
        ),
        (contract.carry_forward_days < 0, "customProperties.carryForwardDays: give 0 or more days"),
        (not 0 <= contract.reject_limit <= 1, "customProperties.rejectLimit: give a share between 0 and 1"),
        (unsummed, f"customProperties.controlSums: {', '.join(unsummed)} is no decimal or bigint column; correct it"),
        (
            contract.kind == "source" and not contract.available_at,
            "slaProperties.timeOfAvailability: missing; say when the delivery is due",
        ),
        (
            contract.kind != "source" and contract.row_count,
            "schema.quality.rowCount: only what is delivered is held against it; remove it",
        ),
        (
            contract.kind == "mart" and "business_date" not in contract.key,
            "business_date: not in the key; a mart is as of a business date",
        ),
        (
            contract.kind == "product" and contract.consumer not in CONSUMERS,
            f"customProperties.consumer: use {', '.join(CONSUMERS)}",
        ),
        (contract.kind == "product" and contract.consumer != contract.domain, "domain: name the consumer"),
        (
            contract.consumer == "shared" and stands_for,
            "pseudonym: a shared product has no parties; two consumers could join them; remove it",
        ),
        (mart and internal, f"{', '.join(internal)}: leaves the platform only as a pseudonym; remove it"),
        (mart and loose, f"{', '.join(loose)}: stands for the party; make it a key"),
        (mart and nobody, f"{', '.join(nobody)}: the mart has no such party; remove it"),
        (
            mart and contract.filter and not mentioned(contract.filter, mart),
            f"customProperties.filter: '{contract.filter}' names no column of {contract.mart}; correct it",
        ),
        (
            contract.member and not mentioned(contract.member, contract),
            f"customProperties.member: '{contract.member}' names no column of the product; correct it",
        ),
    )  # fmt: skip
    for wrong, message in faults:
        if wrong:
            raise ContractError(f"{path}: {message}")
