"""Candidate, evidence, release and its documents as assets."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import dagster as dg

from pipelines.assets.platform import Platform
from pipelines.audit.content import PAGE
from pipelines.audit.evidence import Evidence
from pipelines.audit.gates import REGISTRY, gate_of
from pipelines.audit.run import audit_candidate
from pipelines.audit.upstream import Finder
from pipelines.release.audit_page import write_page
from pipelines.release.candidate import build_candidate, candidate_of, prune_candidates, publishable
from pipelines.release.catalogue import CONSUMERS, shelf
from pipelines.release.documents import write_missing
from pipelines.release.examined import examined
from pipelines.release.publish import publish

GROUP = "release"
CANDIDATE, EVIDENCE, RELEASE, DOCUMENTS = (
    dg.AssetKey([GROUP, name]) for name in ("candidate", "evidence", "release", "documents")
)
_MADE = "made"


def release_assets(platform: Platform, marts: Sequence[dg.AssetKey]) -> list[dg.AssetsDefinition]:
    """From marts to a published release, and what people read of it."""
    common = {
        "group_name": GROUP, "owners": ["team:data-office"], "partitions_def": platform.partitions,
        "backfill_policy": dg.BackfillPolicy.single_run(), "required_resource_keys": {"lock"},
    }  # fmt: skip

    @dg.asset(key=CANDIDATE, deps=list(marts), kinds={"parquet"}, **common)
    def candidate(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Each product contract projected from its mart, pseudonymised, sorted and hashed."""
        desk, rows, hashes = platform.desk, {}, {}
        needs = publishable(platform.catalog, desk.home)
        for day in platform.dates(context).release:
            built = build_candidate(platform.catalog, desk.home, desk.ring, platform.bank.bank, day, needs)
            rows, hashes[day.isoformat()] = built.rows, built.content_hash
            context.log.info(f"candidate {built.content_hash[:12]} of {day}")
        return dg.MaterializeResult(
            metadata={"content_hashes": hashes, **{f"rows {name}": n for name, n in rows.items()}}
        )

    @dg.asset(key=EVIDENCE, deps=[CANDIDATE], kinds={"json"}, check_specs=_gate_checks(), **common)
    def evidence(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """What the audit found of the candidate, bound to its content hash. Every gate is a check."""
        settings, home = platform.settings, platform.settings.home
        days = platform.dates(context).release
        audited = _candidates(platform, days)
        found = [
            audit_candidate(
                directory, platform.catalog, home.identity / "party_crosswalk.parquet", shelf(home),
                upstream=Finder(platform.catalog, home, day, platform.desk.ring), threads=settings.threads,
                memory_limit=settings.memory_limit,
            )
            for day, directory in zip(days, audited, strict=True)
        ]  # fmt: skip
        yield from _gate_results(found)
        counts = {
            f"checks_{state}": sum(e.count(state) for e in found) for state in ("passed", "failed", "not_audited")
        }
        # Beside the evidence, and like it no part of what is published.
        pages = [str(write_page(examined(one), platform.catalog, home, one / PAGE)) for one in audited]
        yield dg.MaterializeResult(asset_key=EVIDENCE, metadata={**counts, "pages": pages})

    @dg.asset(key=RELEASE, deps=[CANDIDATE, EVIDENCE, *marts], kinds={"duckdb", "parquet"}, **common)
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """The immutable release that consumers read. Publishing verifies the evidence itself."""
        desk, run = platform.desk, {"run_id": context.run.run_id, "job": context.run.job_name}
        published = [
            publish(directory, platform.catalog, platform.settings, desk.ring, run)
            for directory in _candidates(platform, platform.dates(context).release)
        ]
        prune_candidates(desk.home, int(platform.catalog.policy.thresholds["retention.refused_candidates"]))
        last = published[-1]
        return dg.MaterializeResult(
            metadata={
                "release": last.id,
                "path": dg.MetadataValue.path(last.path),
                "content_hash": last.content_hash,
                "released": [one.id for one in published],
            }
        )

    @dg.asset(
        key=DOCUMENTS, deps=[RELEASE], kinds={"html"}, **common,
        check_specs=[dg.AssetCheckSpec(_MADE, asset=DOCUMENTS, description="What people read of releases is there.")],
    )  # fmt: skip
    def documents() -> dg.MaterializeResult:
        """The page on the audit of each release, and its Data Docs: off the way to it, and no part of it."""
        home = platform.settings.home
        faults = write_missing(platform.catalog, home)
        made = dg.AssetCheckResult(
            check_name=_MADE, passed=not faults, severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(faults) or None,
        )  # fmt: skip
        return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(home.documents)}, check_results=[made])

    return [candidate, evidence, release, documents]


def consumer_assets(platform: Platform) -> list[dg.AssetSpec]:
    """Who reads a release, as external assets: the exposures of the dbt project."""
    return [_consumer(platform, name) for name in CONSUMERS]


def _consumer(platform: Platform, name: str) -> dg.AssetSpec:
    products = [p for p in platform.catalog.products.values() if p.consumer in (name, "shared")]
    listed = "\n".join(f"- `{product.consumer}.{product.table}`: {product.purpose}" for product in products)
    return dg.AssetSpec(
        ["consumers", name],
        deps=[RELEASE],
        group_name="consumers",
        owners=[f"team:{name}"],
        description=f"Reads, of the current release:\n\n{listed}",
        metadata={"file": f"releases/current/{name}/{name}.duckdb"},
    )


def _candidates(platform: Platform, days: Sequence[date]) -> list[Path]:
    return [candidate_of(platform.settings.home, day) for day in days]


def _gate_checks() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            gate.id.replace(".", "_"), asset=EVIDENCE, blocking=gate.severity == "block",
            description=f"Protects: {gate.protects}. Owner {gate.owner}; BCBS 239 principle {gate.principle}.",
        )
        for gate in REGISTRY.values()
    ]  # fmt: skip


def _gate_results(found: Sequence[Evidence]) -> Iterator[dg.AssetCheckResult]:
    stopping = {check.id for evidence in found for check in evidence.refusals()}
    for gate in REGISTRY.values():
        checks = [(e, check) for e in found for check in e.checks if gate_of(check.id) is gate]
        broken = [(e, check) for e, check in checks if check.state != "passed"]
        # A waived failure is said as a warning is, and stops nothing; a warning that nobody looked at stops.
        lenient = gate.severity == "warn" if not broken else not any(check.id in stopping for _, check in broken)
        yield dg.AssetCheckResult(
            asset_key=EVIDENCE, check_name=gate.id.replace(".", "_"), passed=not broken,
            severity=dg.AssetCheckSeverity.WARN if lenient else dg.AssetCheckSeverity.ERROR,
            description="\n".join(e.words(check) for e, check in broken) or None,
            metadata={"checks": len(checks), "not_passed": len(broken)},
        )  # fmt: skip
