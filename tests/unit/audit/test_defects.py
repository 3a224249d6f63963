"""Every kind of defect fails its own check and no other, on real runs of the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines.audit import run
from pipelines.audit.content import PROOF, RULES, SUPERSEDES
from pipelines.audit.evidence import Evidence
from pipelines.audit.raw_identifiers import no_raw_identifier
from pipelines.audit.run import audit_candidate
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import RowRule
from pipelines.contracts.waivers import Waiver

from .candidates import BANK, DAY, NO_SHELF, party_ids, with_values, write_candidate

LIST, DECISION = "marketing.low_risk_list", "risk.low_risk_decision"
COVERAGE, RECONCILIATION = "shared.coverage", "shared.reconciliation"
MATRIX = "marketing.calibration_matrix"
PRODUCTS = (LIST, DECISION, COVERAGE, RECONCILIATION, MATRIX, "risk.loan_classification")
Tables = dict[str, pa.Table]
# In a candidate every second party is excluded: rows 1, 3, 5, … of the decisions. Only risk sees those.


def failed(evidence: Evidence) -> set[str]:
    return {check.id for check in evidence.checks if check.state == "failed"}


def not_audited(evidence: Evidence) -> set[str]:
    return {check.id for check in evidence.checks if check.state == "not_audited"}


def put(product: str, column: str, value: object, row: int = 1) -> Callable[[Tables], None]:
    """Replace one value; row 1 is an excluded party."""

    def spoil(tables: Tables) -> None:
        values = tables[product].column(column).to_pylist()
        values[row] = value
        tables[product] = with_values(tables[product], column, values)

    return spoil


def _skip(tables: Tables, contract: str, step: str) -> None:
    """Take away the comparisons of one contract at one step."""
    table = tables[RECONCILIATION]
    tables[RECONCILIATION] = table.filter((pc.field("contract") != contract) | (pc.field("step") != step))


def put_where(product: str, key: str, column: str, value: object) -> Callable[[Tables], None]:
    """Replace a value in the rows of one contract."""

    def spoil(tables: Tables) -> None:
        contracts = tables[product].column("contract").to_pylist()
        old = tables[product].column(column).to_pylist()
        new = [value if contract == key else v for contract, v in zip(contracts, old, strict=True)]
        tables[product] = with_values(tables[product], column, new)

    return spoil


def without(product: str, column: str, value: str) -> Callable[[Tables], None]:
    """Remove the rows of one value."""

    def spoil(tables: Tables) -> None:
        tables[product] = tables[product].filter(pc.not_equal(tables[product].column(column), value))

    return spoil


def changed(product: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Tables], None]:
    """Replace a whole table."""

    def spoil(tables: Tables) -> None:
        tables[product] = change(tables[product])

    return spoil


def released_code(code: str) -> Callable[[Tables], None]:
    """A reason code in the first included party, told alike to marketing and risk."""

    def spoil(tables: Tables) -> None:
        for product in (LIST, DECISION):
            put(product, "inclusion_reasons", code, row=0)(tables)

    return spoil


def one_pseudonym_for_both(tables: Tables) -> None:
    marketing = tables[LIST].column("pseudonym").to_pylist()
    put(DECISION, "pseudonym", marketing[0], row=0)(tables)


def with_score(table: pa.Table) -> pa.Table:
    return table.append_column("score", pa.array([1.5] * table.num_rows))


def with_second_row_twice(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table, table.slice(1, 1)])


DEFECTS = {
    "unknown column": (changed(LIST, with_score), f"contract.columns/{LIST}"),
    "column order": (changed(LIST, lambda t: t.select(t.schema.names[::-1])), f"contract.columns/{LIST}"),
    "empty but required": (put(DECISION, "rule_history", None), f"contract.required/{DECISION}/rule_history"),
    "twice the same key": (changed(DECISION, with_second_row_twice), f"contract.key/{DECISION}"),
    "unknown code": (put(DECISION, "rule_history", "maybe"), f"contract.values/{DECISION}/rule_history"),
    "out of range": (put(DECISION, "income_periods", 7), f"contract.range/{DECISION}/income_periods"),
    "broken row rule": (put(DECISION, "band", "A"), f"contract.rule/{DECISION}/band_exactly_when_included"),
    "a class without its article": (
        put("risk.loan_classification", "deciding_article", None),
        "contract.rule/risk.loan_classification/reason_for_every_class_but_normal",
    ),
    "another date": (put(DECISION, "business_date", DAY - timedelta(1)), f"contract.business_date/{DECISION}"),
    "no pseudonym": (put(DECISION, "pseudonym", "A" * 64), f"contract.pseudonym/{DECISION}"),
    "broken reconciliation": (put(RECONCILIATION, "status", "broken"), "reconciliation.agreed"),
    "not reconciled": (without(RECONCILIATION, "contract", "core.transaction"), "reconciliation.present"),
    "optional and not reconciled": (without(RECONCILIATION, "contract", "card.account"), "reconciliation.present"),
    "a step skipped": (lambda tables: _skip(tables, "card.account", "lake"), "reconciliation.present"),
    "required and absent": (put_where(COVERAGE, "core.party", "status", "absent"), "coverage.required"),
    "required and unmentioned": (without(COVERAGE, "contract", "core.party"), "coverage.required"),
    "a party too few": (changed(LIST, lambda t: t.slice(1)), "consumers.consistent"),
    "another band": (put(LIST, "band", "B", row=0), "consumers.consistent"),
    "resident id": (put(DECISION, "exclusion_reasons", "see 11010519491231002X"), "privacy.no_raw_identifier"),
    "mobile phone": (put(DECISION, "exclusion_reasons", "+86 138-0013-8000"), "privacy.no_raw_identifier"),
    "social credit code": (put(DECISION, "exclusion_reasons", "of 91350100M000100Y43"), "privacy.no_raw_identifier"),
    "bank card": (put(DECISION, "exclusion_reasons", "6222 0212 3456 7890 128"), "privacy.no_raw_identifier"),
    "e-mail address": (put(DECISION, "exclusion_reasons", "wrote from li@mail.example"), "privacy.no_raw_identifier"),
    "birth number": (put(DECISION, "exclusion_reasons", "705616"), "privacy.no_raw_identifier"),
    "birth number, suffixed": (put(DECISION, "exclusion_reasons", "705616/1234"), "privacy.no_raw_identifier"),
    "party id as pseudonym": (put(DECISION, "pseudonym", party_ids(2)[1]), "privacy.no_party_id"),
    "internal id in text": (put(DECISION, "exclusion_reasons", party_ids(2)[1]), "privacy.no_party_id"),
    "one pseudonym for both": (one_pseudonym_for_both, "privacy.pseudonym_per_consumer"),
    "risk's words to marketing": (released_code("stable_income;rule_history"), "privacy.release_point"),
}


NOBODY = ("no pseudonym", "party id as pseudonym", "one pseudonym for both")


def test_a_good_candidate_passes_every_check(audited) -> None:
    evidence = audited()
    assert evidence.count("passed") == len(evidence.checks)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_fails_its_own_check_and_no_other(audited, defect: str) -> None:
    spoil, expected = DEFECTS[defect]
    # Who is not who they seem has no proof either.
    also = {"privacy.lawful_use"} if spoil in (DEFECTS[name][0] for name in NOBODY) else set()
    evidence = audited(spoil)
    assert (failed(evidence), not_audited(evidence)) == ({expected, *also}, set())
    assert expected in {check.id for check in evidence.refusals()}


def test_optional_data_carried_too_long_warns_and_does_not_refuse(audited) -> None:
    def spoil(tables: Tables) -> None:
        put_where(COVERAGE, "card.account", "status", "carried")(tables)
        put_where(COVERAGE, "card.account", "delivered_through", DAY - timedelta(4))(tables)

    evidence = audited(spoil)
    assert failed(evidence) == {"coverage.carried"}
    assert evidence.refusals() == ()
    assert evidence.warnings()[0].observed == (
        "card.account: 4 days behind, 3 allowed: daily, due for 1994-03-28, by 01:15 bank time on 1994-03-29; "
        "the last came for 1994-03-27; ask cards for it and run the night again"
    )


def test_a_required_delivery_that_is_owed_refuses(audited) -> None:
    evidence = audited(put_where(COVERAGE, "core.party", "delivered_through", DAY - timedelta(1)))
    (refusal,) = evidence.refusals()
    assert (refusal.id, failed(evidence)) == ("coverage.required", {"coverage.required"})
    assert refusal.observed == (
        "core.party: daily, due for 1994-03-31, by 01:15 bank time on 1994-04-01; the last came for 1994-03-30; "
        "ask core-banking for it and run the night again"
    )


def test_a_missing_column_fails_the_columns_and_is_no_verdict_on_its_values(audited) -> None:
    evidence = audited(changed(DECISION, lambda t: t.drop_columns(["rule_history"])))
    column = f"{DECISION}/rule_history"
    assert failed(evidence) == {f"contract.columns/{DECISION}"}
    assert not_audited(evidence) == {f"contract.required/{column}", f"contract.values/{column}", "consumers.consistent"}
    columns = next(check for check in evidence.checks if check.id == f"contract.columns/{DECISION}")
    assert columns.observed == "missing: rule_history"


def test_a_wrong_type_fails_the_types_and_is_no_verdict_on_its_values(audited) -> None:
    def spoil(tables: Tables) -> None:
        table = tables[DECISION]
        at = table.schema.names.index("income_periods")
        tables[DECISION] = table.set_column(at, "income_periods", table.column(at).cast(pa.string()))

    evidence = audited(spoil)
    assert failed(evidence) == {f"contract.types/{DECISION}"}
    column = f"{DECISION}/income_periods"
    assert not_audited(evidence) == {f"contract.required/{column}", f"contract.range/{column}", "consumers.consistent"}


def test_a_column_named_as_an_identifier_is_refused_whatever_it_holds(audited) -> None:
    evidence = audited(changed(LIST, lambda t: t.append_column("phone_token", pa.nulls(t.num_rows, pa.string()))))
    assert failed(evidence) == {f"contract.columns/{LIST}", "privacy.no_raw_identifier"}


def test_a_phone_number_stored_as_a_number_is_found(audited) -> None:
    evidence = audited(changed(DECISION, lambda t: t.append_column("n", pa.array([13800138000] * t.num_rows))))
    assert failed(evidence) == {f"contract.columns/{DECISION}", "privacy.no_raw_identifier"}


@pytest.mark.parametrize(
    ("values", "type_", "found"),
    [
        ([Decimal("13800138000.00"), Decimal("13900139000.00")], pa.decimal128(18, 2), True),
        ([Decimal("13800138000.00"), Decimal("15.40")], pa.decimal128(18, 2), False),  # an amount among amounts
        ([Decimal("13800138000.50"), Decimal("15900139000.25")], pa.decimal128(18, 2), False),
        ([Decimal("6222021234567890128.00"), Decimal("15.40")], pa.decimal128(38, 2), True),
        ([Decimal("6222021234567890129.00"), Decimal("15.40")], pa.decimal128(38, 2), False),
        ([13800138000.0, 13900139000.0], pa.float64(), True),
        ([110105194912310021.0, 0.5, float("nan"), float("inf")], pa.float64(), True),  # its last digits are lost
        ([123456789012345678], pa.int64(), False),  # a key: nobody was born then
        ([["13800138000"], ["x"]], pa.list_(pa.string()), True),
        ([{"n": 910105194912310021, "of": "x"}], pa.struct([("n", pa.int64()), ("of", pa.string())]), False),
        ([{"n": 1, "of": ["11010519491231002X"]}], pa.struct([("n", pa.int64()), ("of", pa.list_(pa.string()))]), True),
        ([b"13800138000"], pa.binary(), True),
        (["13800138000"], pa.dictionary(pa.int32(), pa.string()), True),
        ([date(1949, 12, 31)], pa.date32(), False),
    ],
    ids=str,
)
def test_an_identifier_is_found_in_a_column_of_any_type(opened, catalog: Catalog, values, type_, found: bool) -> None:
    def spoil(tables: Tables) -> None:
        told = [*values, *[None] * (tables[DECISION].num_rows - len(values))]
        tables[DECISION] = tables[DECISION].append_column("told", pa.array(told, type_))

    verdict = no_raw_identifier(opened(catalog, spoil))
    assert verdict.state == ("failed" if found else "passed"), verdict
    assert not found or verdict.observed.startswith(f"{DECISION}.told: ")


def test_of_figures_of_groups_nothing_but_a_check_tells_a_phone_from_an_amount(opened, catalog: Catalog) -> None:
    whole = changed(COVERAGE, lambda t: t.append_column("sum", pa.array([Decimal(13800138000)] * t.num_rows)))
    assert no_raw_identifier(opened(catalog, whole)).state == "passed"


@pytest.mark.parametrize("name", [RULES, SUPERSEDES])
@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"reason": "see 11010519491231002X"}, "a resident id"),
        ({"13800138000": True}, "a mobile phone"),
        ({"of": [{"account": 6222021234567890128}]}, "a bank card"),
        ({"hash": "1" * 64, "limit": 390000000.0, "share": 0.106776, "on": "2025-12-31", "file": "x_705616.csv"}, ""),
    ],
    ids=str,
)
def test_proofs_tell_nobody_in_words(opened, catalog: Catalog, name: str, said: dict, found: str) -> None:
    subject = opened(catalog)
    (subject.directory / PROOF / name).write_text(json.dumps(said))
    verdict = no_raw_identifier(subject)
    assert verdict.state == ("failed" if found else "passed")
    if found:
        assert verdict.observed == f"{PROOF}/{name}: 1 look like {found}"


def test_proofs_tell_nobody_in_their_facts(opened, catalog: Catalog) -> None:
    subject = opened(catalog)
    path = subject.directory / PROOF / "marketing.parquet"
    pl.read_parquet(path).with_columns(consents=pl.lit("asked at 13800138000")).write_parquet(path)
    assert (
        no_raw_identifier(subject).observed
        == f"{PROOF}/{path.name}.consents: 1 distinct values look like a mobile phone"
    )


def test_the_reason_of_a_waiver_tells_nobody(opened, catalog: Catalog) -> None:
    day = date(1994, 3, 31)
    waiver = Waiver(
        "campaign", "", "list.churn", BANK, (), day, day, "asked for by +86 13800138000", "risk-policy", day, (), day,
        Path("campaign.yaml"),
    )  # fmt: skip
    catalog.__dict__["waivers"] = {"campaign": waiver}
    assert no_raw_identifier(opened(catalog)).observed == "waiver campaign: 1 look like a mobile phone"
    catalog.__dict__["waivers"] = {"campaign": replace(waiver, bank="another")}
    assert no_raw_identifier(opened(catalog)).state == "passed"


def test_marts_of_another_date_are_not_taken_for_the_candidates(audited) -> None:
    evidence = audited(changed(COVERAGE, lambda t: t.slice(0, 0)))
    assert failed(evidence) == {"candidate.business_date", "coverage.required"}


def test_a_date_the_bank_does_not_book_on_is_refused(tmp_path, catalog: Catalog, crosswalk) -> None:
    candidate = write_candidate(tmp_path, catalog, day=date(2020, 1, 1))
    assert "candidate.business_date" in failed(audit_candidate(candidate, catalog, crosswalk, NO_SHELF))


def test_an_empty_list_passes(audited) -> None:
    def spoil(tables: Tables) -> None:
        for product in (LIST, DECISION):
            tables[product] = tables[product].slice(0, 0)

    evidence = audited(spoil)
    assert evidence.count("passed") == len(evidence.checks)


def test_a_check_that_cannot_be_carried_out_is_not_audited_and_spoils_no_other(audited, catalog: Catalog) -> None:
    mart = catalog.marts["mart.low_risk_list"]
    rule = RowRule("raises", "A rule that cannot be computed.", "cast(exclusion_reasons as bigint) > 0", "validity")
    catalog.marts[mart.id] = replace(mart, rules=(*mart.rules, rule))
    evidence = audited()
    assert failed(evidence) == set()
    assert not_audited(evidence) == {f"contract.rule/{DECISION}/raises"}
    (refused,) = evidence.refusals()
    assert refused.observed == "Conversion Error", "the message would hold the value that could not be converted"


def test_a_fault_in_our_own_check_is_not_audited(audited, monkeypatch) -> None:
    monkeypatch.setitem(run.CHECKS, "consumers.consistent", lambda subject: 1 / 0)
    evidence = audited()
    assert (failed(evidence), not_audited(evidence)) == (set(), {"consumers.consistent"})


def test_a_rule_may_use_a_regular_expression_with_braces(audited, catalog: Catalog) -> None:
    mart = catalog.marts["mart.low_risk_list"]
    predicate = "regexp_full_match(exclusion_reasons, '[a-z_]{3,}')"
    rule = RowRule("codes", "Reasons are codes.", predicate, "validity")
    catalog.marts[mart.id] = replace(mart, rules=(*mart.rules, rule))
    assert failed(audited()) == set()
    assert failed(audited(put(DECISION, "exclusion_reasons", "Oh"))) == {f"contract.rule/{DECISION}/codes"}


def test_without_its_crosswalk_a_candidate_is_not_audited_for_party_ids(tmp_path, catalog: Catalog) -> None:
    evidence = audit_candidate(write_candidate(tmp_path, catalog), catalog, tmp_path / "nowhere.parquet", NO_SHELF)
    assert not_audited(evidence) == {"privacy.no_party_id"}
    assert evidence.refusals()


def test_a_group_below_the_signed_size_is_refused(audited, catalog: Catalog) -> None:
    point = {**catalog.policy.release_points["low_risk_band"], "minimum_group": 1000}
    points = {**catalog.policy.release_points, "low_risk_band": point}
    catalog.__dict__["policy"] = replace(catalog.policy, release_points=points)
    assert failed(audited()) == {"privacy.release_point"}


@pytest.mark.parametrize("people", [49, 0])
def test_a_cell_of_fewer_people_than_signed_is_refused(audited, catalog: Catalog, people: int) -> None:
    assert failed(audited()) == set()
    assert failed(audited(put(MATRIX, "people_rounded", people))) == {"privacy.release_point"}


def test_a_band_that_was_not_signed_is_refused(audited, catalog: Catalog) -> None:
    found = failed(audited(put(MATRIX, "pd_band", "not_evaluable")))
    assert "privacy.release_point" in found
