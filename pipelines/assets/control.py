"""What Python tells dbt about a run, as assets: policy, legal bases, business dates, what was open before."""

from collections.abc import Iterator
from functools import partial

import dagster as dg
import pyarrow.parquet as pq

from pipelines.assets.ingest import LEDGER
from pipelines.assets.platform import Platform, static_metadata
from pipelines.assets.preview import preview
from pipelines.history.restatement import restated_dates, write_open
from pipelines.history.store import settle
from pipelines.release.catalogue import is_published
from pipelines.warehouse.control import write_control

CONTROL, HISTORY = "control", "history"
_OF_INGEST = ("landing", "quarantine")  # control tables that ingest writes
_SHOWN = {"business_date": "is_release_date or is_restated"}


def control_assets(platform: Platform) -> list[dg.AssetsDefinition]:
    """One step that writes every control relation, and what was open before the dates of the run."""
    derived = platform.catalog.derived.values()
    contracts = [c for c in derived if c.domain == CONTROL and c.table not in _OF_INGEST]
    contracts += [contract for contract in derived if contract.domain == HISTORY]
    specs = [
        dg.AssetSpec(
            [contract.domain, contract.table], deps=[LEDGER], group_name=contract.domain, description=contract.purpose,
            owners=[f"team:{contract.owner}"], metadata=static_metadata(contract), kinds={"parquet"},
        )
        for contract in contracts
    ]  # fmt: skip

    @dg.multi_asset(
        name="control", specs=specs, partitions_def=platform.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(), required_resource_keys={"lock"},
    )  # fmt: skip
    def control(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        day, home = platform.dates(context).last, platform.desk.home
        settle(home, partial(is_published, home))
        restated = restated_dates(home, day)
        if restated:
            context.log.info(f"states anew {len(restated)} published dates from {restated[0]}")
        write_control(platform.catalog, home, platform.bank, day, restated)
        write_open(platform.catalog, home, [*restated, day])
        for spec, contract in zip(specs, contracts, strict=True):
            path = home.path / contract.domain / f"{contract.table}.parquet"
            shown = preview(contract, [path], where=_SHOWN.get(contract.table, "true"), rows=50)
            rows = pq.read_metadata(path).num_rows
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"dagster/row_count": rows, "preview": shown})

    return [control]
