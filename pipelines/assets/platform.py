"""What every asset works with, and which dates a Dagster run is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import dagster as dg

from pipelines.contracts.bank import Bank
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.contracts.model import Contract
from pipelines.ingest.batch import Desk
from pipelines.ingest.night import open_desk
from pipelines.settings import PROJECT, InputError, Settings
from pipelines.warehouse.control import built_as_of

# Run tags. A backfill from the command line is a run of its last partition that says from where it reaches back:
# Dagster stores an event per asset and partition of a range, which takes longer than the work itself.
FIRST_DATE_TAG = "zhongtai/first_date"


@dataclass(frozen=True)
class RunDates:
    """Business dates of a run, both ends included. The last is the one that it builds, audits and publishes."""

    first: date
    last: date


class Platform:
    """One bank's platform: settings, contracts, and the desk on which its home is written."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalog: Catalog = load_catalog(settings.contracts)
        self.bank: Bank = self.catalog.bank(settings.bank_name())

    @cached_property
    def desk(self) -> Desk:
        """The home, prepared for a run; opened by the first asset that works, not when definitions load."""
        return open_desk(self.catalog, self.settings)

    @cached_property
    def partitions(self) -> dg.DailyPartitionsDefinition:
        """A partition per business date, in the time zone of the bank."""
        last, calendar = self.bank.last_date, self.bank.calendar
        end = (last + timedelta(days=1)).isoformat() if last else None
        closed = [f"0 0 * * {weekday}" for weekday in calendar.closed_weekdays]  # as Dagster wants it: when one begins
        holidays = [datetime.combine(day, time()) for day in calendar.holidays]
        return dg.DailyPartitionsDefinition(
            start_date=self.bank.first_date.isoformat(),
            end_date=end,
            timezone=self.bank.time_zone,
            exclusions=[*closed, *holidays] or None,
        )

    def dates(self, context: dg.AssetExecutionContext) -> RunDates:
        """The dates that `context`'s run is about."""
        if not (context.selected_asset_keys or context.has_partition_key):
            built = self._built()  # checks alone, which have no partition: they are about what is there
            return RunDates(built, built)
        keys = context.partition_key_range
        first, last = date.fromisoformat(keys.start), date.fromisoformat(keys.end)
        if FIRST_DATE_TAG in context.run.tags:
            first = date.fromisoformat(context.run.tags[FIRST_DATE_TAG])
        return RunDates(first, last)

    def _built(self) -> date:
        """The date that the warehouse was last built as of."""
        if (found := built_as_of(self.settings.home)) is None:
            raise InputError("nothing is built yet: materialise a business date first")
        return found


def column_schema(contract: Contract, *, lake: bool = False) -> dg.TableSchema:
    """A contract's columns for the Dagster catalogue."""
    columns = []
    for column in contract.columns:
        constraints = dg.TableColumnConstraints(nullable=not column.required, unique=contract.key == (column.name,))
        name, type_ = (column.lake_name, "string") if lake and column.identifier else (column.name, column.type)
        columns.append(dg.TableColumn(name, type_, description=column.description, constraints=constraints))
    return dg.TableSchema(columns)


def static_metadata(contract: Contract, *, lake: bool = False) -> dict[str, Any]:
    """What is known of an asset before it is ever materialised."""
    told = {
        "contract": f"{contract.id} {contract.version}",
        "file": contract.path.relative_to(PROJECT).as_posix() if contract.path.is_relative_to(PROJECT) else None,
        "grain": contract.grain,
        "key": ", ".join(contract.key),
        "limitations": contract.limitations.strip(),
        **(_delivery(contract) if contract.kind == "source" else {}),
    }
    known = {name: text for name, text in told.items() if text}
    return {"dagster/column_schema": column_schema(contract, lake=lake), **known}


def _delivery(contract: Contract) -> dict[str, str | None]:
    carried = f", carried forward {contract.carry_forward_days} days" if contract.carry_forward_days else ""
    return {
        "delivery": f"{contract.delivery}, {contract.criticality}{carried}",
        "due": contract.due,
        "purposes": ", ".join(contract.purposes),
        "legal_basis": contract.legal_basis,
    }
