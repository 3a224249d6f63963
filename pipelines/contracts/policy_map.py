"""The policy map: which article asks for what, what enforces it here, and which test shows that this bites.

What belongs here: the file `policy_map.yaml`, and whether refusals, rules and columns that it names are there. What
does not: gates, code, models and tests that it names, which contracts do not know; `tests/contracts/test_policy_map.py`
holds that they are there, and that each test fails without the check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError
from pipelines.contracts.refusal import Reason, Refusal

Name = Annotated[str, StringConstraints(min_length=1)]
# Kinds of checks: a gate of the audit, an entry of refusals.yaml, a function that refuses, a row rule of a contract,
# and what a model says in a column where an article applies, or the rows that it lets through.
CHECKS = {
    "gate": r"[a-z]+\.[a-z_]+",
    "refusal": r"[a-z][a-z_]*",
    "code": r"pipelines(\.[a-z_0-9]+)+",
    "contract": r"[a-z_]+\.[a-z_0-9]+/[a-z_0-9]+",
    "column": r"[a-z_0-9]+\.[a-z_0-9]+=.+",
    "rows": r"[a-z_0-9]+",
}
_TEST = re.compile(r"(tests/\S+\.py|dbt_project/models/\S+__unit_tests\.yml)::[a-z_0-9]+(\[.+\])?$")


class Link(Strict):
    """A check, and a test that fails where the check is not there."""

    check: Name
    test: Name

    @field_validator("check")
    @classmethod
    def _known(cls, check: str) -> str:
        kind, _, what = check.partition(":")
        if kind not in CHECKS:
            raise ValueError(f"'{kind}' is no kind of check; write one of {', '.join(CHECKS)}, a colon and its name")
        if not re.fullmatch(CHECKS[kind], what):
            raise ValueError(f"no name of a check of kind {kind}; write it as {CHECKS[kind]}")
        return check

    @field_validator("test")
    @classmethod
    def _a_test(cls, test: str) -> str:
        if not _TEST.match(test):
            raise ValueError("no test; write tests/<file>.py::<test> or dbt_project/models/<file>.yml::<unit test>")
        return test


class Control(Strict):
    """An article, what it asks for, and what enforces that; `gap` says what of it nothing enforces yet."""

    article: Name
    law: Name
    rule: Reason
    to_be_confirmed: bool = False
    links: tuple[Link, ...] = ()
    gap: Reason | None = None


class _File(Strict):
    laws: dict[Name, Reason]
    controls: Annotated[tuple[dict[str, object], ...], Field(min_length=1)]


class PolicyMap:
    """`laws` by their short names, and every control in the order of the file."""

    def __init__(self, laws: dict[str, Reason], controls: tuple[Control, ...], path: Path) -> None:
        self.laws = laws
        self.controls = controls
        self.path = path


def load_policy_map(path: Path) -> PolicyMap:
    """Read policy_map.yaml. Raises ContractError for an article that is there twice, or that nothing enforces."""
    given, _ = read_document(path, "a policy map, as `laws: {...}` and `controls: [...]`")
    try:
        file = _File(**given)
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error
    controls: list[Control] = []
    for position, entry in enumerate(file.controls, start=1):
        at = f"{path}: controls.{entry.get('article', position)}"
        try:
            control = Control(**entry)  # type: ignore[arg-type]
        except ValidationError as error:
            raise ContractError(f"{at}: {faults(error, entry)}") from error
        if control.law not in file.laws:
            hint = suggestion(control.law, set(file.laws))
            raise ContractError(f"{at}: law: laws has no '{control.law}'{hint}; name one that is there, or add it")
        if not control.links and control.gap is None:
            raise ContractError(f"{at}: links: nothing enforces it; name a check with its test, or say the gap")
        if control.article in {other.article for other in controls}:
            raise ContractError(f"{at}: is there twice; keep one")
        if len({(link.check, link.test) for link in control.links}) < len(control.links):
            raise ContractError(f"{at}: links: a check is there twice with one test; keep one")
        controls.append(control)
    if unused := sorted(file.laws.keys() - {control.law for control in controls}):
        raise ContractError(f"{path}: laws.{unused[0]}: no control is of it; remove it")
    return PolicyMap(file.laws, tuple(controls), path)


def check_policy_map(policy_map: PolicyMap, refusals: Iterable[Refusal], contracts: dict[str, Contract]) -> None:
    """Raise ContractError for a check that names a refusal, a rule or a column of a mart which is not there."""
    known = {
        "refusal": {refusal.id for refusal in refusals},
        "contract": {f"{contract.id}/{rule.name}" for contract in contracts.values() for rule in contract.rules},
    }
    marts = {contract.table: contract for contract in contracts.values() if contract.kind == "mart"}
    for control in policy_map.controls:
        for link in control.links:
            at = f"{policy_map.path}: controls.{control.article}: {link.check}"
            kind, _, what = link.check.partition(":")
            if kind in known and what not in known[kind]:
                raise ContractError(f"{at}: no such {kind}{suggestion(what, known[kind])}; name one that is there")
            model, _, column = what.partition("=")[0].partition(".")
            if kind == "column" and model in marts and column not in {c.name for c in marts[model].columns}:
                hint = suggestion(column, {c.name for c in marts[model].columns})
                raise ContractError(f"{at}: {marts[model].id} has no column {column}{hint}; name one that is there")
