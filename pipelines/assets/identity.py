"""The party crosswalk as an asset."""

import dagster as dg

from pipelines.assets.ingest import lake_key
from pipelines.assets.platform import Platform, static_metadata
from pipelines.identity.crosswalk import PARTY_CONTRACT, SHAPE, build_crosswalk


def identity_assets(platform: Platform) -> list[dg.AssetsDefinition]:
    """Which record belongs to which party."""
    contract = platform.catalog.derived[SHAPE]

    @dg.asset(
        key=["identity", contract.table], deps=[lake_key(PARTY_CONTRACT)], group_name="identity",
        description=f"{contract.purpose} {contract.grain}", owners=[f"team:{contract.owner}"], kinds={"parquet"},
        metadata=static_metadata(contract), partitions_def=platform.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(), required_resource_keys={"lock"},
    )  # fmt: skip
    def party_crosswalk(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        desk = platform.desk
        rows = build_crosswalk(platform.catalog, desk.home, desk.ring)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows})

    return [party_crosswalk]
