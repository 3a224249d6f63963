"""`zhongtai explain`: why a party is in or out of a product, in plain words and for the consumer that asks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import JsonOption, State, parse_date
from pipelines.cli.query import Consumer

if TYPE_CHECKING:
    from pipelines.release.explain import Answer, Reason


def explain(
    context: typer.Context,
    party: Annotated[str, typer.Argument(help="Internal party id or the consumer's pseudonym, or how it begins.")],
    product: Annotated[str, typer.Option(help="A product of the consumer, for example low_risk_list.")],
    consumer: Annotated[Consumer, typer.Option("--as", help="Whom the answer is for: it tells no more than that.")],
    date_: Annotated[str | None, typer.Option("--date", help="Business date; default the current release.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Why a party is in or out of a product, as one release published it."""
    from pipelines.release.explain import explain as answer_of
    from pipelines.release.whom import release_of
    from pipelines.vault.keys import KeyRing

    state: State = context.obj
    home = state.settings.home
    release = release_of(home, parse_date(date_, "--date") if date_ else None)
    answer = answer_of(
        state.catalog,
        release,
        consumer.value,
        product,
        party,
        lambda: KeyRing.open(home.vault, state.settings.vault_key),
    )
    if as_json:
        typer.echo(json.dumps(asdict(answer), default=str, ensure_ascii=False))
    else:
        typer.echo("\n".join(_told(answer)))


def _told(answer: Answer) -> Iterable[str]:
    where = f"{answer.product} of {answer.business_date} (release {answer.release})"
    rows = f" with {answer.rows} rows" if answer.rows > 1 else ""
    yield f"{answer.pseudonym[:12]}… {'is in' if answer.is_in else 'is not in'} {where}{rows}"
    for reason in answer.reasons:
        yield from _reason(reason, "  ")
    for decision in answer.decisions:
        said = {**decision.key, **{name: value for name, value in decision.verdict.items() if value is not None}}
        yield "  " + ", ".join(f"{name} {value}" for name, value in said.items())
        if answer.consumer == "risk":
            count = len(decision.reasons)
            yield f"    {count or 'no'} rule{'s' * (count != 1)} not passed{':' * (count > 0)}"
        for reason in decision.reasons:
            yield from _reason(reason, "    ")
    if answer.withheld:
        yield "  withheld, though the row is handed over:"
        for names, reasons in _together(answer.withheld):
            yield f"    {names}"
            for reason in reasons:
                yield from _reason(reason, "      ")


def _together(withheld: dict[str, tuple[Reason, ...]]) -> Iterable[tuple[str, tuple[Reason, ...]]]:
    """Columns that are withheld for the same reasons, in one line."""
    named: dict[str, tuple[list[str], tuple[Reason, ...]]] = {}
    for name, reasons in withheld.items():
        named.setdefault(str(reasons), ([], reasons))[0].append(name)
    for names, reasons in named.values():
        shown = ", ".join(names[:6])
        yield (f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown), reasons


def _reason(reason: Reason, indent: str) -> Iterable[str]:
    name = reason.code.removeprefix("rule_").replace("_", " ") if reason.outcome else ""
    head = f"{name} {reason.outcome}: " if reason.outcome else ""
    yield f"{indent}- {head}{reason.text}{f' [{reason.article}]' if reason.article else ''}"
    figures = [f"{name} {'not known' if value is None else value}" for name, value in reason.values.items()]
    limits = [f"{name} = {limit:g}" for name, limit in reason.limits.items()]
    if figures or limits:
        yield f"{indent}    {'; '.join([*figures, *(f'limit {limit}' for limit in limits)])}"
