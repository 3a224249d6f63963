"""Options and objects that several commands share."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Annotated

import typer

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.settings import InputError, Settings

BankOption = Annotated[str | None, typer.Option("--bank", help="Bank; default the one the home belongs to.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")]


class State:
    """Settings and contracts of this call, read when first needed."""

    @cached_property
    def settings(self) -> Settings:
        """Settings from the environment and the options."""
        return Settings()

    @cached_property
    def catalog(self) -> Catalog:
        """Every contract."""
        return load_catalog(self.settings.contracts)


def parse_date(text: str, option: str) -> date:
    """The ISO date `text`. Raises InputError naming the option."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option}: '{text}' is not a date; write YYYY-MM-DD") from error
