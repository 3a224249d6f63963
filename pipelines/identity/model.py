"""The probabilistic model: how much evidence an agreement is, and which pairs are scored by it.

What belongs here: the model file, Splink's settings from it, training and scoring. What does not: which weight is
enough (policy), and what becomes of a pair (`match`). Splink is known to this module alone.

Fellegi and Sunter, A Theory for Record Linkage (JASA 1969): the weight of a level is log2(m / u), m its share among
pairs that match and u among those that do not; weights add up, and the prior is one more.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
import yaml
from pydantic import Field, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.model import ContractError
from pipelines.settings import InputError

#: A blocking condition: columns of the left and of the right record that are the same.
Keys = tuple[tuple[str, str], ...]
_EQUAL = re.compile(r"\s*l\.(\w+) = r\.(\w+)\s*")
PAIRS = {"left": pl.Int64, "right": pl.Int64, "weight": pl.Float64, "levels": pl.String}
_QUIET = 40  # the level of log messages; without it Splink takes over logging


class Level(Strict):
    """One outcome of a comparison; `when` is SQL over `<column>_l` and `<column>_r`, levels are tried in order."""

    level: str
    when: str
    unknown: bool = False  # says nothing: neither for nor against
    m: float | None = Field(default=None, gt=0, le=1)
    u: float | None = Field(default=None, gt=0, le=1)
    frequency_of: str | None = None  # a rare value is more evidence than a common one
    fixed: Literal["m", "u", "both"] | None = None  # set by hand and kept by training: too rare to be estimated

    @property
    def weight(self) -> float | None:
        """Evidence in bits, before how common a value is; None where nothing is known yet."""
        return math.log2(self.m / self.u) if self.m and self.u else None


class Comparison(Strict):
    """What two records are compared by."""

    name: str
    levels: tuple[Level, ...]


class Trained(Strict):
    """On what the parameters were estimated."""

    records: int
    source: str


class MatchModel(Strict):
    """A model file: `blocking` says which pairs are scored, `prior` the share of pairs that match.

    Each condition is of the form `l.<column> = r.<column>`, several with `and` between: it can be looked up.
    """

    version: str
    entity: str
    columns: tuple[str, ...]
    blocking: tuple[str, ...]
    prior: float = Field(gt=0, lt=1)
    comparisons: tuple[Comparison, ...]
    trained: Trained | None = None

    @field_validator("blocking")
    @classmethod
    def _looked_up(cls, blocking: tuple[str, ...]) -> tuple[str, ...]:
        for rule in blocking:
            if not all(_EQUAL.fullmatch(part) for part in rule.split(" and ")):
                raise ValueError(f"{rule!r} is not of the form 'l.<column> = r.<column> and ...'")
        return blocking

    @property
    def keys(self) -> tuple[Keys, ...]:
        """`blocking` as columns."""
        return tuple(tuple(_EQUAL.findall(part)[0] for part in rule.split(" and ")) for rule in self.blocking)

    def settings(self) -> dict[str, Any]:
        """As Splink reads it."""
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "id",
            "probability_two_random_records_match": self.prior,
            "blocking_rules_to_generate_predictions": [{"blocking_rule": rule} for rule in self.blocking],
            "retain_matching_columns": False,
            "retain_intermediate_calculation_columns": True,
            "comparisons": [
                {
                    "output_column_name": comparison.name,
                    "comparison_levels": [_level(level) for level in comparison.levels],
                }
                for comparison in self.comparisons
            ],
        }

    @property
    def frequencies(self) -> tuple[str, ...]:
        """Columns whose values are weighed by how common they are."""
        found = {level.frequency_of for one in self.comparisons for level in one.levels if level.frequency_of}
        return tuple(sorted(found))


def _level(level: Level) -> dict[str, Any]:
    said: dict[str, Any] = {"sql_condition": level.when, "label_for_charts": level.level}
    if level.unknown:
        return {**said, "is_null_level": True}
    if level.m is not None:
        said["m_probability"] = level.m
    if level.u is not None:
        said["u_probability"] = level.u
    for name in ("m", "u"):
        if level.fixed in (name, "both"):
            said[f"fix_{name}_probability"] = True
    if level.frequency_of:
        said |= {"tf_adjustment_column": level.frequency_of, "tf_adjustment_weight": 1.0, "tf_minimum_u_value": 1e-5}
    return said


def read_model(path: Path) -> tuple[MatchModel, str]:
    """The model in `path`, and its SHA-256. Raises ContractError, naming file and field."""
    given, sha256 = read_document(path, "a match model")
    try:
        return MatchModel.model_validate(given), sha256
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error


def write_model(path: Path, model: MatchModel) -> str:
    """Write `model` as `read_model` reads it; returns its SHA-256."""
    text = yaml.safe_dump(
        model.model_dump(exclude_defaults=True, mode="json"), allow_unicode=True, sort_keys=False, width=120
    )
    path.write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def score(
    con: duckdb.DuckDBPyConnection,
    model: MatchModel,
    old: pl.DataFrame,
    new: pl.DataFrame,
    least: float,
    frequencies: Mapping[str, pl.DataFrame],
) -> pl.DataFrame:
    """Pairs of at least one new record (PAIRS) whose weight is at least `least`, in bits; the lower number is `left`.

    `old` and `new` have `id` and the model's columns; `frequencies`, of each of `model.frequencies`, the share of each
    value in all records (<column>, tf_<column>). `levels` says what each comparison adds to the weight.
    """
    from splink import DuckDBAPI, Linker

    if not new.height:
        return pl.DataFrame(schema=PAIRS)
    columns = ["id", *model.columns]
    _put(con, "matching_old", old.select(columns))
    _put(con, "matching_new", new.select(columns))
    engine = DuckDBAPI(con)
    tables = {name: engine.register(name, table_name=f"known_{name}") for name in ("matching_old", "matching_new")}
    linker = Linker(tables["matching_new"], model.settings(), log_level=_QUIET)
    for column in model.frequencies:
        _put(con, f"matching_frequency_{column}", frequencies[column])
        linker.table_management.register_term_frequency_lookup(
            engine.register(f"matching_frequency_{column}", table_name=f"frequency_{column}"), column
        )
    how: dict[str, Any] = {"threshold_match_weight": least, "warning_mode": "never"}
    found = [linker.inference.predict_within(tables["matching_new"], **how)]
    if old.height:
        found.append(linker.inference.predict_between(tables["matching_old"], tables["matching_new"], **how))
    parts = [con.execute(_pairs(model, table.physical_name)).pl() for table in found]
    linker.table_management.delete_tables_created_by_splink_from_db()
    for name in ("old", "new", *(f"frequency_{column}" for column in model.frequencies)):
        con.execute(f"drop table matching_{name}")
    return pl.concat(parts).cast(PAIRS).sort("left", "right")  # type: ignore[arg-type]


def _put(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    con.register("matching_input", frame.to_arrow())
    con.execute(f"create or replace temp table {table} as select * from matching_input")
    con.unregister("matching_input")


def _pairs(model: MatchModel, table: str) -> str:
    tell = []
    for one in model.comparisons:
        adjusted = any(level.frequency_of for level in one.levels)
        weight = f"mw_{one.name}" + (f" + mw_tf_adj_{one.name}" if adjusted else "")
        tell.append(f"case when mw_{one.name} <> 0 then printf('{one.name} %+.1f', {weight}) end")
    return (
        f"select least(id_l, id_r) as left, greatest(id_l, id_r) as right, match_weight as weight, "
        f"concat_ws(', ', {', '.join(tell)}) as levels from {table}"
    )


def train(
    con: duckdb.DuckDBPyConnection, model: MatchModel, records: pl.DataFrame, sessions: tuple[str, ...], seed: int
) -> MatchModel:
    """`model` with the parameters estimated on `records` (`id` and the model's columns), but for levels that are fixed.

    u by random pairs, m by expectation maximisation within the pairs of each of `sessions`, SQL conditions. Raises
    InputError for a session within which nothing can be estimated.
    """
    from splink import DuckDBAPI, Linker
    from splink.internals.exceptions import SplinkException

    con.register("matching_input", records.select(["id", *model.columns]).to_arrow())
    con.execute("create or replace temp table matching_train as select * from matching_input")
    linker = Linker(DuckDBAPI(con).register("matching_train"), model.settings(), log_level=_QUIET)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=seed)
    for session in sessions:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(session)
        except SplinkException as error:  # too few pairs, or all of them alike
            said = f"the pairs of {records.height} records with {session} do not tell what agrees by chance"
            raise InputError(f"{said}; train on a home that has more of them") from error
    said = linker.misc.save_model_to_json()["comparisons"]
    learned = {one["output_column_name"]: one["comparison_levels"] for one in said}
    comparisons = []
    for one in model.comparisons:
        by_label = {level["label_for_charts"]: level for level in learned[one.name]}
        comparisons.append(
            one.model_copy(update={"levels": tuple(_learned(level, by_label[level.level]) for level in one.levels)})
        )
    return model.model_copy(update={"comparisons": tuple(comparisons)})


def _learned(level: Level, learned: dict[str, Any]) -> Level:
    if level.unknown or level.fixed == "both":
        return level
    got = {name: learned.get(f"{name}_probability") for name in ("m", "u") if level.fixed != name}
    return level.model_copy(update={name: _rounded(value) for name, value in got.items() if value})


def _rounded(value: float) -> float:
    """Four digits: as many as two runs of training on one bank agree in."""
    return round(value, 3 - math.floor(math.log10(value)))
