"""What Python tells dbt about a run, as assets: policy, legal bases, business dates."""

from collections.abc import Iterator

import dagster as dg
import pyarrow.parquet as pq

from pipelines.assets.ingest import LEDGER
from pipelines.assets.platform import Platform, static_metadata
from pipelines.assets.preview import preview
from pipelines.warehouse.control import write_control

_RELATIONS = ("policy", "legal_basis", "business_date")
_SHOWN = {"business_date": "is_release_date"}


def control_assets(platform: Platform) -> list[dg.AssetsDefinition]:
    """One step that writes every control relation."""
    contracts = [platform.catalog.derived[f"control.{name}"] for name in _RELATIONS]
    specs = [
        dg.AssetSpec(
            ["control", contract.table], deps=[LEDGER], group_name="control", description=contract.purpose,
            owners=[f"team:{contract.owner}"], metadata=static_metadata(contract), kinds={"parquet"},
        )
        for contract in contracts
    ]  # fmt: skip

    @dg.multi_asset(
        name="control", specs=specs, partitions_def=platform.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(), required_resource_keys={"lock"},
    )  # fmt: skip
    def control(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        dates = platform.dates(context)
        write_control(platform.catalog, platform.desk.home, platform.bank, list(dates.release))
        for spec, contract in zip(specs, contracts, strict=True):
            path = platform.desk.home.control / f"{contract.table}.parquet"
            shown = preview(contract, [path], where=_SHOWN.get(contract.table, "true"), rows=50)
            rows = pq.read_metadata(path).num_rows
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"dagster/row_count": rows, "preview": shown})

    return [control]
