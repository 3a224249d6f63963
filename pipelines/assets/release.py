"""Candidate, evidence, release and its documents as assets."""

from collections.abc import Iterator, Sequence

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
        desk, day = platform.desk, platform.dates(context).last
        needs = publishable(platform.catalog, desk.home)
        built = build_candidate(platform.catalog, desk.home, desk.ring, platform.bank.bank, day, needs)
        context.log.info(f"candidate {built.content_hash[:12]} of {day}")
        rows = {f"rows {name}": count for name, count in built.rows.items()}
        return dg.MaterializeResult(metadata={"content_hash": built.content_hash, **rows})

    @dg.asset(key=EVIDENCE, deps=[CANDIDATE], kinds={"json"}, check_specs=_gate_checks(), **common)
    def evidence(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """What the audit found of the candidate, bound to its content hash. Every gate is a check."""
        settings, home = platform.settings, platform.settings.home
        day = platform.dates(context).last
        audited = candidate_of(home, day)
        found = audit_candidate(
            audited, platform.catalog, home.identity / "party_crosswalk.parquet", shelf(home),
            upstream=Finder(platform.catalog, home, day, platform.desk.ring), threads=settings.threads,
            memory_limit=settings.memory_limit,
        )  # fmt: skip
        yield from _gate_results(found)
        counts = {f"checks_{state}": found.count(state) for state in ("passed", "failed", "not_audited")}
        # Beside the evidence, and like it no part of what is published.
        page = write_page(examined(audited), platform.catalog, home, audited / PAGE)
        yield dg.MaterializeResult(asset_key=EVIDENCE, metadata={**counts, "page": dg.MetadataValue.path(page)})

    @dg.asset(key=RELEASE, deps=[CANDIDATE, EVIDENCE, *marts], kinds={"duckdb", "parquet"}, **common)
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """The immutable release that consumers read. Publishing verifies the evidence itself."""
        desk, run = platform.desk, {"run_id": context.run.run_id, "job": context.run.job_name}
        directory = candidate_of(desk.home, platform.dates(context).last)
        published = publish(directory, platform.catalog, platform.settings, desk.ring, run)
        prune_candidates(desk.home, int(platform.catalog.policy.thresholds["retention.refused_candidates"]))
        return dg.MaterializeResult(
            metadata={
                "release": published.id,
                "path": dg.MetadataValue.path(published.path),
                "content_hash": published.content_hash,
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


def _gate_checks() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            gate.id.replace(".", "_"), asset=EVIDENCE, blocking=gate.severity == "block",
            description=f"Protects: {gate.protects}. Owner {gate.owner}; BCBS 239 principle {gate.principle}.",
        )
        for gate in REGISTRY.values()
    ]  # fmt: skip


def _gate_results(found: Evidence) -> Iterator[dg.AssetCheckResult]:
    stopping = {check.id for check in found.refusals()}
    for gate in REGISTRY.values():
        checks = [check for check in found.checks if gate_of(check.id) is gate]
        broken = [check for check in checks if check.state != "passed"]
        # A waived failure is said as a warning is, and stops nothing; a warning that nobody looked at stops.
        lenient = gate.severity == "warn" if not broken else not any(check.id in stopping for check in broken)
        yield dg.AssetCheckResult(
            asset_key=EVIDENCE, check_name=gate.id.replace(".", "_"), passed=not broken,
            severity=dg.AssetCheckSeverity.WARN if lenient else dg.AssetCheckSeverity.ERROR,
            description="\n".join(map(found.words, broken)) or None,
            metadata={"checks": len(checks), "not_passed": len(broken)},
        )  # fmt: skip
