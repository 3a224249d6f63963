"""Which business date a tick runs, and which dates there are to run at all."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from pipelines.assets.platform import Platform
from pipelines.assets.schedule import every_night
from pipelines.contracts.bank import Calendar
from pipelines.settings import Settings


@pytest.fixture
def platform(tmp_path) -> Platform:
    return Platform(Settings(home_dir=tmp_path, bank="xiaocheng"))


def at(platform: Platform, tick: str) -> dg.RunRequest | dg.SkipReason:
    schedule = every_night(platform, dg.define_asset_job("nightly"))
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 1 * * *", "Asia/Shanghai")
    time = datetime.fromisoformat(tick).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    # As the daemon tells it: in universal time, where it is still the day before.
    return schedule(dg.build_schedule_context(scheduled_execution_time=time.astimezone(ZoneInfo("UTC"))))


def test_a_tick_runs_the_date_that_has_ended_in_bank_time(platform):
    request = at(platform, "2026-01-01T01:30")
    assert (request.partition_key, request.run_key) == ("2025-12-31", "2025-12-31")


def test_after_its_last_date_a_bank_has_nothing_to_run(platform):
    skipped = at(platform, "2026-01-02T01:30")
    assert isinstance(skipped, dg.SkipReason)
    assert "2026-01-01: not a business date of xiaocheng" in skipped.skip_message


@pytest.mark.parametrize("last", [date(2025, 6, 16), None])
def test_closed_days_are_neither_partitions_nor_run(platform, last):
    calendar = Calendar(closed_weekdays=("sat", "sun"), holidays=(date(2025, 6, 10),))
    platform.bank = platform.bank.model_copy(update={"calendar": calendar, "last_date": last})
    now = datetime(2025, 6, 17, 1, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    keys = platform.partitions.get_partition_keys(current_time=now)
    assert keys == [day.isoformat() for day in platform.bank.business_dates(date(2025, 6, 1), date(2025, 6, 16))]
    assert keys[0] == "2025-06-02" and not {"2025-06-07", "2025-06-10"} & set(keys)
    assert isinstance(at(platform, "2025-06-09T01:30"), dg.SkipReason)
