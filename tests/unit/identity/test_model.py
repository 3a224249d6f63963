"""The model file: read as it was written, refused by name; scores are sums of what its levels say."""

from __future__ import annotations

import math

import duckdb
import polars as pl
import pytest
import yaml

from pipelines.contracts.model import ContractError
from pipelines.identity.model import MatchModel, read_model, score, train, write_model
from pipelines.identity.neighbourhood import shares
from pipelines.identity.run import model_path
from pipelines.settings import PROJECT

from .people import models, records

KINDS = ("person", "organisation")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_written_is_read_again(kind, tmp_path):
    path = tmp_path / "model.yaml"
    model = models()[kind]
    sha256 = write_model(path, model)
    assert read_model(path) == (model, sha256)
    assert write_model(path, model) == sha256


@pytest.mark.parametrize("kind", KINDS)
def test_the_project_has_a_model_that_says_something_of_every_level(kind):
    model, _ = read_model(model_path(PROJECT / "data_contracts", kind))
    assert model.entity == kind
    for comparison in model.comparisons:
        known = [level for level in comparison.levels if not level.unknown]
        assert all(level.weight is not None and math.isfinite(level.weight) for level in known), comparison.name
        assert known[-1].when == "ELSE" and known[-1].weight < 0 < known[0].weight, comparison.name


def wrong(**changes) -> dict:
    said = yaml.safe_load(model_path(PROJECT / "data_contracts", "organisation").read_text(encoding="utf-8"))
    return {name: value for name, value in (said | changes).items() if value is not ...}


@pytest.mark.parametrize(
    "said, told",
    [
        (wrong(prior=1.5), "prior: "), (wrong(prior=...), "prior: missing"),
        (wrong(colour="red"), "colour: not known here"),
        (wrong(comparisons=[{"name": "name", "levels": [{"level": "same", "when": "true", "m": 0}]}]), "comparisons."),
        (["no", "model"], "not a match model"),
    ],
)  # fmt: skip
def test_a_wrong_model_is_refused_by_file_and_field(said, told, tmp_path):
    path = tmp_path / "person.yaml"
    path.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: ") and told in str(caught.value)


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ContractError, match=r"person\.yaml: no such file"):
        read_model(tmp_path / "person.yaml")


TWINS = {"name": "王芳", "phone": "13800000001", "email": "a@b.cn"}
SMALL = MatchModel.model_validate({
    "version": "1.0.0", "entity": "person", "columns": ["phone", "email"],
    "blocking": ["l.phone = r.phone", "l.email = r.email"], "prior": 0.25,
    "comparisons": [
        {"name": column, "levels": [
            {"level": "unknown", "unknown": True, "when": f"{column}_l is null or {column}_r is null"},
            {"level": "same", "when": f"{column}_l = {column}_r", "m": m, "u": 0.125},
            {"level": "different", "when": "ELSE", "m": 0.25, "u": 0.5},
        ]} for column, m in (("phone", 0.5), ("email", 1.0))
    ],
})  # fmt: skip


def scored(model: MatchModel, *, new: int, least: float = -100.0, said=(TWINS, TWINS)) -> pl.DataFrame:
    """Scores of records, of which the last `new` are new."""
    made = records(*({"record_ref": str(n), **one} for n, one in enumerate(said))).with_row_index("id")
    old = made.height - new
    with duckdb.connect(config={"threads": 1}) as con:
        return score(con, model, made[:old], made[old:], least, shares(model, made))


def test_a_score_is_the_prior_and_the_sum_of_what_agrees():
    found = scored(SMALL, new=2)
    prior, phone, email = math.log2(0.25 / 0.75), 2.0, 3.0
    assert found["weight"].to_list() == pytest.approx([prior + phone + email])
    assert found["levels"].to_list() == ["phone +2.0, email +3.0"]
    other = scored(SMALL, new=1, said=(TWINS, TWINS | {"email": "c@d.cn"}))
    assert other["weight"].to_list() == pytest.approx([prior + phone - 1])
    silent = scored(SMALL, new=1, said=(TWINS, TWINS | {"email": None}))
    assert silent["weight"].to_list() == pytest.approx([prior + phone]) and silent["levels"].to_list() == ["phone +2.0"]


def test_a_pair_has_something_new_and_as_much_weight_as_was_asked_for():
    assert scored(SMALL, new=0).height == 0
    assert scored(SMALL, new=1, said=(TWINS, TWINS, TWINS)).select("left", "right").rows() == [(0, 2), (1, 2)]
    assert scored(SMALL, new=3, said=(TWINS, TWINS, TWINS)).select("left", "right").rows() == [(0, 1), (0, 2), (1, 2)]
    assert scored(SMALL, new=2, least=50.0).height == 0


def test_a_rare_name_is_more_evidence_than_a_common_one():
    people = [{"name": "王芳", "phone": "13800000001"}, {"name": "王芳", "phone": "13800000001"}]
    weights = []
    for crowd in ("王芳", "李强"):
        found = scored(models()["person"], new=2, said=[{"name": crowd}] * 30 + people)
        weights.append(found.filter((pl.col("left") == 30) & (pl.col("right") == 31))["weight"].item())
    assert weights[1] > weights[0] + 3


def test_what_was_scored_leaves_nothing_in_the_engine():
    made = records({"record_ref": "a", **TWINS}, {"record_ref": "b", **TWINS}).with_row_index("id")
    with duckdb.connect(config={"threads": 1}) as con:
        for _ in range(2):
            score(con, models()["person"], made[:1], made[1:], 0.0, shares(models()["person"], made))
        assert con.execute("show all tables").fetchall() == []


def crowd(size: int = 400) -> pl.DataFrame:
    """Pairs of records of one person each; every fifth pair has two phones, every seventh two mail addresses."""
    said = []
    for n in range(size):
        person = {"name": f"王{n}", "phone": f"138{n:08d}", "email": f"{n}@b.cn"}
        other = {"phone": f"139{n:08d}"} if n % 5 == 0 else {"email": f"x{n}@b.cn"} if n % 7 == 0 else {}
        said += [{"record_ref": f"{n} a", **person}, {"record_ref": f"{n} b", **person, **other}]
    return records(*said).with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))


def learned(model: MatchModel, seed: int = 1) -> MatchModel:
    with duckdb.connect(config={"threads": 1}) as con:
        return train(con, model, crowd(), ("l.phone = r.phone", "l.email = r.email"), seed)


def test_training_learns_the_shares_that_are_there():
    after = learned(SMALL)
    phone, email = (comparison.levels[1] for comparison in after.comparisons)
    # Each is learned within the pairs that agree in the other one.
    pairs, moved, renamed = 400, 80, sum(n % 7 == 0 and n % 5 != 0 for n in range(400))
    assert phone.m == pytest.approx((pairs - moved - renamed) / (pairs - renamed), abs=0.02)
    assert email.m == pytest.approx((pairs - moved - renamed) / (pairs - moved), abs=0.02)
    for level in (phone, email):
        assert level.u == pytest.approx(1 / 800, rel=0.5) and math.isfinite(level.weight)


def test_training_twice_gives_the_same_model():
    assert learned(SMALL) == learned(SMALL)


def test_training_keeps_levels_that_are_fixed():
    said = SMALL.model_dump(mode="json")
    said["comparisons"][0]["levels"][1] |= {"fixed": "u", "u": 0.001}
    said["comparisons"][1]["levels"][1] |= {"fixed": "both"}
    after = learned(MatchModel.model_validate(said))
    phone, email = (comparison.levels[1] for comparison in after.comparisons)
    assert phone.u == 0.001 and phone.m != 0.5 and (email.m, email.u) == (1.0, 0.125)
    assert after.prior == SMALL.prior
