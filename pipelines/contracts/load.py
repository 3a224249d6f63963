"""Reads contract YAML into the model and refuses what is incomplete.

The Open Data Contract Standard makes every field optional and its reader drops fields it does not know; this
module requires what the platform needs and names every field it does not understand.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard, SchemaProperty
from pydantic import ValidationError

from pipelines.contracts.bank import Bank, load_bank
from pipelines.contracts.feed import Feed, load_feed
from pipelines.contracts.model import CONSUMERS, DELIVERIES, PURPOSES, Column, Contract, ContractError, RowRule
from pipelines.contracts.policy import Policy, load_policy

_TYPE = re.compile(r"string|date|timestamp|boolean|bigint|double|decimal\([0-9]+,[0-9]+\)")
_CLASSIFICATION = re.compile(r"L([1-5])(?:/(C[1-3]))?")
_FOLDERS = {"source": "sources", "derived": "derived", "mart": "marts", "product": "products"}
_PROPERTIES = {
    "source": {"delivery", "criticality", "carryForwardDays", "rejectLimit", "purposes", "legalBasis", "controlSums"},
    "derived": {"delivery", "criticality", "purposes", "legalBasis"},
    "mart": {"delivery", "criticality", "purposes", "legalBasis"},
    "product": {"consumer", "mart", "purposes", "filter", "releasePoint"},
}
_OPTIONAL = {"controlSums", "filter", "releasePoint"}
_COLUMN_PROPERTIES = {"identifier", "inputs", "purposes", "legalBasis"}


class Catalog:
    """All contracts of a project, with its policy, banks and feeds."""

    def __init__(self, root: Path):
        self.root = root
        self.sources = self._read("source")
        self.derived = self._read("derived")
        self.marts = self._read("mart")
        self.products = self._read("product")
        self._check_references()

    @cached_property
    def policy(self) -> Policy:
        """The one policy file."""
        return load_policy(self.root / "policy.yaml")

    @cached_property
    def banks(self) -> tuple[str, ...]:
        """Names of the banks that have feeds."""
        return tuple(sorted(path.parent.name for path in (self.root / "feeds").glob("*/bank.yaml")))

    def all(self) -> dict[str, Contract]:
        """Every contract by id."""
        return {**self.sources, **self.derived, **self.marts, **self.products}

    def contract(self, contract_id: str) -> Contract:
        """The contract `contract_id`; KeyError where there is none."""
        return self.all()[contract_id]

    def bank(self, name: str) -> Bank:
        """The bank `name`. Raises ContractError where it has no folder under feeds/."""
        if name not in self.banks:
            raise ContractError(f"no bank '{name}' under {self.root / 'feeds'}; there are: {', '.join(self.banks)}")
        return load_bank(self.root / "feeds" / name / "bank.yaml")

    def feeds(self, bank: str) -> tuple[Feed, ...]:
        """Every feed of a bank, parents of foreign keys before their children."""
        paths = sorted((self.root / "feeds" / bank).glob("*/*.yaml"))
        feeds = [load_feed(path, self.sources) for path in paths]
        depth = {contract_id: self._depth(contract_id) for contract_id in self.sources}
        return tuple(sorted(feeds, key=lambda feed: (depth[feed.contract], feed.contract, feed.source)))

    def _depth(self, contract_id: str) -> int:
        parents = [c.references[0] for c in self.sources[contract_id].columns if c.references]
        return 1 + max((self._depth(parent) for parent in parents if parent != contract_id), default=0)

    def _read(self, kind: str) -> dict[str, Contract]:
        contracts: dict[str, Contract] = {}
        for path in sorted((self.root / _FOLDERS[kind]).rglob("*.odcs.yaml")):
            contract = load_contract(path, kind, self.marts if kind == "product" else {})
            if contract.id in contracts:
                raise ContractError(
                    f"{path}: id: '{contract.id}' is taken by {contracts[contract.id].path}; rename one"
                )
            contracts[contract.id] = contract
        return contracts

    def _check_references(self) -> None:
        for contract in self.sources.values():
            for column in contract.columns:
                if column.references is None:
                    continue
                parent, name = column.references
                if parent not in self.sources or name not in self.sources[parent].key:
                    raise ContractError(
                        f"{contract.path}: {column.name}.relationships: {parent}.{name} is not a key of a source "
                        f"contract; name one as <contract id>.<key column>"
                    )


def load_catalog(root: Path) -> Catalog:
    """Read and check everything under `root`. Raises ContractError at the first fault."""
    return Catalog(root)


def load_contract(path: Path, kind: str, marts: dict[str, Contract]) -> Contract:
    """Read one contract of `kind`; a product inherits from its mart what its columns leave unsaid."""
    raw = path.read_bytes()
    document = _parse(path, raw)
    if not document.schema_ or len(document.schema_) != 1:
        raise ContractError(f"{path}: schema: give exactly one table per contract")
    table = document.schema_[0]
    properties = _custom(path, "customProperties", document.customProperties, _PROPERTIES[kind])
    for name in sorted(_PROPERTIES[kind] - _OPTIONAL - properties.keys()):
        raise ContractError(f"{path}: customProperties.{name}: missing; every {kind} contract states it")
    purposes = tuple(properties["purposes"])
    if unknown := set(purposes) - set(PURPOSES):
        raise ContractError(f"{path}: customProperties.purposes: unknown {sorted(unknown)}; use {', '.join(PURPOSES)}")
    mart = None
    if kind == "product":
        if properties["mart"] not in marts:
            raise ContractError(f"{path}: customProperties.mart: no mart '{properties['mart']}' under marts/")
        mart = marts[properties["mart"]]
    legal_basis = properties.get("legalBasis", mart.legal_basis if mart else "")
    columns = tuple(_column(path, item, purposes, legal_basis, mart) for item in table.properties or [])
    contract = Contract(
        id=_require(path, "id", document.id),
        version=_require(path, "version", document.version),
        kind=kind,
        name=_require(path, "name", document.name),
        domain=_require(path, "domain", document.domain),
        table=_require(path, "schema.name", table.name),
        owner=_require(path, "team.name", getattr(document.team, "name", None)),
        purpose=_require(path, "description.purpose", getattr(document.description, "purpose", None)),
        limitations=getattr(document.description, "limitations", None) or "",
        grain=mart.grain
        if mart
        else _require(path, "schema.dataGranularityDescription", table.dataGranularityDescription),
        columns=columns,
        rules=tuple(_rule(path, item) for item in table.quality or []),
        delivery=properties.get("delivery", "derived"),
        criticality=properties.get("criticality", "required"),
        carry_forward_days=int(properties.get("carryForwardDays", 0)),
        reject_limit=float(properties.get("rejectLimit", 0)),
        control_sums=tuple(properties.get("controlSums", ())),
        purposes=purposes,
        legal_basis=legal_basis,
        available_at=_available_at(document),
        consumer=properties.get("consumer"),
        mart=properties.get("mart"),
        filter=properties.get("filter"),
        release_point=properties.get("releasePoint"),
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
    )
    _check(path, contract)
    return contract


def _parse(path: Path, raw: bytes) -> OpenDataContractStandard:
    try:
        given = yaml.safe_load(raw)
        document = OpenDataContractStandard(**given)
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise ContractError(f"{path}: not a data contract of the Open Data Contract Standard: {error}") from error
    understood = document.model_dump(by_alias=True, exclude_unset=True)
    if unknown := sorted(_unknown_fields(given, understood)):
        raise ContractError(
            f"{path}: {unknown[0]}: not a field of the Open Data Contract Standard; remove or rename it"
        )
    return document


def _unknown_fields(given: Any, understood: Any, at: str = "") -> set[str]:
    if isinstance(given, dict) and isinstance(understood, dict):
        missing = {f"{at}{key}" for key in given.keys() - understood.keys()}
        return missing.union(*(_unknown_fields(given[k], understood[k], f"{at}{k}.") for k in given if k in understood))
    if isinstance(given, list) and isinstance(understood, list):
        pairs = zip(given, understood, strict=True)
        return set().union(*(_unknown_fields(a, b, f"{at}{i}.") for i, (a, b) in enumerate(pairs)))
    return set()


def _custom(path: Path, at: str, items: list[CustomProperty] | None, known: set[str]) -> dict[str, Any]:
    properties = {item.property: item.value for item in items or []}
    if unknown := sorted(properties.keys() - known):
        raise ContractError(f"{path}: {at}: unknown property '{unknown[0]}'; known here: {', '.join(sorted(known))}")
    return properties


def _require(path: Path, name: str, value: str | None) -> str:
    if not value:
        raise ContractError(f"{path}: {name}: missing; every contract states it")
    return value


def _available_at(document: OpenDataContractStandard) -> str | None:
    levels = {item.property: item.value for item in document.slaProperties or []}
    return str(levels["timeOfAvailability"]) if "timeOfAvailability" in levels else None


def _rule(path: Path, item: Any) -> RowRule:
    if item.engine != "zhongtai" or not item.name or not isinstance(item.implementation, str):
        raise ContractError(f"{path}: quality: a rule has name, engine: zhongtai and implementation: an SQL predicate")
    return RowRule(item.name, item.description or item.name, item.implementation, item.dimension or "validity")


def _column(
    path: Path, item: SchemaProperty, purposes: tuple[str, ...], legal_basis: str, mart: Contract | None
) -> Column:
    name = _require(path, "schema.properties.name", item.name)
    if mart is not None and item.physicalType is None:
        try:
            inherited = mart.column(name)
        except KeyError as error:
            raise ContractError(f"{path}: {name}: not a column of {mart.id}; remove it or add it there") from error
        return replace(inherited, description=item.description or inherited.description, purposes=purposes)
    properties = _custom(path, name, item.customProperties, _COLUMN_PROPERTIES)
    type_ = _require(path, f"{name}.physicalType", item.physicalType)
    if not _TYPE.fullmatch(type_):
        raise ContractError(
            f"{path}: {name}.physicalType: '{type_}' is not one of the types that {_TYPE.pattern} allows"
        )
    classified = _CLASSIFICATION.fullmatch(item.classification or "")
    if classified is None:
        raise ContractError(f"{path}: {name}.classification: give L1 to L5, with /C1 to /C3 for personal data")
    options = item.logicalTypeOptions or {}
    return Column(
        name=name,
        type=type_,
        description=_require(path, f"{name}.description", item.description),
        required=bool(item.required),
        key=bool(item.primaryKey),
        security_level=int(classified[1]),
        personal_class=classified[2],
        enum=tuple(str(entry.value) for entry in item.enum or []),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        identifier=properties.get("identifier"),
        references=_reference(item),
        purposes=tuple(properties.get("purposes", purposes)),
        legal_basis=properties.get("legalBasis", legal_basis),
        inputs=tuple(item.transformSourceObjects or properties.get("inputs", ())),
    )


def _reference(item: SchemaProperty) -> tuple[str, str] | None:
    for relationship in item.relationships or []:
        if relationship.type == "foreignKey" and isinstance(relationship.to, str):
            contract_id, _, column = relationship.to.rpartition(".")
            return contract_id, column
    return None


def _check(path: Path, contract: Contract) -> None:
    names = [column.name for column in contract.columns]
    faults = (
        (not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", contract.version), "version: give major.minor.patch"),
        (not contract.key, "schema.properties: no primaryKey; every table has a key"),
        (len(set(names)) < len(names), "schema.properties: a column is named twice"),
        (contract.delivery not in DELIVERIES, f"delivery: use one of {', '.join(DELIVERIES)}"),
        (contract.criticality not in ("required", "optional"), "criticality: use required or optional"),
        (not 0 <= contract.reject_limit <= 1, "rejectLimit: a share between 0 and 1"),
        (set(contract.control_sums) - set(names), "controlSums: names a column that is not there"),
        (contract.kind == "product" and contract.consumer not in CONSUMERS, f"consumer: use {', '.join(CONSUMERS)}"),
        (
            contract.consumer == "shared" and "pseudonym" in names,
            "pseudonym: a shared product has no parties; two consumers could join them",
        ),
        ("party_id" in names and contract.kind == "product", "party_id: leaves the platform only as a pseudonym"),
    )
    for wrong, message in faults:
        if wrong:
            raise ContractError(f"{path}: {message}")
