"""The definitions of scenario features: what of a party's life and trade risk models may look at, one entry each.

What belongs here: the files under `features/`, read strictly, and what a feature may be made of. What does not: the SQL
that dbt makes of them (`feature_macro`), and what a feature is worth to a model (`benchmarks.scenario_uplift`).

A feature is a column of the customer 360, or of a model below it that its file names, and takes one of three forms: the
column itself, one column as a share of another, or whether something holds. It may be made only of columns that may be
used for risk management: what was agreed to for other purposes is refused here, with its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError
from pipelines.contracts.policy import Policy
from pipelines.contracts.tags import Name, Words, rule_columns

FEATURE_PURPOSE = "risk_management"
UNITS = ("share", "ratio", "variation", "count", "years", "yes_or_no")
DIRECTIONS = ("higher_is_riskier", "higher_is_safer")
Model = Annotated[str, StringConstraints(pattern=r"^int_[a-z_]+$")]


@dataclass(frozen=True)
class FeatureDefinition:
    """One feature: `value` as `form` says, of parties for which `speaks_of` holds; empty where that is not known.

    `model` is what the column comes from where it is not the customer 360; `without_row` is the value of `value` for a
    party that `model` has no row of.
    """

    name: str
    scenario: str
    description: str
    unit: str
    direction: str
    owner: str
    speaks_of: str
    form: str
    value: str
    whole: str | None
    model: str | None
    without_row: int | None
    path: Path = field(compare=False)


class _Share(Strict):
    of: Name
    whole: Name | Annotated[int, Field(ge=1)]


class _Feature(Strict):
    name: Name
    scenario: Name | None = None
    description: Words
    unit: Literal[UNITS]  # type: ignore[valid-type]
    direction: Literal[DIRECTIONS]  # type: ignore[valid-type]
    column: Name | None = None
    share: _Share | None = None
    holds: Name | None = None
    model: Model | None = None
    without_row: Annotated[int, Field(ge=0)] | None = None


class _File(Strict):
    domain: Name
    owner: Words
    speaks_of: Words
    features: Annotated[tuple[_Feature, ...], Field(min_length=1)]


def load_features(folder: Path, marts: Mapping[str, Contract], policy: Policy) -> dict[str, FeatureDefinition]:
    """Every definition under `folder` by name, in order of file and place. Raises ContractError at the first fault."""
    found: dict[str, FeatureDefinition] = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not path.is_file():
            raise ContractError(f"{path}: would not be read; files here are called <domain>.yaml")
        given, _ = read_document(path, "a file of features")
        try:
            file = _File(**given)
        except ValidationError as error:
            raise ContractError(f"{path}: {faults(error, given)}") from error
        if file.domain != path.stem:
            raise ContractError(f"{path}: domain: a file of this name holds '{path.stem}'; make the two agree")
        mart = marts["mart.customer_360"]
        spoken_of, _ = rule_columns(f"{path}: speaks_of", file.speaks_of, mart, policy)
        _check_columns(f"{path}: speaks_of", spoken_of, mart)
        for feature in file.features:
            if feature.name in found:
                raise ContractError(f"{path}: {feature.name}.name: {found[feature.name].path} has it too; rename one")
            found[feature.name] = _definition(path, file, feature, mart)
    return found


def _definition(path: Path, file: _File, feature: _Feature, mart: Contract) -> FeatureDefinition:
    at = f"{path}: {feature.name}"
    given = {"column": feature.column, "share": feature.share, "holds": feature.holds}
    forms = {form: said for form, said in given.items() if said is not None}
    if len(forms) != 1:
        raise ContractError(f"{at}: {len(forms)} of column, share and holds are given; give one")
    if not feature.description.endswith("."):
        raise ContractError(f"{at}.description: '{feature.description}' is no sentence; end it with a full stop")
    if feature.without_row is not None and feature.model is None:
        raise ContractError(f"{at}.without_row: every party has a row in {mart.id}; remove it")
    ((form, said),) = forms.items()
    value, whole = (said.of, said.whole) if isinstance(said, _Share) else (said, None)
    read = [name for name in (value, whole) if isinstance(name, str)]
    # What another model holds, no contract lists; dbt knows whether it is there, and lineage what it may be used for.
    _check_columns(f"{at}.{form}", read[1:] if feature.model else read, mart)
    return FeatureDefinition(
        name=feature.name, scenario=feature.scenario or file.domain, description=feature.description,
        unit=feature.unit, direction=feature.direction, owner=file.owner, speaks_of=file.speaks_of, form=form,
        value=value, whole=None if whole is None else str(whole), model=feature.model,
        without_row=feature.without_row, path=path,
    )  # fmt: skip


def _check_columns(at: str, names: tuple[str, ...] | list[str], mart: Contract) -> None:
    known = {column.name for column in mart.columns}
    for name in names:
        if name not in known:
            raise ContractError(f"{at}: '{name}' is no column of {mart.id}{suggestion(name, known)}; correct it")
        allowed = mart.column(name).purposes
        if FEATURE_PURPOSE not in allowed:
            raise ContractError(
                f"{at}: {mart.id}.{name} may not be used for {FEATURE_PURPOSE}, only for {', '.join(allowed)}; "
                f"no feature can be made of it"
            )
