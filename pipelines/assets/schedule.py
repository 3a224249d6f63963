"""When the nightly job runs by itself, and for which business date."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.assets.platform import Platform

HOUR, MINUTE = 1, 30  # bank time, on the day after the business date


def every_night(platform: Platform, nightly: Any) -> dg.ScheduleDefinition:
    """Registered, and switched on by whoever runs the daemon: with a cron job beside it a night would run twice."""
    bank = platform.bank

    @dg.schedule(
        name="every_night", job=nightly, cron_schedule=f"{MINUTE} {HOUR} * * *", execution_timezone=bank.time_zone,
        description=f"At {HOUR:02}:{MINUTE:02} bank time, for the business date that has ended.",
    )  # fmt: skip
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = context.scheduled_execution_time.astimezone(ZoneInfo(bank.time_zone)).date() - timedelta(days=1)
        if bank.is_business_date(day):
            return dg.RunRequest(run_key=day.isoformat(), partition_key=day.isoformat())
        span = f"{bank.first_date} to {bank.last_date or 'today'}"
        return dg.SkipReason(f"{day}: not a business date of {bank.bank}, which has {span} without its closed days")

    return schedule
