"""Reads the contracts of a project into the model and refuses what is incomplete.

The Open Data Contract Standard makes every field optional; this module requires what the platform needs. What does
not belong here: the standard itself (`odcs`), columns (`column`), and rules beyond a field (`completeness`, `purpose`,
`refusal`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.contracts.bank import Bank, load_bank
from pipelines.contracts.column import build_column, check_purposes
from pipelines.contracts.completeness import SUFFIX, check_contract, check_references, check_survivorship, depth
from pipelines.contracts.document import suggestion
from pipelines.contracts.examples import check_examples, read_examples
from pipelines.contracts.features import FeatureDefinition, load_features
from pipelines.contracts.feed import Feed, load_feed
from pipelines.contracts.files import contract_files
from pipelines.contracts.lawful import check_lawful_use
from pipelines.contracts.model import Column, Contract, ContractError
from pipelines.contracts.odcs import available_at, frequency, properties, read_odcs
from pipelines.contracts.policy import Policy, load_policy
from pipelines.contracts.policy_map import PolicyMap, check_policy_map, load_policy_map
from pipelines.contracts.propensity import PropensityCard, load_propensity
from pipelines.contracts.purpose import check_derived, check_release_points
from pipelines.contracts.quality import row_count, rules
from pipelines.contracts.refusal import Refusal, check_feed_refusals, check_refusals, load_refusals
from pipelines.contracts.scorecard_file import load_scorecards
from pipelines.contracts.scorecards import Scorecard
from pipelines.contracts.subjects import SUBJECTS, check_subjects, read_subjects, subject_columns
from pipelines.contracts.tags import TagDefinition, load_tags
from pipelines.contracts.waivers import Waiver, load_waivers

_FOLDERS = {"source": "sources", "derived": "derived", "mart": "marts", "product": "products"}
_REQUIRED = {
    "source": {"delivery", "criticality", "carryForwardDays", "rejectLimit", "purposes", "legalBasis", "dataClass"},
    "derived": {"delivery", "criticality", "purposes", "legalBasis"},
    "mart": {"delivery", "criticality", "purposes", "legalBasis"},
    "product": {"consumer", "mart", "purposes"},
}
_OPTIONAL = {
    "source": {"controlSums", "subjects"},
    "derived": {"inputs"},
    "mart": {"history"},
    "product": {"filter", "member", "releasePoint", "examples"},
}


class Catalog:
    """All contracts of a project, with its policy, banks and feeds."""

    def __init__(self, root: Path) -> None:
        self.root = root
        contract_files(root)  # said at the start: a name that no release could keep ends no night at its end
        self.sources = self._read("source")
        self.derived = self._read("derived")
        self.marts = self._read("mart")
        self.products = self._read("product")
        if not self.sources:
            raise ContractError(f"{root}: no contract under sources/; name the folder that holds data contracts")
        check_references(self.sources)
        check_subjects(self.sources)
        check_survivorship(self.sources, self.policy)
        self.refusals: tuple[Refusal, ...] = load_refusals(root / "refusals.yaml")
        check_refusals(self.refusals, self.all().values(), self.policy)
        self.policy_map: PolicyMap = load_policy_map(root / "policy_map.yaml")
        check_policy_map(self.policy_map, self.refusals, self.all())
        self.derived = {name: _expanded(contract, self.sources) for name, contract in self.derived.items()}
        check_derived(self.sources, self.derived, self.policy)
        check_lawful_use(self.sources, self.policy)
        check_release_points(self.marts, self.products, self.policy)
        check_examples(self.products)
        self.tags: dict[str, TagDefinition] = load_tags(root / "tags", self.marts, self.policy)
        self.features: dict[str, FeatureDefinition] = load_features(root / "features", self.marts, self.policy)
        self.propensity: dict[str, PropensityCard] = load_propensity(root / "propensity", self.marts)
        self.scorecards: dict[str, Scorecard] = load_scorecards(root / "scorecards", self.marts, self.banks)
        self.waivers: dict[str, Waiver] = load_waivers(root / "waivers", self.banks, {*self.products, *self.sources})

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
            raise ContractError(
                f"no bank '{name}' under {self.root / 'feeds'}; there are: {', '.join(self.banks) or 'none'}"
            )
        return load_bank(self.root / "feeds" / name / "bank.yaml")

    def feeds(self, bank: str) -> tuple[Feed, ...]:
        """Every feed of a bank, parents of foreign keys before their children; of one that extends another, also its.

        A feed of its own replaces that of the same contract and source.
        """
        feeds, base = self._own_feeds(bank), self.bank(bank).extends
        replaced = {(feed.contract, feed.source) for feed in feeds}
        feeds += [f for f in (self._own_feeds(base) if base else []) if (f.contract, f.source) not in replaced]
        return tuple(sorted(feeds, key=lambda f: (depth(f.contract, self.sources), f.contract, f.source)))

    def _own_feeds(self, bank: str) -> list[Feed]:
        folder = self.root / "feeds" / bank
        feeds = [load_feed(path, self.sources) for path in _files(folder, ".yaml") if path != folder / "bank.yaml"]
        for feed in feeds:
            check_feed_refusals(self.refusals, feed)
        return feeds

    def _read(self, kind: str) -> dict[str, Contract]:
        marts = self.marts if kind == "product" else {}
        contracts = (load_contract(path, kind, marts) for path in _files(self.root / _FOLDERS[kind], SUFFIX))
        return {contract.id: contract for contract in contracts}


def load_catalog(root: Path) -> Catalog:
    """Read and check everything under `root`. Raises ContractError at the first fault."""
    return Catalog(root)


def load_contract(path: Path, kind: str, marts: dict[str, Contract]) -> Contract:
    """Read one contract of `kind`; a product inherits from its mart what its columns leave unsaid."""
    document, sha256 = read_odcs(path)
    (table,) = document.schema_ or ()
    given = properties(path, "customProperties", document.customProperties, _REQUIRED[kind] | _OPTIONAL[kind])
    for name in sorted(_REQUIRED[kind] - given.keys()):
        raise ContractError(f"{path}: customProperties.{name}: missing; every {kind} contract states it")
    purposes = check_purposes(path, "customProperties.purposes", given["purposes"])
    mart = _mart(path, given["mart"], marts) if kind == "product" else None
    legal_basis = given.get("legalBasis", mart.legal_basis if mart else "")
    inherited_grain = mart.grain if mart else None
    items, inputs = enumerate(table.properties or [], start=1), _names(path, "inputs", given)
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
        grain=_require(path, "schema.dataGranularityDescription", table.dataGranularityDescription or inherited_grain),
        columns=tuple(
            _with_inputs(build_column(path, item, n, purposes, legal_basis, mart), inputs) for n, item in items
        ),
        rules=rules(path, table),
        delivery=given.get("delivery", "derived"),
        criticality=given.get("criticality", "required"),
        carry_forward_days=_number(path, "carryForwardDays", given, whole=True),
        reject_limit=float(_number(path, "rejectLimit", given, whole=False)),
        control_sums=_names(path, "controlSums", given),
        purposes=purposes,
        legal_basis=legal_basis,
        available_at=available_at(document),
        frequency=frequency(path, document, needed=kind == "source"),
        row_count=row_count(path, table),
        consumer=given.get("consumer"),
        mart=given.get("mart"),
        filter=given.get("filter"),
        member=given.get("member"),
        release_point=given.get("releasePoint"),
        history=_history(path, given),
        subjects=read_subjects(path, given.get("subjects")),
        data_class=given.get("dataClass", ""),
        examples=read_examples(path, given.get("examples")),
        path=path,
        sha256=sha256,
    )
    numbered = [(item.name, item.primaryKeyPosition) for item in table.properties or [] if item.primaryKeyPosition]
    check_contract(path, contract, numbered, mart)
    return contract


def _with_inputs(column: Column, inputs: tuple[str, ...]) -> Column:
    """A column that does not say what it is made from is made from what its table is made from."""
    return column if column.inputs or not inputs else replace(column, inputs=inputs)


def _expanded(contract: Contract, sources: dict[str, Contract]) -> Contract:
    """A derived contract with each column's inputs by name: `subjects` are the columns that say who parties are."""
    who = [f"{each.id}.{name}" for each in sources.values() for name in sorted(subject_columns(each))]
    inputs = {
        column: tuple(name for one in column.inputs for name in (who if one == SUBJECTS else [one]))
        for column in contract.columns
    }
    return replace(contract, columns=tuple(replace(column, inputs=inputs[column]) for column in contract.columns))


def _files(folder: Path, suffix: str) -> list[Path]:
    """Files below `folder`. Raises ContractError for one that would be passed over because of its name."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    for path in paths:
        if not path.name.endswith(suffix) or len(path.relative_to(folder).parts) > 2:
            raise ContractError(f"{path}: would not be read; files here are called <folder>/<name>{suffix}")
    return paths


def _mart(path: Path, name: str, marts: dict[str, Contract]) -> Contract:
    if name not in marts:
        hint = suggestion(str(name), set(marts)) or f"; there are: {', '.join(marts)}"
        raise ContractError(f"{path}: customProperties.mart: no mart '{name}'{hint}; name one that is there")
    return marts[name]


def _require(path: Path, name: str, value: str | None) -> str:
    if not (value or "").strip():
        raise ContractError(f"{path}: {name}: missing; every contract states it")
    return str(value)


def _number(path: Path, name: str, given: dict[str, Any], whole: bool) -> Any:
    value = given.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        kind = "a whole number" if whole else "a number"
        raise ContractError(f"{path}: customProperties.{name}: '{value}' is not {kind}; write one without quotes")
    return value


def _names(path: Path, name: str, given: dict[str, Any]) -> tuple[str, ...]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise ContractError(f"{path}: customProperties.{name}: '{value}' is not a list; write [{value}]")
    return tuple(map(str, value))


def _history(path: Path, given: dict[str, Any]) -> str | None:
    if given.get("history") not in (None, "on_change"):
        raise ContractError(f"{path}: customProperties.history: '{given['history']}' is not known; write on_change")
    return given.get("history")
