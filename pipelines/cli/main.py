"""The command itself: its groups, and how an error becomes one message and an exit code.

Exit codes: 0 published or done, 2 bad usage or input, 3 refused by a gate, 1 anything else.
"""

from __future__ import annotations

import gc

gc.disable()  # what is imported stays; looking through it for garbage takes a fifth of start-up (see outcome.execute)

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.cli import (
    admission,
    contracts,
    deliveries,
    doctor,
    explain,
    gates,
    history,
    identity,
    lineage,
    matching,
    policy,
    proof,
    quarantine,
    query,
    releases,
    run,
    score,
    signing,
    simulate,
    tags,
    usage,
    vault,
)
from pipelines.cli.options import State
from pipelines.contracts.model import ContractError
from pipelines.settings import InputError

PUBLISHED, FAILED, BAD_INPUT, REFUSED = 0, 1, 2, 3

app = typer.Typer(
    name="zhongtai",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Pull a bank's data through contracts, build the customer 360, audit it, publish it as one release.",
)
app.command("nightly")(run.nightly)
app.command("backfill")(run.backfill)
app.command("ui")(run.ui)
app.command("simulate")(simulate.simulate)
app.command("deliveries")(deliveries.deliveries)
app.command("query")(query.query)
app.command("doctor")(doctor.doctor)
app.command("usage")(usage.usage)
app.command("explain")(explain.explain)
app.add_typer(admission.app, name="admission")
app.add_typer(contracts.app, name="contracts")
app.add_typer(releases.app, name="releases")
app.add_typer(gates.app, name="gates")
app.add_typer(history.app, name="history")
app.add_typer(quarantine.app, name="quarantine")
identity.app.command()(matching.train)
identity.app.command()(matching.resolve)
app.add_typer(identity.app, name="identity")
app.add_typer(lineage.app, name="lineage")
app.add_typer(policy.app, name="policy")
app.add_typer(proof.app, name="proof")
app.add_typer(score.app, name="score")
app.add_typer(signing.app, name="signing")
app.add_typer(tags.app, name="tags")
app.add_typer(vault.app, name="vault")


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Where the data of the bank lives; default var/ or ZHONGTAI_HOME.")
    ] = None,
) -> None:
    """Options of every command."""
    if home is not None:
        # By environment, so that whatever runs below in a process of its own reads the same home.
        os.environ["ZHONGTAI_HOME"] = str(home.expanduser().resolve())
    context.obj = State()


def main() -> None:
    """Run the command and end with its exit code."""
    code = _attempt()
    with suppress(BrokenPipeError):  # whoever read the output has seen enough
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is written and closed; taking the imported libraries down would take a second


def _attempt() -> int:
    """Run the command and turn an error into one message."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except (InputError, ContractError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return BAD_INPUT
    except Exception as error:
        from pipelines.release.refused import Refused

        if isinstance(error, Refused):
            console.print(f"refused: {error}", style="red", markup=False)
            _advise(console, str(error))
            return REFUSED
        if os.environ.get("ZHONGTAI_DEBUG"):
            console.print_exception()
        else:
            kind = type(error).__name__
            said = str(error) if kind == "RunFailed" else f"{kind}: {error}"
            console.print(f"failed: {said}", style="red", markup=False)
            _advise(console, said)
            console.print("ZHONGTAI_DEBUG=1 shows where; `zhongtai doctor` looks at the installation", markup=False)
        return FAILED
    return PUBLISHED


def _advise(console: Console, words: str) -> None:
    from pipelines.cli.advice import advice
    from pipelines.settings import Settings

    for line in advice(Settings().home, words):
        console.print(line, markup=False)
