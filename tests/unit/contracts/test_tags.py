"""Definitions of tags: what is refused, by whose words, and what a rule becomes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.tag_macro import tag_macro
from pipelines.contracts.tags import REFRESHES, TAG_PURPOSES, load_tags
from pipelines.settings import PROJECT

GOOD = """domain: products
owner: retail-banking
tags:
  - name: owner
    label: {zh: 持有人, en: Owner}
    description: Owns an account.
    rule: accounts_owned > 0
    refresh: daily
    purposes: [marketing, risk_management]
    since: 1.0.0
"""
RULE = "rule: accounts_owned > 0"
REFUSED = {
    "a column that is not there": (RULE, "rule: acounts_owned > 0", "owner.rule: 'acounts_owned' is no column of"),
    "with the nearest one": (RULE, "rule: acounts_owned > 0", "did you mean 'accounts_owned'"),
    "a number": (RULE, "rule: accounts_owned > 3", "owner.rule: 3 is a threshold; give it a name in policy.yaml"),
    "a threshold that is not signed": (
        RULE, "rule: accounts_owned > policy('tag.acounts')", "policy.yaml has no threshold 'tag.acounts'",
    ),
    "what makes known of unknown": (RULE, "rule: coalesce(accounts_owned, 0) > 0", "'coalesce' is no column"),
    "another table": (RULE, "rule: accounts_owned > (select 1)", "'select' is no column"),
    "two statements": (RULE, "rule: accounts_owned > 0; drop", "';' is no column"),
    "the party": (RULE, "rule: party_id = 'P1'", "'party_id' is no column"),
    "nothing": (RULE, "rule: 1 = 1", "looks at no column"),
    "no rule": (f"    {RULE}\n", "", "owner.rule: give one"),
    "rule and value": (RULE, f"{RULE}\n    value: party_kind", "owner.rule: give one"),
    "a purpose of which a column is not": (
        RULE, "rule: days_past_due > 0", "mart.customer_360.days_past_due may not be used for marketing",
    ),
    "a purpose without a consumer": ("[marketing, ", "[regulatory_reporting, ", "regulatory_reporting"),
    "a purpose twice": ("[marketing, ", "[risk_management, ", "owner.purposes: a purpose is given twice"),
    "no purpose": ("[marketing, risk_management]", "[]", "tags.owner.purposes"),
    "another refresh": ("refresh: daily", "refresh: hourly", "tags.owner.refresh"),
    "no label": ("{zh: 持有人, en: Owner}", "{zh: 持有人}", "tags.owner.label.en: missing"),
    "no sentence": ("Owns an account.", "Owns an account", "owner.description"),
    "no version": ("since: 1.0.0", "since: one", "tags.owner.since"),
    "a field of nobody": ("since: 1.0.0", "since: 1.0.0\n    until: 2", "tags.owner.until: not known here"),
    "another domain": ("domain: products", "domain: product", "domain: a file of this name holds 'products'"),
    "a name that is none": ("name: owner", "name: Owner of it", "tags"),
}  # fmt: skip


def load(catalog: Catalog, folder: Path, text: str) -> dict:
    folder.mkdir(exist_ok=True)
    (folder / "products.yaml").write_text(text, encoding="utf-8")
    return load_tags(folder, catalog.marts, catalog.policy)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_file_and_tag(catalog: Catalog, tmp_path: Path, case: str) -> None:
    old, new, said = REFUSED[case]
    assert GOOD.count(old) == 1
    with pytest.raises(Exception, match=r"products\.yaml: ") as caught:
        load(catalog, tmp_path / "tags", GOOD.replace(old, new))
    assert type(caught.value).__name__ == "ContractError"
    assert said in str(caught.value)


def test_a_definition_is_what_its_file_says(catalog: Catalog, tmp_path: Path) -> None:
    rule = "rule: not is_merchant and age_years between policy('tag.adult_age') and policy('tag.prime_age')"
    tag = load(catalog, tmp_path / "tags", GOOD.replace(RULE, rule))["owner"]
    assert (tag.columns, tag.thresholds) == (("is_merchant", "age_years"), ("tag.adult_age", "tag.prime_age"))
    assert tag.expression == (
        "case when not is_merchant and age_years between policy_tag__adult_age and policy_tag__prime_age "
        "then 'true' end"
    )


def test_a_name_is_given_once(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "tags"
    load(catalog, folder, GOOD)
    (folder / "value.yaml").write_text(GOOD.replace("domain: products", "domain: value"), encoding="utf-8")
    with pytest.raises(Exception, match=r"value.yaml: owner.name: .*products.yaml has it too"):
        load_tags(folder, catalog.marts, catalog.policy)


def test_a_file_that_would_not_be_read_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "products.yml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(Exception, match="would not be read"):
        load_tags(tmp_path, catalog.marts, catalog.policy)


def test_there_are_tags_of_every_domain_refresh_and_purpose(catalog: Catalog) -> None:
    tags = catalog.tags.values()
    assert len(tags) >= 45
    files = {path.stem for path in (PROJECT / "data_contracts" / "tags").glob("*.yaml")}
    assert {tag.domain for tag in tags} == files and len(files) >= 15
    assert {tag.refresh for tag in tags} == set(REFRESHES)
    assert {purpose for tag in tags for purpose in tag.purposes} == set(TAG_PURPOSES)


def test_marketing_tags_look_at_nothing_that_measures_risk_or_health(catalog: Catalog) -> None:
    mart = catalog.marts["mart.customer_360"]
    for tag in catalog.tags.values():
        assert not [name for name in tag.columns if name.startswith("medical_")], tag.name
        for name in tag.columns:
            assert set(tag.purposes) <= set(mart.column(name).purposes), tag.name


def test_every_threshold_of_tags_is_used(catalog: Catalog) -> None:
    used = {name for tag in catalog.tags.values() for name in tag.thresholds}
    assert {name for name in catalog.policy.thresholds if name.startswith("tag.")} <= used


def test_every_rule_is_sql_over_the_mart_and_unknown_gives_no_verdict(catalog: Catalog) -> None:
    """Of a party of whom nothing is known but that it is there, no tag holds."""
    types = {"string": "varchar"}
    columns = ", ".join(
        f"cast(null as {types.get(column.type, column.type)}) as {column.name}"
        for column in catalog.marts["mart.customer_360"].columns
    )
    con = duckdb.connect()
    for tag in catalog.tags.values():
        limits = "".join(f", 5 as policy_{name.replace('.', '__')}" for name in tag.thresholds)
        rows = con.execute(f"select cast({tag.expression} as varchar) from (select {columns}{limits})").fetchall()
        assert rows == [(None,)], tag.name


def test_the_macro_is_jinja_that_gives_the_definitions_back(catalog: Catalog) -> None:
    import jinja2

    said: list = []
    macro = tag_macro(catalog.tags)
    template = jinja2.Environment().from_string(macro + "{{ tag_definitions() }}")
    template.render({"return": said.append})
    (found,) = said
    assert [entry["tag"] for entry in found] == list(catalog.tags)
    for entry, tag in zip(found, catalog.tags.values(), strict=True):
        assert (entry["rule"], entry["expression"], entry["label_zh"]) == (tag.rule, tag.expression, tag.label_zh)
        assert (entry["purposes"], entry["thresholds"]) == (list(tag.purposes), list(tag.thresholds))
