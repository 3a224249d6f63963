"""What the policy says that gates of a release look at: which products are lists, which keys must be found again, and
which figures stand for groups of people.

What belongs here: the section `gates` of policy.yaml, and whether the products and columns that it names are there.
What does not: numbers (its `thresholds.gates`), and what the gates do (`pipelines.audit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from pipelines.contracts.document import Strict, suggestion
from pipelines.contracts.expectations import mentioned
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


class ReleaseRules(Strict):
    """`lists` are products whose members do not come and go by the night; rows of `groups` stand for people."""

    lists: tuple[Name, ...] = ()
    references: tuple[Reference, ...] = ()
    groups: dict[Name, Group] = Field(default_factory=dict)

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
    """Raise ContractError for a product, column or threshold that the section `gates` of the policy names in vain."""
    at, rules = f"{policy.path}: gates", policy.gates
    named = [("lists", name) for name in rules.lists] + [("groups", name) for name in rules.groups]
    named += [("references", name) for one in rules.references for name in (one.to, *one.except_)]
    for part, name in named:
        if name not in products:
            raise ContractError(f"{at}.{part}: no product {name}{suggestion(name, set(products))}; correct it")
    if strangers := [name for name in rules.lists if products[name].member is None]:
        raise ContractError(f"{at}.lists: {strangers[0]} does not say who is on it; give it a `member`, or take it out")
    conditions = [("groups", name, group.people) for name, group in rules.groups.items()]
    conditions += [("groups", name, group.where) for name, group in rules.groups.items() if group.where != "true"]
    for part, name, sql in conditions:
        if not mentioned(sql, products[name]):
            raise ContractError(f"{at}.{part}.{name}: '{sql}' names no column of it; correct it")
    for name, group in rules.groups.items():
        if group.minimum not in policy.thresholds:
            hint = suggestion(group.minimum, set(policy.thresholds))
            raise ContractError(f"{at}.groups.{name}.minimum: no threshold {group.minimum}{hint}; correct it")
    for one in rules.references:
        if one.column not in {column.name for column in products[one.to].columns}:
            raise ContractError(f"{at}.references.{one.column}: {one.to} has no such column; correct it")
        if one.consumer is not None and one.consumer not in CONSUMERS:
            raise ContractError(f"{at}.references.{one.column}: consumer: use {', '.join(CONSUMERS)}")
