"""dbt's models and tests as Dagster sees them, and a night in process on a Dagster instance that keeps its history."""

from datetime import date

import dagster as dg
import pytest

from pipelines.warehouse.dbt_assets import warehouse_assets
from pipelines.warehouse.run import Dbt

from .conftest import DAY, NEXT_DAY, land, small_dbt

MART, PROCESSED = dg.AssetKey(["marts", "customer_360"]), dg.AssetKey(["intermediate", "int_processed_date"])
PARTY, CROSSWALK = dg.AssetKey(["lake", "core", "party"]), dg.AssetKey(["identity", "party_crosswalk"])
UNIQUE, LANDED, WARNED = "unique_customer_360_party_id", "source_not_null_core_party_party_id", "few_parties"


@pytest.fixture(scope="module")
def dbt(tmp_path_factory):
    """One home for the tests here: its project is parsed once."""
    running = small_dbt(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.close()


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def night(dbt: Dbt) -> dg.JobDefinition:
    partitions = dg.DailyPartitionsDefinition(DAY.isoformat(), end_date="2024-02-01")
    once = dg.BackfillPolicy.single_run()

    def dates(context) -> tuple[date, date]:
        keys = context.partition_key_range
        return date.fromisoformat(keys.start), date.fromisoformat(keys.end)

    @dg.asset(key=PARTY, partitions_def=partitions, backfill_policy=once)
    def party() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    @dg.asset(key=CROSSWALK, deps=[PARTY], partitions_def=partitions, backfill_policy=once)
    def party_crosswalk() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    @dg.asset(deps=[MART], partitions_def=partitions, backfill_policy=once)
    def candidate() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    assets = [party, party_crosswalk, warehouse_assets(dbt, dates, partitions), candidate]
    jobs = [dg.define_asset_job("night", selection="*", executor_def=dg.in_process_executor)]
    return dg.Definitions(assets=assets, jobs=jobs).resolve_job_def("night")


def test_definitions(dbt):
    warehouse = warehouse_assets(dbt, lambda _: (DAY, DAY), None)
    assert set(warehouse.keys) == {MART, PROCESSED}
    mart = warehouse.get_asset_spec(MART)
    assert (mart.group_name, list(mart.owners)) == ("marts", ["team:customer-analytics"])
    assert mart.description == "One row that unites what the bank knows of a party."
    assert (mart.metadata["grain"], mart.metadata["key"]) == ("One row per party.", "party_id")
    (column,) = mart.metadata["dagster/column_schema"].columns
    assert (column.name, column.type, column.description) == ("party_id", "bigint", "Who.")
    assert {dep.asset_key for dep in mart.deps} == {CROSSWALK, PROCESSED}
    assert list(warehouse.get_asset_spec(PROCESSED).owners) == ["team:data-platform"]
    checks = {(check.asset_key, check.name): check.blocking for check in warehouse.check_specs}
    assert checks == {(MART, UNIQUE): True, (MART, WARNED): False, (PARTY, LANDED): False}


@pytest.mark.slow
def test_a_run_over_several_dates_and_one_over_a_part(dbt, instance):
    job = night(dbt)
    span = {
        "dagster/asset_partition_range_start": DAY.isoformat(),
        "dagster/asset_partition_range_end": NEXT_DAY.isoformat(),
    }
    run = job.execute_in_process(instance=instance, tags=span)
    assert [e.step_key for e in run.all_events if e.is_step_success].count("warehouse") == 1, "dbt starts once"
    mart = [e for e in run.get_asset_materialization_events() if e.asset_key == MART]
    assert [event.partition for event in mart] == [DAY.isoformat(), NEXT_DAY.isoformat()]
    assert mart[0].materialization.metadata["dagster/row_count"].value == 3
    checks = {evaluation.check_name: evaluation for evaluation in run.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {UNIQUE: True, LANDED: True, WARNED: False}
    assert checks[WARNED].severity is dg.AssetCheckSeverity.WARN, "and it stopped nothing"

    part = job.execute_in_process(instance=instance, partition_key=DAY.isoformat(), asset_selection=[PROCESSED])
    assert [event.asset_key for event in part.get_asset_materialization_events()] == [PROCESSED]


def test_a_failed_check_stops_what_follows(dbt, instance):
    land(dbt.home.path, "values (1), (1)")
    run = night(dbt).execute_in_process(instance=instance, partition_key=DAY.isoformat(), raise_on_error=False)
    assert not run.success
    assert MART in {event.asset_key for event in run.get_asset_materialization_events()}
    failed = {evaluation.check_name for evaluation in run.get_asset_check_evaluations() if not evaluation.passed}
    assert failed == {UNIQUE, WARNED}
    (failure,) = [event for event in run.all_events if event.is_step_failure]
    assert failure.step_key == "warehouse" and UNIQUE in failure.step_failure_data.user_failure_data.description
    assert not [event for event in run.all_events if event.step_key == "candidate" and event.is_step_start]
