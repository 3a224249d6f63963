"""Who is who, as assets: one step that resolves the records of the lake into parties."""

from collections.abc import Iterator

import dagster as dg
import pyarrow.parquet as pq

from pipelines.assets.ingest import lake_key
from pipelines.assets.platform import Platform, static_metadata

_TABLES = ("party_crosswalk", "party", "identity_event", "identity_review")


def identity_assets(platform: Platform) -> list[dg.AssetsDefinition]:
    """Which record is of which party, what changed, and which pairs wait for a decision."""
    contracts = [platform.catalog.derived[f"identity.{table}"] for table in _TABLES]
    lake = [lake_key(contract.id) for contract in platform.catalog.sources.values() if contract.subjects]
    specs = [
        dg.AssetSpec(
            ["identity", contract.table], deps=lake, group_name="identity",
            description=f"{contract.purpose} {contract.grain}", owners=[f"team:{contract.owner}"], kinds={"parquet"},
            metadata=static_metadata(contract),
        )
        for contract in contracts
    ]  # fmt: skip

    @dg.multi_asset(
        name="identity", specs=specs, partitions_def=platform.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(), required_resource_keys={"lock"},
    )  # fmt: skip
    def identity(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        # Imported late: matching brings libraries that the command line and the UI do without.
        from pipelines.identity.run import resolve

        desk = platform.desk
        outcome = resolve(platform.catalog, desk.settings, desk.feeds, desk.ring, platform.dates(context).last)
        context.log.info(
            f"{outcome.records} records are {outcome.parties} parties; {outcome.changed} changed, {outcome.events} "
            f"events, {outcome.review} pairs to review" + (", everything matched anew" if outcome.full else "")
        )
        for name in outcome.unknown:
            context.log.warning(f"a decision names {name}, and no record answers to it")
        for spec, contract in zip(specs, contracts, strict=True):
            rows = pq.read_metadata(desk.home.identity / f"{contract.table}.parquet").num_rows
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"dagster/row_count": rows})

    return [identity]
