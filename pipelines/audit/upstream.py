"""Where failing rows came from: the first contract upstream of what a check looks at, and the deliveries of it.

What belongs here: the way from a check through lineage to a source contract, and which of its files the rows came in.
What does not: lineage itself (`pipelines.lineage`), which rows fail (`failures`), and how a party is found again in the
lake (`followed`). Nothing of this decides anything: where it cannot be found out, a failure is told without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product as product_of
from typing import TYPE_CHECKING

from pipelines.audit.followed import deliveries, parties_of
from pipelines.audit.gates import Verdict, about, suites
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import ledger
from pipelines.ingest.ledger import Landing
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing

if TYPE_CHECKING:
    from pipelines.lineage.graph import Lineage

# Lineage is imported late: it reads SQL, and who reads evidence does not.


@dataclass(frozen=True)
class Upstream:
    """`way` leads from the product to the contract; `delivery` is empty where nothing of it was landed by the date.

    It is the first of the `came_in` deliveries that the rows of the failing keys came in; of a failure without such
    keys, `came_in` is None and it is the last of the contract.
    """

    contract: str
    column: str
    way: tuple[str, ...]
    source: str | None = None
    delivery: str | None = None
    delivery_sha256: str | None = None
    business_date: str | None = None
    came_in: int | None = None
    last: str | None = None

    def __str__(self) -> str:
        if self.delivery is None:
            return f"{self.contract}, of which nothing was landed"
        told = f"delivered by {self.source} as {self.delivery} of {self.business_date}"
        if self.came_in is None:
            return f"{self.contract}, last {told}"
        if self.came_in == 1:
            return f"{self.contract}, {told}"
        return f"{self.contract}, first {told}, in {self.came_in} deliveries until {self.last}"


Find = Callable[[str, Verdict], Upstream | None]


class Finder:
    """Finds the upstream of checks of candidates of one home and business date; reads nothing before it is asked."""

    def __init__(self, catalog: Catalog, home: Home, business_date: date, ring: KeyRing) -> None:
        self.catalog, self.home, self.business_date, self._ring = catalog, home, business_date, ring

    def __call__(self, check: str, verdict: Verdict) -> Upstream | None:
        """The upstream of a failed check, None where none is known."""
        keys = verdict.failing_keys
        named = [one for key in keys for name in ("contract", "product") if (one := key.get(name)) is not None]
        subject = about(check) or min(named, default="")
        if subject in self.catalog.sources:
            return self._delivered(subject, "", ())
        product = self.catalog.products.get(subject)
        if product is None:
            return None
        of_it = [key for key in keys if key.get("product", subject) == subject]
        return self._of_product(product, verdict.columns or self._columns(check), of_it)

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

    def _of_product(
        self, product: Contract, columns: tuple[str, ...], keys: Sequence[Mapping[str, str | None]]
    ) -> Upstream | None:
        from pipelines.lineage.purpose import published
        from pipelines.lineage.trace import ROWS, Origin, named

        origins = published(self.catalog, product)
        # Who a record belongs to descends from every contract: a way through it says nothing of a figure that has
        # another; where there is none, what has to be there says it best.
        who = [Origin(table, "party_id") for table in self._lineage.contracts if table.startswith("identity__")]
        delivered = [
            [
                Origin(named(source.id), column.lake_name)
                for source in self.catalog.sources.values()
                if source.criticality == criticality
                for column in source.columns
            ]
            for criticality in ("required", "optional")
        ]
        for name, around, goals in product_of((*columns, ROWS), (who, ()), delivered):
            ways = [self._lineage.path(origin, goals, around) for origin in sorted(origins.get(name, ()))]
            if found := min(filter(None, ways), key=len, default=None):
                contract = self._lineage.contracts[found[-1].table]
                steps = (f"{product.id}.{name}", *(f"{one.table}.{one.column}" for one in found))
                return self._followed(contract, found[-1].column, steps, product, keys)
        return None

    def _followed(
        self, contract: Contract, column: str, way: tuple[str, ...], product: Contract,
        keys: Sequence[Mapping[str, str | None]],
    ) -> Upstream:  # fmt: skip
        """The deliveries that rows of the parties in `keys` came in; the last of the contract where there are none."""
        pseudonyms = sorted({value for key in keys for name, value in key.items() if party_column(name) and value})
        found: list[Landing] = []
        if pseudonyms:
            parties = parties_of(self.home, self._ring, pseudonyms, str(product.consumer))
            found = deliveries(self.home, self.catalog, parties, contract, self.business_date)
        if not found:
            return self._delivered(contract.id, column, way)
        last = found[-1].business_date.isoformat()
        return Upstream(contract.id, column, way, *_told(found[0]), came_in=len(found), last=last)

    def _delivered(self, contract_id: str, column: str, way: tuple[str, ...]) -> Upstream:
        landed = [
            one
            for one in ledger.read_all(self.home, [contract_id])
            if one.measure == "rows" and one.delivery is not None and one.business_date <= self.business_date
        ]
        last = max(landed, key=lambda one: (one.business_date, one.source), default=None)
        return Upstream(contract_id, column, way, *(_told(last) if last else ()))


def _told(landing: Landing) -> tuple[str, str | None, str | None, str]:
    return landing.source, landing.delivery, landing.delivery_sha256, landing.business_date.isoformat()
