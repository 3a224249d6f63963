"""`zhongtai admission`: cases that wait for a reviewer, and what the reviewer decides."""

from __future__ import annotations

import json
from contextlib import closing
from enum import StrEnum
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State, parse_date
from pipelines.release import catalogue
from pipelines.release.catalogue import Release
from pipelines.settings import Home, InputError

app = typer.Typer(no_args_is_help=True, help="Admission of customers: cases that wait for a person; decide them.")
_SHOWN = ("case_key", "pseudonym", "occasion", "opened_on", "reasons", "reviewer_key", "due_on", "is_overdue")


class Verdict(StrEnum):
    """What can be decided of a case."""

    admit = "admit"
    reject = "reject"


@app.command("list")
def list_cases(
    context: typer.Context,
    reviewer: Annotated[str | None, typer.Option(help="Only the cases of this member of staff.")] = None,
    limit: Annotated[int, typer.Option(help="Most rows to print.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Cases of the current release that wait for a decision, the earliest due first."""
    from pipelines.admission import decisions

    home, release = _published(context)
    cases = _rows(
        release, f"select {', '.join(_SHOWN)} from review_queue where reviewer_key = $who or $who is null "
        "order by due_on, case_key", who=reviewer,
    )  # fmt: skip
    known = {row["case_key"] for row in _rows(release, "select case_key from admission_decision")}
    said = decisions.read(decisions.path(home))
    unknown = sorted({entry.case for entry in said} - known)
    decided = {entry.case: entry.verdict for entry in said}
    for case in cases:
        case["decided"] = decided.get(case["case_key"])
    if as_json:
        typer.echo(json.dumps({"cases": cases, "without_a_case": unknown}, default=str))
        return
    console = Console(highlight=False, soft_wrap=True)
    shown = (*_SHOWN, "decided")
    table = Table(*(name.replace("_", " ") for name in shown), box=None, pad_edge=False)
    for case in cases[:limit]:
        table.add_row(*(_cell(name, case[name]) for name in shown))
    wide = Console(highlight=False)
    if not wide.is_terminal:
        wide.width = 240  # a file or a pipe has one row per line
    wide.print(table)
    console.print(f"{len(cases)} cases" + (f", the first {limit} shown" if len(cases) > limit else ""))
    if cases:
        console.print("decide: zhongtai admission decide CASE admit|reject --by NAME --reason TEXT")
    if unknown:
        # A case ends with its window; what was decided of it stays in the file as a record.
        console.print(f"{len(unknown)} decisions of {decisions.path(home)} are on no case of this release")


@app.command()
def decide(
    context: typer.Context,
    case: Annotated[str, typer.Argument(help="Case, or its beginning.")],
    verdict: Annotated[Verdict, typer.Argument(help="May the party be admitted?")],
    by: Annotated[str, typer.Option("--by", help="Who decides.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever asks later.")],
    on: Annotated[
        str | None, typer.Option("--on", help="Day from which on it holds; default the date of the current release.")
    ] = None,
) -> None:
    """Decide a case; the next run and every later one keeps to it. Also takes back what the rules decided."""
    from pipelines.admission import decisions

    home, release = _published(context)
    for option, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise InputError(f"{option}: says nothing; a decision is signed and has a reason")
    found = _rows(
        release, "select case_key, reviewer_key, automatic_decision from admission_decision left join review_queue "
        "using (case_key) where starts_with(case_key, $case) order by case_key", case=case,
    )  # fmt: skip
    if len(found) != 1:
        many = f"{len(found)} cases begin with it; give more digits" if found else "no such case; see admission list"
        raise InputError(f"{case}: {many}")
    day = parse_date(on, "--on") if on else release.business_date
    entry = decisions.Decision(
        case=found[0]["case_key"], verdict=verdict.value, decided_by=by, decided_on=day, reason=reason
    )
    file = decisions.path(home)
    decisions.add(file, [entry])
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"case {entry.case}: {entry.verdict}, the rules say {found[0]['automatic_decision']}", markup=False)
    if found[0]["reviewer_key"] not in (None, by):
        console.print(f"its reviewer is {found[0]['reviewer_key']}, the decision is signed by {by}", markup=False)
    console.print(f"written to {file}; the next `zhongtai nightly` keeps to it")


def _published(context: typer.Context) -> tuple[Home, Release]:
    state: State = context.obj
    home = state.settings.home
    return home, catalogue.find(home, None)


def _rows(release: Release, sql: str, **given: Any) -> list[dict[str, Any]]:
    """What risk's file of a release answers."""
    with closing(duckdb.connect(str(release.path / "risk" / "risk.duckdb"), read_only=True)) as con:
        answer = con.execute(sql, given or None)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return str(value)[:12] if name == "pseudonym" else str(value)
