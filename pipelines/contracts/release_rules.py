"""What the policy says that gates of a release look at: how far a list may turn over, which keys must be found again,
which figures stand for groups of people, and which products cannot be compared.

Which products are lists, their contracts say (`member`); every product without a party in its rows is of groups, or the
policy says why it is not, so that none is forgotten.

What belongs here: the section `gates` of policy.yaml, and whether the products and columns that it names are there.
What does not: numbers (its `thresholds.gates`), and what the gates do (`pipelines.audit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from pipelines.contracts.document import Strict, suggestion
from pipelines.contracts.expectations import mentioned, party_column
from pipelines.contracts.model import CONSUMERS, Contract, ContractError

if TYPE_CHECKING:
    from pipelines.contracts.policy import Policy

Name = Annotated[str, StringConstraints(min_length=1)]


class Reference(Strict):
    """Products that have `column`, of one consumer or of all, take its values from the column of that name of `to`."""

    column: Name
    to: Name
    consumer: Name | None = None
    except_: tuple[Name, ...] = Field(default=(), alias="except")


class Group(Strict):
    """A row stands for so many `people`; of rows `where` that is told, there are never fewer than a threshold says."""

    people: Name
    minimum: Name
    where: Name = "true"


class Ungrouped(Strict):
    """`why` no size is asked of a product without parties: where it is because the consumer has them in `rows_in`."""

    why: Name
    rows_in: Name | None = None


class Turnover(Strict):
    """The thresholds that the entries and exits of one list are held to."""

    entries: Name = "gates.churn_max_entries"
    exits: Name = "gates.churn_max_exits"


class ReleaseRules(Strict):
    """`turnover` has the lists with thresholds of their own; rows of `groups` are held to a size, of `ungrouped` not.

    `incomparable` are marts of which consumers see too little in common, with the reason why that is no loss.
    """

    turnover: dict[Name, Turnover] = Field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    groups: dict[Name, Group] = Field(default_factory=dict)
    ungrouped: dict[Name, Ungrouped] = Field(default_factory=dict)
    incomparable: dict[Name, Name] = Field(default_factory=dict)

    def turnover_of(self, product_id: str) -> Turnover:
        """What a list is held to."""
        return self.turnover.get(product_id, Turnover())

    def references_of(self, products: Mapping[str, Contract], product: Contract) -> tuple[Reference, ...]:
        """The references that a product has to one of `products`."""
        names = {column.name for column in product.columns}
        return tuple(
            one
            for one in self.references
            if one.column in names
            and one.consumer in (None, product.consumer)
            and product.id not in (*one.except_, one.to)
            and one.to in products
        )


def check_release_rules(products: dict[str, Contract], policy: Policy) -> None:
    """Raise ContractError for what the section `gates` of the policy names in vain, and products that it forgets."""
    at, rules = f"{policy.path}: gates", policy.gates
    named = [("turnover", name) for name in rules.turnover] + [("groups", name) for name in rules.groups]
    named += [("ungrouped", name) for name in rules.ungrouped]
    named += [("ungrouped", one.rows_in) for one in rules.ungrouped.values() if one.rows_in is not None]
    named += [("references", name) for one in rules.references for name in (one.to, *one.except_)]
    for part, name in named:
        if name not in products:
            raise ContractError(f"{at}.{part}: no product {name}{suggestion(name, set(products))}; correct it")
    if strangers := [name for name in rules.turnover if products[name].member is None]:
        raise ContractError(
            f"{at}.turnover: {strangers[0]} does not say who is on it; give it a `member`, or take it out"
        )
    conditions = [("groups", name, group.people) for name, group in rules.groups.items()]
    conditions += [("groups", name, group.where) for name, group in rules.groups.items() if group.where != "true"]
    for part, name, sql in conditions:
        if not mentioned(sql, products[name]):
            raise ContractError(f"{at}.{part}.{name}: '{sql}' names no column of it; correct it")
    thresholds = [(f"groups.{name}.minimum", group.minimum) for name, group in rules.groups.items()]
    thresholds += [(f"turnover.{name}.entries", limits.entries) for name, limits in rules.turnover.items()]
    thresholds += [(f"turnover.{name}.exits", limits.exits) for name, limits in rules.turnover.items()]
    for place, threshold in thresholds:
        if threshold not in policy.thresholds:
            hint = suggestion(threshold, set(policy.thresholds))
            raise ContractError(f"{at}.{place}: no threshold {threshold}{hint}; correct it")
    for one in rules.references:
        if one.column not in {column.name for column in products[one.to].columns}:
            raise ContractError(f"{at}.references.{one.column}: {one.to} has no such column; correct it")
        if one.consumer is not None and one.consumer not in CONSUMERS:
            raise ContractError(f"{at}.references.{one.column}: consumer: use {', '.join(CONSUMERS)}")
    for mart in rules.incomparable:
        if len({product.consumer for product in products.values() if product.mart == mart}) < 2:
            raise ContractError(f"{at}.incomparable: {mart} is not the mart of several consumers; take it out")
    _check_groups(products, policy)


def _check_groups(products: dict[str, Contract], policy: Policy) -> None:
    """Whether of every product without parties the policy says how many people its rows stand for, or why of none."""
    at, rules = f"{policy.path}: gates", policy.gates
    if twice := sorted(rules.groups.keys() & rules.ungrouped.keys()):
        raise ContractError(f"{at}.ungrouped: {twice[0]} is among groups too; keep one")
    for name, one in rules.ungrouped.items():
        if _of_parties(products[name]):
            raise ContractError(
                f"{at}.ungrouped: {name} has parties in its rows, of which no size is asked; take it out"
            )
        if one.rows_in is None:
            continue
        rows = products[one.rows_in]
        if rows.consumer != products[name].consumer or not _of_parties(rows):
            raise ContractError(
                f"{at}.ungrouped.{name}.rows_in: {rows.id} does not give the same consumer rows of parties; name one "
                f"that does, or give {name} a size under groups"
            )
    for product in products.values():
        point = policy.release_points.get(product.release_point or "", {})
        known = {*rules.groups, *rules.ungrouped}
        if not _of_parties(product) and product.id not in known and point.get("group_size") is None:
            raise ContractError(
                f"{at}: {product.id} has no party in its rows: say under groups how many people a row stands for, or "
                f"under ungrouped why none are in danger"
            )


def _of_parties(product: Contract) -> bool:
    return any(party_column(column.name) for column in product.columns)
