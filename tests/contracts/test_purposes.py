"""Purpose travels with lineage: a product serves what its ancestors may be used for, or names a release point."""

from __future__ import annotations

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract

from .conftest import Compiled
from .lineage import Lineage, Origin


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models, catalog)


def allowed(catalog: Catalog, lineage: Lineage, origin: Origin) -> frozenset[str] | None:
    """What a column may be used for; None for a column of a model without a contract, which only passes on."""
    marts = {mart.table: mart for mart in catalog.marts.values()}
    contract: Contract | None = lineage.contracts.get(origin.table) or marts.get(origin.table)
    if contract is None:
        return None
    for column in contract.columns:
        if origin.column in (column.name, column.lake_name):
            return frozenset(column.purposes)
    return frozenset(contract.purposes)  # a column that the lake adds to every row


def ancestors(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, frozenset[Origin]]:
    """The ancestors of each column of a product, and of its rows."""
    mart = catalog.marts[str(product.mart)].table
    names = {c.name: "party_id" if c.name == "pseudonym" else c.name for c in product.columns}
    found = {name: lineage.ancestors(Origin(mart, column)) for name, column in names.items()}
    return found | {"(rows)": lineage.row_ancestors(mart)}


def wider(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, set[str]]:
    """Columns of a product that serve more than an ancestor allows, with those purposes."""
    found: dict[str, set[str]] = {}
    for name, origins in ancestors(catalog, lineage, product).items():
        for origin in origins:
            purposes = allowed(catalog, lineage, origin)
            if purposes is not None and not set(product.purposes) <= purposes:
                found.setdefault(name, set()).update(set(product.purposes) - purposes)
    return found


def test_every_product_keeps_to_the_purposes_of_its_ancestors_or_names_a_release_point(
    catalog: Catalog, lineage: Lineage
) -> None:
    for product in catalog.products.values():
        claims = wider(catalog, lineage, product)
        if product.release_point is None:
            assert claims == {}, product.id
        else:
            point = catalog.policy.release_points[product.release_point]
            assert set().union(*claims.values()) == {point["to_purpose"]}, product.id


def test_one_product_widens_its_purpose_and_says_so(catalog: Catalog, lineage: Lineage) -> None:
    assert [p.id for p in catalog.products.values() if wider(catalog, lineage, p)] == ["marketing.low_risk_list"]


def test_what_a_release_point_lets_through_of_a_decision_is_signed(catalog: Catalog) -> None:
    """A column of a release point's product says who or when, or is among the inputs that were signed."""
    for name, point in catalog.policy.release_points.items():
        product = catalog.products[point["product"]]
        assert product.release_point == name
        signed = {column.rpartition(".")[2] for column in point["inputs"]}
        unsigned = [c for c in product.columns if c.name not in signed and not c.key and c.type != "date"]
        assert unsigned == []


def test_no_product_is_for_evaluation(catalog: Catalog) -> None:
    for contract in (*catalog.products.values(), *catalog.marts.values()):
        assert "model_evaluation" not in contract.purposes


def test_a_wider_claim_would_be_seen(compiled: Compiled, catalog: Catalog) -> None:
    """Marketing reads the risk decision through another mart."""
    old = "parties.accounts_owned,\n    parties.accounts_disposed,"
    assert old in compiled.models["customer_360"]
    decided = (
        '(select max(band) from "warehouse"."marts"."low_risk_list") as accounts_owned,\n    parties.accounts_disposed,'
    )
    models = compiled.models | {"customer_360": compiled.models["customer_360"].replace(old, decided)}
    models["low_risk_list"] = "select '' as party_id, date '1994-03-31' as business_date, 'A' as band"
    lineage = Lineage(models, catalog)
    claims = wider(catalog, lineage, catalog.products["marketing.customer_360"])
    assert claims["accounts_owned"] == {"marketing"}
