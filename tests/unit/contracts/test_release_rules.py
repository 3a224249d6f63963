"""The section of the policy that says what gates look at: whoever names something in vain is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import ContractError
from pipelines.contracts.release_rules import Group, Reference, ReleaseRules, check_release_rules

TAGS = "risk.customer_tag"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (ReleaseRules(lists=("risk.low_risk_decisions",)), "lists: no product risk.low_risk_decisions"),
        (ReleaseRules(lists=(TAGS,)), f"lists: {TAGS} does not say who is on it"),
        (
            ReleaseRules(groups={TAGS: Group(people="heads", minimum="consent.min_group")}),
            "'heads' names no column of it",
        ),
        (ReleaseRules(groups={TAGS: Group(people="tag", minimum="consent.group")}), "no threshold consent.group"),
        (
            ReleaseRules(groups={TAGS: Group(people="tag", minimum="consent.min_group", where="shown")}),
            "'shown' names no column of it",
        ),
        (ReleaseRules(references=(Reference(column="tag", to="shared.tags"),)), "references: no product shared.tags"),
        (
            ReleaseRules(references=(Reference(column="label", to="shared.tag_definition"),)),
            "references.label: shared.tag_definition has no such column",
        ),
        (
            ReleaseRules(references=(Reference(column="tag", to="shared.tag_definition", consumer="sales"),)),
            "references.tag: consumer: use marketing, risk, shared",
        ),
    ],
)
def test_what_names_nothing_is_refused(catalog: Catalog, rules: ReleaseRules, words: str) -> None:
    with pytest.raises(ContractError) as refused:
        check_release_rules(catalog.products, replace(catalog.policy, gates=rules))
    assert str(refused.value).startswith(f"{catalog.policy.path}: gates.")
    assert words in str(refused.value)


def test_a_product_refers_where_it_has_the_column_and_not_to_itself(catalog: Catalog) -> None:
    """Of every product exactly the references whose column it has, of its consumer, that lead elsewhere."""
    rules = catalog.policy.gates
    for product in catalog.products.values():
        names = {column.name for column in product.columns}
        for one in rules.references:
            excepted = product.id in one.except_ or product.id == one.to
            applies = one.column in names and one.consumer in (None, product.consumer) and not excepted
            assert (one in rules.references_of(catalog.products, product)) == applies


def test_what_is_not_there_is_referred_to_by_nobody(catalog: Catalog) -> None:
    few = {TAGS: catalog.products[TAGS]}
    assert catalog.policy.gates.references_of(few, few[TAGS]) == ()
