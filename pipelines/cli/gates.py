"""`zhongtai gates`: what is checked before anything is published, and what was found of a release or candidate."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State
from pipelines.settings import InputError

if TYPE_CHECKING:
    from pipelines.audit.evidence import CheckResult, Evidence
    from pipelines.audit.waivers import WaiverRecord

app = typer.Typer(no_args_is_help=True, help="What is checked before anything is published, and what was found.")
NameArgument = Annotated[
    str | None,
    typer.Argument(help="Release id or hash of a candidate, or its beginning; default the current release."),
]


@app.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Every gate: how grave it is, who answers for it, what it protects, and the BCBS 239 principle that it serves."""
    from pipelines.audit.gates import REGISTRY, expected_checks, gate_of

    state: State = context.obj
    counts = Counter(gate_of(check).id for check in expected_checks(state.catalog))
    if as_json:
        typer.echo(json.dumps({"gates": [{**asdict(gate), "checks": counts[gate.id]} for gate in REGISTRY.values()]}))
        return
    headers = ("gate", "severity", "waivable", "checks", "owner", "principle", "protects")
    table = Table(*headers, box=None, pad_edge=False)
    for gate in REGISTRY.values():
        waivable = "by two" if gate.id in state.catalog.policy.waivable else "never"
        row = (gate.id, gate.severity, waivable, str(counts[gate.id]), gate.owner, str(gate.principle), gate.protects)
        table.add_row(*row)
    console = _console()
    console.print(table)
    console.print(f"{len(REGISTRY)} gates, {sum(counts.values())} checks")


@app.command()
def show(
    context: typer.Context,
    name: NameArgument = None,
    all_: Annotated[bool, typer.Option("--all", help="Also the checks that passed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What was found of a release or candidate, refused ones too: each check that did not pass, with its rows."""
    from pipelines.release.documents import documents_for
    from pipelines.release.examined import find_examined

    state: State = context.obj
    found = find_examined(state.settings.home, name)
    evidence, look = found.evidence, documents_for(state.settings.home, found)
    if as_json:
        told = {"name": found.name, "kind": found.kind, "path": str(found.path), "documents": look}
        typer.echo(json.dumps(told | json.loads(evidence.to_json()), ensure_ascii=False))
        return
    console = _console()
    console.print(f"{found.kind} {found.name} of {evidence.bank}, business date {found.business_date}")
    console.print(f"  content  {evidence.candidate_hash}\n  path     {found.path}")
    for path in look.values():
        console.print(f"  look     {path}")
    console.print(_gates(evidence))
    shown = [check for check in evidence.checks if all_ or check.state != "passed"]
    for check in shown:
        for line in _lines(evidence, check):
            console.print(line)
    for one in evidence.waivers:
        for line in _waiver(one):
            console.print(line)
    refusals = evidence.refusals()
    said = ", ".join(f"{evidence.count(one)} {one.replace('_', ' ')}" for one in ("passed", "failed", "not_audited"))
    end = f"{len(refusals)} stand against a release" if refusals else "nothing stands against a release"
    console.print(f"{len(evidence.checks)} checks: {said}; {end}")


def _gates(evidence: Evidence) -> Table:
    from pipelines.audit.gates import REGISTRY

    table = Table("gate", "severity", "passed", "failed", "not audited", box=None, pad_edge=False)
    states = Counter((check.id.partition("/")[0], check.state) for check in evidence.checks)
    for name in sorted({name for name, _ in states}):
        gate = REGISTRY.get(name)
        counts = (states[name, one] or "" for one in ("passed", "failed", "not_audited"))
        table.add_row(name, gate.severity if gate else "unknown", *map(str, counts))
    return table


def _lines(evidence: Evidence, check: CheckResult) -> list[str]:
    """A check in words: what it came to, what must hold, and the rows that it names."""
    waived = f", waived by {check.waiver}" if check.waiver else ""
    lines = [f"{check.id} {check.state.replace('_', ' ')} ({check.severity}{waived})", f"  rule  {check.description}"]
    lines.append(f"  seen  {check.observed}")
    if said := evidence.rows_of(check):
        lines.append(f"  rows  {said}")
    lines += [f"  row   {_key(key)}" for key in check.failing_keys]
    if check.upstream:
        lines.append(f"  from  {check.upstream}")
        lines += [f"  way   {' <- '.join(check.upstream.way)}"] if check.upstream.way else []
    return lines


def _waiver(waiver: WaiverRecord) -> list[str]:
    what = f"lets pass {', '.join(waiver.checks)}" if waiver.checks else f"does nothing: {waiver.idle}"
    who = f"requested by {waiver.requested_by}, approved by {', '.join(waiver.approved_by) or 'nobody'}"
    return [f"waiver {waiver.name} {what}", f"  {who}, until {waiver.expires}", f"  reason  {waiver.reason}"]


def _key(key: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.items())


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False, markup=False, width=160)


@app.command()
def page(
    context: typer.Context,
    name: NameArgument = None,
    out: Annotated[Path, typer.Option(help="Where the page is written.")] = Path("audit.html"),
) -> None:
    """One HTML page on a release or candidate, refused ones too: what failed, its rows, where they came from."""
    from pipelines.release.audit_page import write_page
    from pipelines.release.examined import find_examined

    state: State = context.obj
    home = state.settings.home
    found = find_examined(home, name)
    write_page(found, state.catalog, home, out)
    _console().print(f"wrote {out}: {found.kind} {found.name}")


@app.command()
def docs(
    context: typer.Context,
    name: NameArgument = None,
    out: Annotated[
        Path | None,
        typer.Option(help="An empty or new folder for the pages; default where those of the release lie."),
    ] = None,
) -> None:
    """Data Docs of Great Expectations: what contracts expect of each product of a release, and what was met.

    A night makes them of each release; what is missing is made here. Those of a candidate need --out.
    """
    from pipelines.audit.data_docs import write_data_docs
    from pipelines.release.catalogue import read_release
    from pipelines.release.documents import write_documents
    from pipelines.release.examined import find_examined

    state: State = context.obj
    home = state.settings.home
    found = find_examined(home, name)
    if out is not None:
        if out.exists() and any(out.iterdir()):
            raise InputError(f"{out} is not empty: name another folder with --out")
        index = write_data_docs(found.path, found.evidence, state.catalog, out.resolve())
    elif found.kind == "release":
        index = write_documents(read_release(found.path), state.catalog, home).data_docs
    else:
        raise InputError(f"{found.name} was not published, and has a page alone: name a folder with --out")
    _console().print(f"look: {index}")


@app.command()
def suggest(context: typer.Context, as_json: JsonOption = False) -> None:
    """Thresholds that the releases of this home suggest, as YAML for the policy; nothing is written."""
    from pipelines.audit.suggest import as_policy, observe, smallest_groups, suggestions
    from pipelines.release.catalogue import list_releases, shelf

    state: State = context.obj
    home = state.settings.home
    releases = [(one.path, one.manifest["bank"], one.business_date) for one in list_releases(home)]
    if not releases:
        raise InputError(f"nothing is published in {home.path} yet: run `zhongtai nightly`")
    seen = observe(state.catalog, shelf(home), releases, home.candidates)
    found, groups = suggestions(state.catalog, seen), smallest_groups(state.catalog, seen)
    if as_json:
        told = {"releases": len(releases), "suggestions": [asdict(one) for one in found], "groups": groups}
        typer.echo(json.dumps(told))
        return
    typer.echo(f"# from {len(releases)} releases; sign it in policy.yaml if it is right\n{as_policy(found, groups)}")
