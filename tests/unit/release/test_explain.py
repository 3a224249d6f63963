"""Why a party is in or out: the answer fits what was published; risk is told all of it, marketing only its own."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, replace

import polars as pl
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.contracts.expectations import party_column
from pipelines.release.catalogue import CONSUMERS, Release
from pipelines.release.explain import Answer, explain
from pipelines.release.refused import Refused
from pipelines.release.whom import pseudonym, release_of
from pipelines.settings import InputError

from .lawful_nights import CHILDREN, NIGHTS, PARTIES, SILENT, WITHDRAWS, failing, included
from .warehouse import KEY, Office, party_id

LIST, DECISION = "marketing.low_risk_list", "risk.low_risk_decision"


@pytest.fixture(scope="module")
def office(two_nights: Office) -> Office:
    return two_nights


@pytest.fixture(scope="module")
def first(office: Office) -> Release:
    return release_of(office.home, NIGHTS[0])


def asked(office: Office, release: Release, consumer: str, product: str, n: int) -> Answer:
    return explain(office.catalog, release, consumer, product, party_id(n), lambda: office.ring)


def test_in_is_exactly_what_is_in_the_file(office: Office, first: Release) -> None:
    """Every party, every product that has parties, both consumers."""
    seen = set()
    for product in office.catalog.products.values():
        parties = [column.name for column in product.columns if party_column(column.name)]
        if product.consumer not in CONSUMERS or not parties:
            continue
        rows = pl.read_parquet(first.path / str(product.consumer) / f"{product.table}.parquet")
        held = {who for name in parties for who in rows[name]}
        for n in range(PARTIES):
            answer = asked(office, first, str(product.consumer), product.id, n)
            assert answer.is_in == (answer.pseudonym in held), (product.id, n)
            assert answer.is_in or answer.reasons, (product.id, n)
            seen.add((product.id == LIST, answer.is_in))
    assert len(seen) == 4


@pytest.mark.parametrize("n", range(PARTIES))
def test_risk_is_told_every_rule_that_excludes(office: Office, first: Release, n: int) -> None:
    (decision,) = asked(office, first, "risk", "low_risk_list", n).decisions
    expected = set() if included(n, NIGHTS[0]) else failing(n)
    assert {reason.code for reason in decision.reasons} == expected
    assert decision.verdict["included"] == ("no" if expected else "yes")
    told = {reason.code: reason for reason in decision.reasons}
    if "rule_regular_inflow" in expected:
        assert told["rule_regular_inflow"].outcome == "cannot be evaluated"
        assert told["rule_regular_inflow"].values == {"income_periods": str(n % 7)}
    assert all(reason.article for reason in decision.reasons)
    if "rule_lawful_use" in expected:
        assert "PIPL 24" in str(told["rule_lawful_use"].article), "the one rule that is law"
    if expected:
        assert told["rule_history"].outcome == "fails"
        minimum = office.catalog.policy.thresholds["low_risk.min_history_days"]
        assert told["rule_history"].limits == {"low_risk.min_history_days": minimum}


@pytest.mark.parametrize("n", range(PARTIES))
def test_marketing_is_told_of_consents_and_of_no_rule(office: Office, first: Release, n: int) -> None:
    answer = asked(office, first, "marketing", "low_risk_list", n)
    told = json.dumps(asdict(answer), default=str)
    for word in (
        "rule_",
        "history",
        "inflow",
        "fail",
        "evaluable",
        "evaluated",
        "exclusion",
        "minor",
        "income_periods",
    ):
        assert word not in told, word
    codes = {reason.code for reason in answer.reasons}
    if n in SILENT:
        assert codes == {"basic:no_consent", "transaction:no_consent"}
        assert all(reason.article for reason in answer.reasons)
    elif not answer.is_in:
        assert codes == {""}


def test_marketing_cannot_tell_a_child_by_its_rules_from_others(office: Office, first: Release) -> None:
    """What the law forbids is told alike, whatever risk decided."""
    told = {str(asked(office, first, "marketing", "low_risk_list", n).reasons) for n in CHILDREN}
    assert len(told) == 1
    assert len({included(n, NIGHTS[0]) for n in CHILDREN}) == 2


def test_who_is_out_by_risks_decision_is_told_the_same_whichever_rule(office: Office, first: Release) -> None:
    out = [n for n in range(PARTIES) if not included(n, NIGHTS[0]) and n not in CHILDREN | SILENT]
    assert {len(failing(n)) for n in out} == {1, 3}
    assert len({str(asked(office, first, "marketing", "low_risk_list", n).reasons) for n in out}) == 1


def test_marketing_is_told_band_and_reasons_of_whom_it_sees(office: Office, first: Release) -> None:
    (decision,) = asked(office, first, "marketing", "low_risk_list", 0).decisions
    assert decision.verdict["band"] == "A"
    assert [(reason.code, reason.text) for reason in decision.reasons] == [("stable_income", "Income is stable.")]


def test_what_is_emptied_is_told_with_the_reason(office: Office) -> None:
    later = release_of(office.home, NIGHTS[1])
    answer = asked(office, later, "marketing", "customer_360", WITHDRAWS)
    assert answer.is_in
    assert set(answer.withheld) == {"balance", "orders_90d"}
    (reason,) = answer.withheld["balance"]
    assert (reason.code, "withdrawn" in reason.text) == ("transaction:withdrawn", True)
    assert not asked(office, later, "marketing", "customer_360", 0).withheld


def test_an_answer_is_of_its_date_and_knows_nothing_newer(office: Office, first: Release) -> None:
    """On the second night everybody is on the list; the first is answered as it was."""
    assert not asked(office, first, "marketing", "low_risk_list", 4).is_in
    later = release_of(office.home, None)
    assert later.business_date == NIGHTS[1]
    assert asked(office, later, "marketing", "low_risk_list", 4).is_in
    assert asked(office, later, "marketing", "low_risk_list", WITHDRAWS).reasons[0].code == "transaction:withdrawn"


def test_a_party_is_found_by_its_pseudonym_and_by_no_other_consumers(office: Office, first: Release) -> None:
    mine, theirs = (pseudonym(party_id(0), consumer, lambda: office.ring) for consumer in ("marketing", "risk"))

    def no_key() -> None:
        raise AssertionError("no key is needed")

    found = explain(office.catalog, first, "marketing", LIST, mine, no_key)
    assert found == asked(office, first, "marketing", LIST, 0)
    assert explain(office.catalog, first, "marketing", LIST, mine[:20], no_key) == found
    with pytest.raises(InputError, match="knows no party"):
        explain(office.catalog, first, "marketing", LIST, theirs, lambda: office.ring)


@pytest.mark.parametrize(
    ("consumer", "product", "message"),
    [
        ("marketing", "low_risk_lisst", "no product 'low_risk_lisst'.*low_risk_list"),
        ("marketing", DECISION, "product of risk, not of marketing; marketing has marketing.low_risk_list"),
        ("marketing", "risk_grade", "product of risk, not of marketing$"),
        ("risk", LIST, "product of marketing, not of risk; risk has risk.low_risk_decision"),
        ("risk", "npl_ratio", "of no party"),
    ],
)
def test_a_product_that_cannot_be_asked_of(
    office: Office, first: Release, consumer: str, product: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        asked(office, first, consumer, product, 0)


def test_whom_nobody_knows_and_days_without_a_release(office: Office, first: Release) -> None:
    with pytest.raises(InputError, match="knows no party"):
        asked(office, first, "risk", DECISION, PARTIES + 1)
    for nobody in ("", "x"):
        with pytest.raises(InputError, match="knows no party"):
            explain(office.catalog, first, "risk", DECISION, nobody, lambda: office.ring)
    with pytest.raises(InputError, match="no release of 1994-05-01: releases are of 1994-03-31 to 1994-04-01"):
        release_of(office.home, NIGHTS[0].replace(month=5, day=1))


def test_a_release_answers_by_the_columns_that_it_was_published_with(office: Office, first: Release) -> None:
    later = copy.copy(office.catalog)
    product = later.products["risk.low_risk_decision"]
    column = replace(product.column("band"), name="contracted_later")
    later.products = {**later.products, product.id: replace(product, columns=(*product.columns, column))}
    now = explain(later, first, "risk", "low_risk_list", party_id(2), lambda: office.ring)
    assert now == asked(office, first, "risk", "low_risk_list", 2)


def test_a_release_without_proofs_cannot_answer(office: Office, first: Release, tmp_path) -> None:
    with pytest.raises(Refused, match="has no proofs"):
        asked(office, Release(tmp_path, first.manifest), "risk", DECISION, 0)


def test_the_command_prints_every_rule_in_words(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGTAI_HOME", str(office.home.path))
    monkeypatch.setenv("ZHONGTAI_VAULT_KEY", KEY)
    asked_for = [party_id(2), "--product", "low_risk_list", "--date", str(NIGHTS[0]), "--as"]
    told = CliRunner().invoke(app, ["explain", *asked_for, "risk"]).stdout
    assert "3 rules not passed" in told
    assert "history fails: relationship_days is at least low_risk.min_history_days" in told
    assert "regular inflow cannot be evaluated" in told
    as_marketing = CliRunner().invoke(app, ["explain", *asked_for, "marketing"]).stdout
    assert "is not in marketing.low_risk_list of 1994-03-31" in as_marketing
    assert "history" not in as_marketing
    printed = json.loads(CliRunner().invoke(app, ["explain", *asked_for, "risk", "--json"]).stdout)
    assert [reason["code"] for reason in printed["decisions"][0]["reasons"]] == [
        "rule_history", "rule_regular_inflow", "rule_lawful_use",
    ]  # fmt: skip
