"""Identity resolution on a small world nobody tuned for, and the yardsticks that it is held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from project import project_catalog

from benchmarks.identity_worlds.judge import bare, ceiling, judged, measured
from benchmarks.identity_worlds.page import replaced
from benchmarks.identity_worlds.worlds import ERRORS, World, harder, needed, resolved
from pipelines.simulation.records.noise import load_noise


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    directory = tmp_path_factory.mktemp("world") / "home"
    settings = resolved(World(7021, 2_000), directory)
    return judged(settings, directory / "simulated" / "truth" / "identity.parquet")


@pytest.mark.slow
def test_parties_are_right(found: dict[str, float]) -> None:
    # A small world has few pairs: one family that shares everything is a thousandth of them.
    assert found["precision"] >= 0.995
    assert found["recall"] >= 0.975
    assert found["organisation_precision"] >= 0.99


@pytest.mark.slow
def test_rules_alone_find_less_and_nobody_finds_more_than_the_ceiling(found: dict[str, float]) -> None:
    assert found["rules_recall"] <= 0.93
    assert found["rules_recall"] < found["recall"] <= found["ceiling_recall"] <= 1
    assert found["ceiling_precision"] == 1
    assert found["above_ceiling"] == 0  # else there is evidence of which the ceiling does not know


@pytest.mark.slow
def test_nearly_every_record_is_counted(found: dict[str, float]) -> None:
    assert found["counted"] / found["records"] > 0.95


def test_what_is_landed_for_a_world_is_all_that_identity_reads() -> None:
    catalog = project_catalog()
    wanted = needed(catalog, catalog.feeds("simbank"))
    with_subjects = {contract.id for contract in catalog.sources.values() if contract.subjects}
    referred = {
        column.references[0] for name in wanted for column in catalog.contract(name).columns if column.references
    }
    assert with_subjects | referred <= wanted


def test_harder_noise_multiplies_odds_of_errors_and_of_nothing_else() -> None:
    known, hard = load_noise().model_dump(), harder(load_noise(), 4).model_dump()
    for section, rates in known.items():
        for name, rate in rates.items():
            if name in ERRORS:
                assert hard[section][name] / (1 - hard[section][name]) == pytest.approx(4 * rate / (1 - rate))
            elif (section, name) in {("registry", "national_id"), ("court", "national_id"), ("court", "uscc")}:
                assert (1 - hard[section][name]) / hard[section][name] == pytest.approx(4 * (1 - rate) / rate)
            elif name != "email":
                assert hard[section][name] == rate, f"{section}.{name}"
    assert harder(load_noise(), 1) == load_noise()


def test_pairs_are_counted_by_entity_and_label() -> None:
    records = pl.DataFrame({"entity": ["a", "a", "a", "b", "b"], "label": [1, 1, 2, 2, 3]})
    # Of 4 true pairs (3 of a, 1 of b) one is found, beside one that is wrong.
    assert measured(records, "label") == (0.5, 0.25)


_TEXTS = (
    "name", "sound", "turned", "national_id", "valid_id", "uscc", "valid_uscc", "phone", "phone_before", "email",
    "device", "dwelling", "birth", "kernel", "head", "refers_to", "acts_for",
)  # fmt: skip


def _records(*rows: dict[str, str]) -> pl.DataFrame:
    given = [
        {
            "id": number, "record_ref": str(number), "contract": "c", "source": "s", "role": "r", "key": str(number),
            "entity_kind": "person", "is_new": True, "entity": "person1", **dict.fromkeys(_TEXTS), **row,
        }
        for number, row in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(given, schema_overrides=dict.fromkeys(_TEXTS, pl.String))


def _together(labels: np.ndarray) -> list[set[int]]:
    return sorted(({*np.flatnonzero(labels == one).tolist()} for one in np.unique(labels)), key=min)


def test_rules_alone_take_a_phone_only_with_a_name_or_from_its_one_holder() -> None:
    records = _records(
        {"name": "王伟", "phone": "1"}, {"name": "王伟", "phone": "1"}, {"name": "李娜", "phone": "2"},
        {"name": "李强", "phone": "2"}, {"phone": "1"}, {"phone": "2"},
        {"national_id": "x", "valid_id": "x"}, {"national_id": "x", "valid_id": "x"},
    )  # fmt: skip
    assert _together(bare(records)) == [{0, 1, 4}, {2}, {3}, {5}, {6, 7}]


def test_the_ceiling_joins_nobody_else_and_knows_a_mistyped_number() -> None:
    right, wrong = "110101199003074518", "110101199003074578"
    records = _records(
        {"national_id": right, "valid_id": right}, {"national_id": wrong}, {"phone": "1"}, {"phone_before": "1"},
        {"phone": "1", "entity": "person2"},
    )  # fmt: skip
    assert _together(ceiling(records)) == [{0, 1}, {2, 3}, {4}]


def test_a_section_is_replaced_where_it_stands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("old", "new"):
        replaced(page, "How right it is", text)
        replaced(page, "What it costs", "much")
    assert page.read_text() == "# Who is who\n\n## How right it is\n\nnew\n\n## What it costs\n\nmuch\n"
