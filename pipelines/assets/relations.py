"""Relations between parties as assets, made by one step."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.ingest import lake_key
from pipelines.assets.platform import Platform, static_metadata
from pipelines.relations.build import KINDS, TABLES, build_relations

_IDENTITY = tuple(dg.AssetKey(["identity", table]) for table in ("party", "party_crosswalk"))


def relation_assets(platform: Platform) -> list[dg.AssetsDefinition]:
    """Who is related to whom, and what the graph of it measures."""
    contracts = [platform.catalog.derived[f"relation.{name}"] for name in TABLES]
    read = sorted({column.rpartition(".")[0] for kind in KINDS for column in kind.inputs})
    specs = [
        dg.AssetSpec(
            ["relation", contract.table], deps=[*_IDENTITY, *map(lake_key, read)], group_name="relation",
            description=f"{contract.purpose} {contract.grain}", owners=[f"team:{contract.owner}"],
            metadata=static_metadata(contract), kinds={"parquet"},
        )
        for contract in contracts
    ]  # fmt: skip

    @dg.multi_asset(
        name="relations", specs=specs, partitions_def=platform.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(), required_resource_keys={"lock"},
    )  # fmt: skip
    def relations(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        rows = build_relations(platform.catalog, platform.settings, platform.dates(context).last)
        for spec, contract in zip(specs, contracts, strict=True):
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"dagster/row_count": rows[contract.table]})

    return [relations]
