"""The only `dg.Definitions`: assets, the nightly job, its schedule, and who is told of its runs.

Assembled by one function that tests call too.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from pipelines.assets.control import control_assets
from pipelines.assets.identity import identity_assets
from pipelines.assets.ingest import ingest_assets
from pipelines.assets.lock import exclusive
from pipelines.assets.platform import Platform
from pipelines.assets.progress import progress_logger
from pipelines.assets.relations import relation_assets
from pipelines.assets.release import consumer_assets, release_assets
from pipelines.assets.schedule import every_night
from pipelines.contracts.model import Contract
from pipelines.reporting.sensors import alert_sensors
from pipelines.settings import Settings
from pipelines.warehouse.control import fact_dates
from pipelines.warehouse.dbt_assets import warehouse_assets
from pipelines.warehouse.run import Dbt

# backfill_policy has been beta for years; a warning at every start would hide those that matter.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

JOB = "nightly"
DEFAULT_BANK = "xiaocheng"


def build_definitions(settings: Settings, dbt: Dbt | None = None) -> dg.Definitions:
    """Everything Dagster knows of one bank. `dbt` may have been started already."""
    platform = Platform(settings)
    marts = [dg.AssetKey(["marts", mart.table]) for mart in _published(platform)]
    warehouse = warehouse_assets(
        dbt or Dbt(settings),
        dates=lambda context: fact_dates(settings.home, platform.dates(context).last),
        partitions=platform.partitions,
        resources=frozenset({"lock"}),
    )
    nightly = dg.define_asset_job(
        JOB, selection=dg.AssetSelection.all(), executor_def=dg.in_process_executor,
        description="Lands a business date, builds and audits everything as of it, and publishes the release.",
    )  # fmt: skip
    return dg.Definitions(
        assets=[
            *ingest_assets(platform), *control_assets(platform), *identity_assets(platform),
            *relation_assets(platform), warehouse,
            *release_assets(platform, marts), *consumer_assets(platform),
        ],
        jobs=[nightly],
        schedules=[every_night(platform, nightly)],
        sensors=alert_sensors(platform, nightly),
        executor=dg.in_process_executor,
        resources={"lock": _lock(platform)},
        loggers={"console": dg.colored_console_logger, "progress": progress_logger},
    )  # fmt: skip


def _published(platform: Platform) -> list[Contract]:
    return [platform.catalog.marts[name] for name in sorted({str(p.mart) for p in platform.catalog.products.values()})]


def _lock(platform: Platform) -> dg.ResourceDefinition:
    """Held from the first step of a run to its last: a home has one run at a time."""

    @dg.resource
    @contextmanager
    def lock(_: dg.InitResourceContext) -> Iterator[None]:
        platform.settings.home.prepare(platform.bank.bank)
        with exclusive(platform.settings.home):
            yield

    return lock


def _for_dagster() -> Settings:
    """Settings of a code location. Without a bank in the environment or the home: the one that comes along."""
    settings = Settings()
    if settings.bank or settings.home.bank():
        return settings
    return settings.model_copy(update={"bank": os.environ.get("ZHONGTAI_BANK", DEFAULT_BANK)})


def __getattr__(name: str) -> dg.Definitions:
    """`defs`, made when Dagster asks for it; the command line makes its own."""
    if name == "defs":
        return build_definitions(_for_dagster())
    raise AttributeError(name)
