"""Who may use a product for what: purpose travels with the data and widens only at a signed release point.

What belongs here: purposes of products against those of their marts, and the policy's release points. What does not:
what passes through a release point on a night (`pipelines.audit`).
"""

from __future__ import annotations

from pipelines.contracts.document import suggestion
from pipelines.contracts.model import Contract, ContractError
from pipelines.contracts.policy import Policy
from pipelines.contracts.release_rules import check_release_rules


def check_release_points(marts: dict[str, Contract], products: dict[str, Contract], policy: Policy) -> None:
    """Raise ContractError for a product that claims more than its mart allows, or a release point of nothing."""
    for product in products.values():
        _check_product(product, marts[str(product.mart)], policy)
    for name, point in policy.release_points.items():
        product = products.get(point["product"])
        if product is None or product.release_point != name:
            raise ContractError(
                f"{policy.path}: release_points.{name}.product: {point['product']} does not name this release point; "
                f"correct the product, or remove what nobody uses"
            )
        mart = marts[str(product.mart)]
        known = {f"{mart.id}.{column.name}" for column in mart.columns}
        if unknown := [column for column in point["inputs"] if column not in known]:
            raise ContractError(
                f"{policy.path}: release_points.{name}.inputs: no column {unknown[0]}{suggestion(unknown[0], known)}; "
                f"name them as {mart.id}.<column>"
            )
        size = point["group_size"]
        if size is not None and size not in point["inputs"]:
            raise ContractError(
                f"{policy.path}: release_points.{name}.group_size: {size} is not among its inputs; "
                f"what the size of a group is checked by is published with it"
            )
    check_release_rules(products, policy)


def check_derived(sources: dict[str, Contract], derived: dict[str, Contract], policy: Policy) -> None:
    """Raise ContractError for an input or a table's release point that names nothing."""
    tables = {**sources, **derived}
    for contract in derived.values():
        for column in contract.columns:
            for one in column.inputs:
                parent, _, name = one.rpartition(".")
                known = (
                    {f"{parent}.{each.name}" for each in tables[parent].columns} if parent in tables else set(tables)
                )
                if one not in known:
                    raise ContractError(
                        f"{contract.path}: {column.name}.inputs: no column {one}{suggestion(one, known)}; "
                        f"name what it is made from as <contract>.<column>"
                    )
    for name, point in policy.table_release_points.items():
        at = f"{policy.path}: table_release_points.{name}"
        if (table := derived.get(point["table"])) is None:
            raise ContractError(f"{at}.table: {point['table']} is no derived contract; correct it")
        columns = {column.name for column in table.columns}
        if unknown := [column for column in point["columns"] if column not in columns]:
            hint = suggestion(unknown[0], columns)
            raise ContractError(f"{at}.columns: {table.id} has no column {unknown[0]}{hint}; correct it")


def _check_product(product: Contract, mart: Contract, policy: Policy) -> None:
    allowed = set(product.purposes)
    for column in product.columns:
        # A pseudonym stands for the key of the mart; what it may be used for, the mart says.
        allowed &= set(next((c.purposes for c in mart.columns if c.name == column.name), mart.purposes))
    wider = sorted(set(product.purposes) - allowed)
    name = product.release_point
    if wider and name is None:
        raise ContractError(
            f"{product.path}: customProperties.purposes: {mart.id} may not be used for {', '.join(wider)}; remove it, "
            f"or name a releasePoint of policy.yaml"
        )
    if name is None:
        return
    if name not in policy.release_points:
        hint = suggestion(name, set(policy.release_points))
        raise ContractError(
            f"{product.path}: customProperties.releasePoint: policy.yaml has no release point '{name}'{hint}; "
            f"have it signed there first"
        )
    point = policy.release_points[name]
    if not wider:
        raise ContractError(f"{product.path}: customProperties.releasePoint: no purpose is widened; remove it")
    if wider != [point["to_purpose"]] or point["from_purpose"] not in mart.purposes:
        raise ContractError(
            f"{product.path}: customProperties.releasePoint: {name} lets {point['from_purpose']} serve "
            f"{point['to_purpose']}, which does not lead from {mart.id} to {', '.join(wider)}; narrow the purposes"
        )
