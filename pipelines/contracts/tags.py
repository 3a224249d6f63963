"""The definitions of tags: what a party is said to be, by a rule over the columns of the customer 360.

What belongs here: the files under `tags/`, read strictly, and what a rule may mention. What does not: the SQL that dbt
makes of them (`tag_macro`), since when a party carries a tag (the mart), and how many do (`pipelines.cli.tags`).

A rule is SQL over one row: columns of the mart, `policy('section.name')` for every number, and the words of `_WORDS`.
It has a verdict only where what it looks at is known, so nothing that turns unknown into known is among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError
from pipelines.contracts.policy import Policy

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
# The purposes that have a consumer who is told tags.
TAG_PURPOSES = ("marketing", "risk_management")
REFRESHES = ("daily", "weekly", "monthly")
_WORDS = {"and", "or", "not", "in", "between", "case", "when", "then", "end", "true", "false"}
_POLICY = re.compile(r"policy\('([^']*)'\)")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9.]+|<=|>=|<>|[<>=+\-*(),]|\S")
_SIGNS = set("<>=+-*(),") | {"<=", ">=", "<>"}


@dataclass(frozen=True)
class TagDefinition:
    """One tag. `rule` holds or not, and the tag's value is then `true`; or it is SQL whose text is the value.

    `columns` are those of the mart that it looks at, `thresholds` the names of the policy.
    """

    name: str
    domain: str
    label_zh: str
    label_en: str
    description: str
    rule: str
    is_flag: bool
    refresh: str
    owner: str
    purposes: tuple[str, ...]
    since: str
    columns: tuple[str, ...]
    thresholds: tuple[str, ...]
    path: Path = field(compare=False)

    @property
    def expression(self) -> str:
        """SQL of the value over the mart's columns and one column per threshold; null where the tag does not hold."""
        sql = _POLICY.sub(lambda found: threshold_column(found[1]), self.rule)
        return f"case when {sql} then 'true' end" if self.is_flag else sql


class _Label(Strict):
    zh: Words
    en: Words


class _Tag(Strict):
    name: Name
    label: _Label
    description: Words
    rule: Words | None = None
    value: Words | None = None
    refresh: Literal[REFRESHES]  # type: ignore[valid-type]
    purposes: Annotated[tuple[Literal[TAG_PURPOSES], ...], Field(min_length=1)]  # type: ignore[valid-type]
    since: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]


class _File(Strict):
    domain: Name
    owner: Words
    tags: Annotated[tuple[_Tag, ...], Field(min_length=1)]


def threshold_column(name: str) -> str:
    """What the column is called that holds a threshold beside the columns of the mart."""
    return f"policy_{name.replace('.', '__')}"


def load_tags(folder: Path, marts: Mapping[str, Contract], policy: Policy) -> dict[str, TagDefinition]:
    """Every definition under `folder` by name, in order of file and place. Raises ContractError at the first fault."""
    found: dict[str, TagDefinition] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not path.is_file():
            raise ContractError(f"{path}: would not be read; files here are called <domain>.yaml")
        given, _ = read_document(path, "a file of tags")
        try:
            file = _File(**given)
        except ValidationError as error:
            raise ContractError(f"{path}: {faults(error, given)}") from error
        if file.domain != path.stem:
            raise ContractError(f"{path}: domain: a file of this name holds '{path.stem}'; make the two agree")
        for tag in file.tags:
            definition = _definition(path, file, tag, marts["mart.customer_360"], policy)
            if tag.name in found:
                raise ContractError(f"{path}: {tag.name}.name: {found[tag.name].path} has it too; rename one")
            found[tag.name] = definition
    return found


def _definition(path: Path, file: _File, tag: _Tag, mart: Contract, policy: Policy) -> TagDefinition:
    at = f"{path}: {tag.name}"
    if (tag.rule is None) == (tag.value is None):
        raise ContractError(f"{at}.rule: give one: `rule` for what holds or not, `value` for a band")
    kind, rule = ("rule", tag.rule) if tag.rule is not None else ("value", tag.value)
    if not tag.description.endswith("."):
        raise ContractError(f"{at}.description: '{tag.description}' is no sentence; end it with a full stop")
    columns, thresholds = rule_columns(f"{at}.{kind}", str(rule), mart, policy)
    _check_purposes(f"{at}.purposes", tag.purposes, columns, mart)
    return TagDefinition(
        name=tag.name, domain=file.domain, label_zh=tag.label.zh, label_en=tag.label.en, description=tag.description,
        rule=str(rule), is_flag=kind == "rule", refresh=tag.refresh, owner=file.owner, purposes=tuple(tag.purposes),
        since=tag.since, columns=columns, thresholds=thresholds, path=path,
    )  # fmt: skip


def rule_columns(at: str, rule: str, mart: Contract, policy: Policy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns and thresholds that a rule looks at. Raises ContractError for whatever else it says."""
    known = {column.name for column in mart.columns} - set(mart.key)
    thresholds = tuple(dict.fromkeys(_POLICY.findall(rule)))
    for name in thresholds:
        if name not in policy.thresholds:
            hint = suggestion(name, set(policy.thresholds))
            raise ContractError(f"{at}: policy.yaml has no threshold '{name}'{hint}; have it signed there first")
    columns: dict[str, Any] = {}
    for token in _TOKEN.findall(_TEXT.sub(" ", _POLICY.sub(" ", rule))):
        if token in known:
            columns[token] = None
        elif token[0].isdigit() or token[0] == ".":
            if token not in ("0", "1"):
                raise ContractError(f"{at}: {token} is a threshold; give it a name in policy.yaml, say policy('...')")
        elif token not in _WORDS | _SIGNS:
            hint = suggestion(token, known)
            raise ContractError(
                f"{at}: '{token}' is no column of {mart.id}{hint}, and not among {', '.join(sorted(_WORDS))}; "
                f"write the rule with these, and every number as policy('...')"
            )
    if not columns:
        raise ContractError(f"{at}: looks at no column of {mart.id}; it would say the same of everybody")
    return tuple(columns), thresholds


def _check_purposes(at: str, purposes: tuple[str, ...], columns: tuple[str, ...], mart: Contract) -> None:
    if len(set(purposes)) < len(purposes):
        raise ContractError(f"{at}: a purpose is given twice; keep one")
    for name in columns:
        allowed = mart.column(name).purposes
        if wider := [purpose for purpose in purposes if purpose not in allowed]:
            raise ContractError(
                f"{at}: {mart.id}.{name} may not be used for {', '.join(wider)}, only for {', '.join(allowed)}; "
                f"remove the purpose or the column"
            )
