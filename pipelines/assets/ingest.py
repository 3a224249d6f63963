"""Landed contracts as assets: one step lands them all, or those that are selected."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
import duckdb

from pipelines.assets.platform import Platform, static_metadata
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.faults import IngestError
from pipelines.ingest.night import Outcome, ingest
from pipelines.settings import Home

GROUP, LEDGER = "lake", dg.AssetKey(["control", "landing"])
_PREVIEWED = 5


def lake_key(contract_id: str) -> dg.AssetKey:
    """Asset key of a landed contract, for example `lake/core/transaction`."""
    return dg.AssetKey([GROUP, *contract_id.split(".")])


def ingest_assets(platform: Platform) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The landing step, and the contracts that no night of this bank can read as external assets."""
    feeds = platform.catalog.feeds(platform.bank.bank)
    # In the order of the feeds: parents before children, as Dagster wants results.
    readable = list(dict.fromkeys(feed.contract for feed in feeds if feed.readable))
    specs = [_spec(platform.catalog.sources[name]) for name in readable]
    specs.append(
        dg.AssetSpec(
            LEDGER,
            group_name="control",
            skippable=True,
            kinds={"parquet"},
            deps=[lake_key(name) for name in readable],
            description="What every delivery brought and what became of it, per measure.",
            owners=["team:data-platform"],
            metadata=static_metadata(platform.catalog.derived["control.landing"]),
        )
    )
    checks = [
        dg.AssetCheckSpec(name, asset=lake_key(contract), description=description, blocking=blocking)
        for contract in readable
        for name, description, blocking in (
            ("delivered", "Every delivery due was there, whole, and within its reject limit.", True),
            ("no_quarantine", "No row of the delivery had to be quarantined.", False),
        )
    ]

    @dg.multi_asset(
        name="ingest", specs=specs, check_specs=checks, can_subset=True, partitions_def=platform.partitions,
        backfill_policy=dg.BackfillPolicy.single_run(), required_resource_keys={"lock"},
    )  # fmt: skip
    def land(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        dates, wanted = platform.dates(context), context.selected_asset_keys
        outcomes = ingest(
            platform.desk, dates.first, dates.last, [name for name in readable if lake_key(name) in wanted]
        )
        for name in readable:
            if of_contract := [outcome for outcome in outcomes if outcome.feed.contract == name]:
                yield from _results(platform, name, of_contract, context)
        if faults := [outcome.fault for outcome in outcomes if outcome.fault]:
            raise IngestError(faults)
        if LEDGER in wanted:
            yield dg.MaterializeResult(asset_key=LEDGER)

    never = sorted(platform.catalog.sources.keys() - set(readable))
    return [land, *(_spec(platform.catalog.sources[name], readable=False) for name in never)]


def _spec(contract: Contract, *, readable: bool = True) -> dg.AssetSpec:
    parents = [lake_key(column.references[0]) for column in contract.columns if column.references]
    remark = "" if readable else " No night of this bank can read it: undated, not yet known, or without a feed."
    return dg.AssetSpec(
        lake_key(contract.id), group_name=GROUP, description=f"{contract.purpose} {contract.grain}{remark}",
        owners=[f"team:{contract.owner}"], metadata=static_metadata(contract, lake=True), kinds={"parquet"},
        deps=parents if readable else [], skippable=readable,
    )  # fmt: skip


def _results(
    platform: Platform, contract_id: str, outcomes: list[Outcome], context: dg.AssetExecutionContext
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    key = lake_key(contract_id)
    faults = [outcome.fault for outcome in outcomes if outcome.fault]
    for fault in faults:
        context.log.error(str(fault))
    yield dg.AssetCheckResult(
        asset_key=key, check_name="delivered", passed=not faults, description="\n".join(map(str, faults)) or None
    )
    quarantined = sum(outcome.total("quarantined") for outcome in outcomes)
    yield dg.AssetCheckResult(
        asset_key=key, check_name="no_quarantine", passed=quarantined == 0, severity=dg.AssetCheckSeverity.WARN,
        description=f"{quarantined} rows: `zhongtai quarantine show --contract {contract_id}`" if quarantined else None,
    )  # fmt: skip
    if faults:
        return
    counts = {
        of: sum(outcome.total(of) for outcome in outcomes)
        for of in ("delivered", "accepted", "unchanged", "tombstones")
    }
    yield dg.MaterializeResult(
        asset_key=key,
        metadata={
            **{f"rows_{of}": count for of, count in counts.items()},
            "rows_quarantined": quarantined,
            "dates_reused": sum(outcome.reused for outcome in outcomes),
            "preview": _preview(
                platform.desk.home, platform.catalog.sources[contract_id], platform.dates(context).last
            ),
        },
    )


def _preview(home: Home, contract: Contract, day: object) -> dg.MetadataValue:
    """A few rows in Markdown, of the columns that are not personal."""
    shown = [c.name for c in contract.columns if not (c.identifier or c.personal_class)]
    if not shown:
        return dg.MetadataValue.md("every column is personal")
    landed = f"{lake.scan(home, contract.id)} where business_date = date '{day}'"
    query = f"select {', '.join(shown)} from {landed} limit {_PREVIEWED}"
    with closing(duckdb.connect()) as con:
        rows = con.execute(query).fetchall()
    lines = [" | ".join(shown), " | ".join("---" for _ in shown), *(" | ".join(map(str, row)) for row in rows)]
    return dg.MetadataValue.md(
        "\n".join(f"| {line} |" for line in lines) if rows else "nothing new or changed on this date"
    )
