"""Where failing rows came from: the first contract upstream of what a check looks at, and its last delivery.

What belongs here: the way from a check through lineage to a source contract, and which file of it was landed last.
What does not: lineage itself (`pipelines.lineage`), and which rows fail (`failures`). Nothing of this decides anything:
where it cannot be found out, a failure is told without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product as product_of
from typing import TYPE_CHECKING

from pipelines.audit.gates import Verdict, about, suites
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import ledger
from pipelines.settings import Home

if TYPE_CHECKING:
    from pipelines.lineage.graph import Lineage

# Lineage is imported late: it reads SQL, and who reads evidence does not.


@dataclass(frozen=True)
class Upstream:
    """`way` leads from the product to the contract; `delivery` is empty where nothing of it was landed by the date."""

    contract: str
    column: str
    way: tuple[str, ...]
    source: str | None = None
    delivery: str | None = None
    delivery_sha256: str | None = None
    business_date: str | None = None

    def __str__(self) -> str:
        if self.delivery is None:
            return f"{self.contract}, of which nothing was landed"
        return f"{self.contract}, last delivered by {self.source} as {self.delivery} of {self.business_date}"


Find = Callable[[str, Verdict], Upstream | None]


class Finder:
    """Finds the upstream of checks of candidates of one home and business date; reads nothing before it is asked."""

    def __init__(self, catalog: Catalog, home: Home, business_date: date) -> None:
        self.catalog, self.home, self.business_date = catalog, home, business_date

    def __call__(self, check: str, verdict: Verdict) -> Upstream | None:
        """The upstream of a failed check, None where none is known."""
        named_contracts = {key.get("contract") for key in verdict.failing_keys} & self.catalog.sources.keys()
        subject = about(check) or next(iter(sorted(filter(None, named_contracts))), None)
        if subject in self.catalog.sources:
            return self._delivered(subject, "", ())
        product = self.catalog.products.get(subject or "")
        return self._of_product(product, self._columns(check)) if product is not None else None

    @cached_property
    def _lineage(self) -> Lineage:
        from pipelines.lineage.compiled import lineage_of

        return lineage_of(self.catalog, self.home)

    def _columns(self, check: str) -> tuple[str, ...]:
        suite = suites(self.catalog).get(about(check) or "", ())
        found = next((each.columns for each in suite if each.id == check and each.kind != "columns"), ())
        if not found and check.startswith("contract.references/"):
            products = self.catalog.products
            found = tuple(
                one.column for one in self.catalog.policy.gates.references_of(products, products[about(check) or ""])
            )
        return found

    def _of_product(self, product: Contract, columns: tuple[str, ...]) -> Upstream | None:
        from pipelines.lineage.purpose import published
        from pipelines.lineage.trace import ROWS, Origin, named

        origins = published(self.catalog, product)
        # Who a record belongs to descends from every contract: what has to be there says it best.
        delivered = [
            [
                Origin(named(source.id), column.lake_name)
                for source in self.catalog.sources.values()
                if source.criticality == criticality
                for column in source.columns
            ]
            for criticality in ("required", "optional")
        ]
        for name, goals in product_of((*columns, ROWS), delivered):
            ways = [self._lineage.path(origin, goals) for origin in sorted(origins.get(name, ()))]
            if found := min(filter(None, ways), key=len, default=None):
                contract = self._lineage.contracts[found[-1].table]
                steps = (f"{product.id}.{name}", *(f"{one.table}.{one.column}" for one in found))
                return self._delivered(contract.id, found[-1].column, steps)
        return None

    def _delivered(self, contract_id: str, column: str, way: tuple[str, ...]) -> Upstream:
        landed = [
            one
            for one in ledger.read_all(self.home, [contract_id])
            if one.measure == "rows" and one.delivery is not None and one.business_date <= self.business_date
        ]
        last = max(landed, key=lambda one: (one.business_date, one.source), default=None)
        if last is None:
            return Upstream(contract_id, column, way)
        told = (last.source, last.delivery, last.delivery_sha256, last.business_date.isoformat())
        return Upstream(contract_id, column, way, *told)
