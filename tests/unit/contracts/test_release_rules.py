"""The section of the policy that says what gates look at: whoever names something in vain is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import ContractError
from pipelines.contracts.release_rules import Group, Reference, ReleaseRules, Turnover, Ungrouped, check_release_rules

TAGS, NPL = "risk.customer_tag", "risk.npl_ratio"
NONE = Ungrouped(why="a reason")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (ReleaseRules(turnover={"risk.review_queues": Turnover()}), "turnover: no product risk.review_queues"),
        (ReleaseRules(turnover={TAGS: Turnover()}), f"turnover: {TAGS} does not say who is on it"),
        (
            ReleaseRules(turnover={"risk.review_queue": Turnover(exits="gates.churn_max_exit")}),
            "turnover.risk.review_queue.exits: no threshold gates.churn_max_exit",
        ),
        (ReleaseRules(ungrouped={"risk.npl_ratios": NONE}), "ungrouped: no product risk.npl_ratios"),
        (
            ReleaseRules(ungrouped={NPL: Ungrouped(why="it has them", rows_in="risk.loans")}),
            "ungrouped: no product risk.loans",
        ),
        (ReleaseRules(ungrouped={TAGS: NONE}), f"ungrouped: {TAGS} has parties in its rows"),
        (
            ReleaseRules(ungrouped={NPL: Ungrouped(why="it has them", rows_in="marketing.customer_360")}),
            "rows_in: marketing.customer_360 does not give the same consumer rows of parties",
        ),
        (
            ReleaseRules(ungrouped={NPL: Ungrouped(why="it has them", rows_in="risk.roll_rate")}),
            "rows_in: risk.roll_rate does not give the same consumer rows of parties",
        ),
        (
            ReleaseRules(ungrouped={NPL: NONE}, groups={NPL: Group(people="facilities", minimum="consent.min_group")}),
            f"ungrouped: {NPL} is among groups too",
        ),
        (
            ReleaseRules(incomparable={"mart.npl_ratio": "nothing in common"}),
            "incomparable: mart.npl_ratio is not the mart of several consumers",
        ),
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


def test_no_figure_of_groups_is_forgotten(catalog: Catalog) -> None:
    """Whichever product without parties is taken out of the policy, or comes new: somebody has to say what it is."""
    rules = catalog.policy.gates
    for part in ("groups", "ungrouped"):
        for name in getattr(rules, part):
            rest = {other: one for other, one in getattr(rules, part).items() if other != name}
            forgetful = replace(catalog.policy, gates=rules.model_copy(update={part: rest}))
            with pytest.raises(ContractError, match=f"{name} has no party in its rows: say under groups"):
                check_release_rules(catalog.products, forgetful)
    new = replace(catalog.products[NPL], id="marketing.npl_ratio", consumer="marketing")
    with pytest.raises(ContractError, match=r"marketing\.npl_ratio has no party in its rows"):
        check_release_rules(catalog.products | {new.id: new}, catalog.policy)


def test_a_release_point_without_a_size_is_no_size(catalog: Catalog) -> None:
    """The cells that marketing is given are held to the size of their release point, as long as it has one."""
    points = catalog.policy.release_points
    sizeless = points | {"calibration_cells": points["calibration_cells"] | {"group_size": None}}
    with pytest.raises(ContractError, match=r"marketing\.calibration_matrix has no party in its rows"):
        check_release_rules(catalog.products, replace(catalog.policy, release_points=sizeless))
