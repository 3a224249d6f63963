"""dbt's models as Dagster assets and its tests as checks: one step that streams what dbt does.

Belongs here: the names and descriptions that Dagster shows, and what a result of dbt means to Dagster. This is the only
module that imports dagster_dbt, which takes a second: import it when definitions are wanted, not before.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets
from dagster_dbt.asset_utils import get_subset_selection_for_context
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dagster_dbt.dbt_manifest import validate_manifest

from pipelines.warehouse.manifest import manifest
from pipelines.warehouse.run import Dbt, DbtFailed

LAKE, OUTSIDE_THE_LAKE = "lake", {"control", "identity", "history"}
_EVERYTHING = "fqn:*"


class WarehouseTranslator(DagsterDbtTranslator):
    """Asset keys are layer and model; a source is the lake, control or identity asset that it reads."""

    def __init__(self) -> None:
        # Metadata of sources is left to the contracts: two descriptions of one asset must not differ.
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True, enable_source_metadata=False))

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """A test blocks what depends on its asset, unless that is a source.

        A failed test fails the build and so the run in any case. But identity reads the lake too and the build reads
        identity: a blocking check of a lake asset would have to come before and after, and Dagster would run dbt twice.
        """
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        on_source = asset_spec.key.path[0] in {LAKE, *OUTSIDE_THE_LAKE}
        return spec._replace(
            blocking=spec.blocking and not on_source, description=_asserted(manifest, manifest["nodes"][unique_id])
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`marts/customer_360`, `lake/core/transaction`, `control/policy`."""
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            source = dbt_resource_props["source_name"]
            return dg.AssetKey([source, name] if source in OUTSIDE_THE_LAKE else [LAKE, source, name])
        return dg.AssetKey([_layer(dbt_resource_props), name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer."""
        return _layer(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """The team that the contract or the layer names."""
        owner = _meta(dbt_resource_props).get("owner")
        return [f"team:{owner}"] if owner else []

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the model holds. Its SQL is one click away in the repository, and long."""
        return (dbt_resource_props.get("description") or dbt_resource_props["name"]).strip()

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> dict[str, Any]:
        """Columns and table name, and what the contract says."""
        meta = _meta(dbt_resource_props)
        contract = f"{meta['contract']} {meta.get('version', '')}".strip() if "contract" in meta else None
        told = {"grain": meta.get("grain"), "contract": contract, "key": ", ".join(meta.get("key") or [])}
        return {
            **super().get_metadata(dbt_resource_props),
            **{name: text for name, text in told.items() if text},
            "file": f"dbt_project/{dbt_resource_props['original_file_path']}",
        }


def warehouse_assets(
    dbt: Dbt,
    dates: Callable[[dg.AssetExecutionContext], tuple[date, date]],
    partitions: dg.PartitionsDefinition | None,
    resources: frozenset[str] = frozenset(),
) -> dg.AssetsDefinition:
    """Every model and every test as one step.

    `dates` tells the first and last business date of a run; `resources` are keys of resources that the step holds.
    """
    translator, path = WarehouseTranslator(), manifest(dbt)
    parsed = validate_manifest(path)

    @dbt_assets(
        manifest=path, name="warehouse", dagster_dbt_translator=translator, partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions else None, required_resource_keys=set(resources),
    )  # fmt: skip
    def warehouse(context: dg.AssetExecutionContext) -> Iterator[Any]:
        first, last = dates(context)
        try:
            for message in dbt.build(first, last, _selection(context, parsed, translator)):
                yield from _events(message, context, parsed, translator)
        except DbtFailed as error:
            raise dg.Failure(str(error), allow_retries=False) from None

    return warehouse


def _events(
    message: dict[str, Any],
    context: dg.AssetExecutionContext,
    parsed: Mapping[str, Any],
    translator: WarehouseTranslator,
) -> Iterator[Any]:
    """A result of dbt in Dagster's terms: an output or a check result."""
    rows, columns = message.pop("rows", None), message.pop("columns", None)
    event = DbtCoreCliEventMessage(raw_event=message, event_history_metadata={})
    found: dict[str, Any] = {} if rows is None else {"dagster/row_count": rows}
    if columns and not parsed["nodes"][message["data"]["node_info"]["unique_id"]]["columns"]:
        found["dagster/column_schema"] = dg.TableSchema([dg.TableColumn(name, type_) for name, type_ in columns])
    for told in event.to_default_asset_events(parsed, translator, context):
        yield told.with_metadata({**told.metadata, **found}) if isinstance(told, dg.Output) else told


def _selection(
    context: dg.AssetExecutionContext, parsed: Mapping[str, Any], translator: WarehouseTranslator
) -> list[str]:
    """Arguments of dbt for the assets and checks that were chosen, for example in the UI; none for all."""
    if not context.is_subset:
        return []
    arguments, indirect = get_subset_selection_for_context(
        context=context, manifest=parsed, select=_EVERYTHING, exclude=None, selector=None,
        dagster_dbt_translator=translator, current_dbt_indirect_selection_env=None,
    )  # fmt: skip
    return [*arguments, *(["--indirect-selection", indirect] if indirect else [])]


def _asserted(parsed: Mapping[str, Any], test: Mapping[str, Any]) -> str | None:
    """What a test asserts: its own description, or that of the generic test it is one of."""
    words = [test.get("description")]
    words += [parsed["macros"][name]["description"] for name in test["depends_on"]["macros"] if ".test_" in name]
    return next((text.strip() for text in words if text), None)


def _layer(dbt_resource_props: Mapping[str, Any]) -> str:
    return dbt_resource_props["fqn"][1]


def _meta(dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
    return dbt_resource_props.get("config", {}).get("meta") or dbt_resource_props.get("meta") or {}
