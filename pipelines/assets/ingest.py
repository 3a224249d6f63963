"""Landed contracts as assets: one step lands them all, or those that are selected."""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Any

import dagster as dg

from pipelines.assets.platform import Platform, static_metadata
from pipelines.assets.preview import preview
from pipelines.contracts.model import Contract
from pipelines.ingest import ledger
from pipelines.ingest.arrival import Arrival, arrivals, awaited, judged
from pipelines.ingest.faults import IngestError
from pipelines.ingest.night import Outcome, ingest

GROUP, LEDGER = "lake", dg.AssetKey(["control", "landing"])


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
            ("in_time", "What was due came by the hour that its contract states.", False),
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
        by_contract: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            by_contract.setdefault(outcome.feed.contract, []).append(outcome)
        # The engine looks at the content while Dagster writes its events, which takes as long.
        with ThreadPoolExecutor(1, "content") as beside:
            content = {name: beside.submit(_content, platform, name, dates.last) for name in by_contract}
            for name, of_contract in by_contract.items():
                yield from _results(platform, name, of_contract, content[name], context)
        if faults := [outcome.fault for outcome in outcomes if outcome.fault]:
            raise IngestError(faults)
        if LEDGER in wanted:
            yield dg.MaterializeResult(asset_key=LEDGER, metadata=_told(platform, dates.last))

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
    platform: Platform, contract_id: str, outcomes: list[Outcome], content: Future[dict[str, Any]],
    context: dg.AssetExecutionContext,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # fmt: skip
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
    arrived = [one for outcome in outcomes for one in _arrived(platform, outcome)]
    late = [one.line for one in arrived if one.state in ("late", "missing")]
    unknown = [one.line for one in arrived if one.state == "unknown"]
    yield dg.AssetCheckResult(
        asset_key=key, check_name="in_time", passed=not late, severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(late or unknown) or None, metadata=dict(Counter(one.state for one in arrived)),
    )  # fmt: skip
    if faults:
        return
    day = platform.dates(context).last
    landed: Counter[date] = Counter()
    for landing in chain.from_iterable(outcome.landings for outcome in outcomes):
        if landing.measure == "rows":
            landed[landing.business_date] += int(landing.accepted + landing.tombstones)
    _note_earlier(context, key, landed)
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
            "dagster/partition_row_count": landed[day],
            **content.result(),
        },
    )


def _arrived(platform: Platform, outcome: Outcome) -> list[Arrival]:
    """What is to be said of when the deliveries of a run came, or did not."""
    home, bank, feed = platform.desk.home, platform.bank, outcome.feed
    contract, seen = platform.catalog.sources[feed.contract], arrivals(home, feed).seen
    carried = {landing.business_date for landing in outcome.landings if landing.status == "carried"}
    days = {landing.business_date for landing in outcome.landings} - carried
    days |= {date.fromisoformat(outcome.fault.date)} if outcome.fault else set()
    said = [judged(contract, feed, bank, day, seen) for day in sorted(days & seen.keys())]
    if carried:
        book = ledger.Ledger(home, platform.catalog.derived["control.landing"], contract.id, feed.source)
        for day in sorted(carried):
            newest = max((one for one in book.landed_dates() if one < day), default=None)
            said.append(awaited(contract, feed, bank, day, newest))
    return [one for one in said if one is not None]


def _content(platform: Platform, contract_id: str, day: date) -> dict[str, Any]:
    """What the lake holds of a contract, and what came of one date."""
    files = (platform.desk.home.lake / contract_id).glob(f"source=*/business_date={day}/part.parquet")
    return {
        "dagster/row_count": ledger.rows_landed(platform.desk.home, contract_id),
        "preview": preview(platform.catalog.sources[contract_id], files, where="_change = 'upsert'"),
    }


def _note_earlier(context: dg.AssetExecutionContext, key: dg.AssetKey, landed: Mapping[date, int]) -> None:
    """Tell Dagster of the dates that a backfill reaches back to, which are not partitions of its run.

    Of landed contracts alone: an event takes two milliseconds, and marts hold no other date than the last.
    """
    earlier = [day for day in sorted(landed) if day.isoformat() not in context.partition_keys]
    known = context.instance.get_materialized_partitions(key) if earlier else set()
    for day in earlier:
        if day.isoformat() not in known:
            told = {"dagster/partition_row_count": landed[day]}
            context.log_event(dg.AssetMaterialization(key, partition=day.isoformat(), metadata=told))


def _told(platform: Platform, day: date) -> dict[str, Any]:
    """What the ledger says of one date."""
    shape, files = platform.catalog.derived["control.landing"], platform.desk.home.control / "landing"
    shown = ("contract", "source", "status", "delivered", "accepted", "unchanged", "quarantined", "tombstones")
    narrowed = replace(shape, columns=tuple(column for column in shape.columns if column.name in shown))
    where = f"business_date = date '{day}' and measure = 'rows'"
    return {"preview": preview(narrowed, files.glob("*.parquet"), where=where, rows=len(platform.catalog.sources))}
