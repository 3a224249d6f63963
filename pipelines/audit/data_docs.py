"""Builds Great Expectations' Data Docs of one candidate or release, for people: off the way that a night takes.

What belongs here: pages on disk of the same suites that `engine` runs. What does not: verdicts, which evidence holds.
The pages say what is expected and whether it was met, and show no value of the data.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from pipelines.audit.engine import as_gx, opened
from pipelines.audit.gates import suites
from pipelines.audit.tables import open_tables
from pipelines.contracts.load import Catalog
from pipelines.settings import make_directory

_SITE = "audit"
# Counts alone: a page is not to quote the values that were not expected.
_COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}


def write_data_docs(directory: Path, catalog: Catalog, business_date: date, out: Path, room: Path) -> Path:
    """Validate every product in `directory` and write the pages below `out`; returns the first one.

    DuckDB spills to a private directory in `room`.
    """
    make_directory(out)
    with (
        open_tables(directory, catalog, threads=1, memory_limit="2GB", room=room) as tables,
        opened(tables) as (gx, context, source),
    ):
        context.add_data_docs_site(_SITE, _site(out))
        # A page without the name of its run is not built.
        run = gx.core.RunIdentifier(run_name=f"{business_date}", run_time=datetime.combine(business_date, time(), UTC))
        for product_id, expectations in suites(catalog).items():
            table = tables.by_product[product_id]
            asked = [as_gx(gx, each, table, business_date) for each in expectations if not table.unusable(each.columns)]
            if table.schema is not None and asked:
                batch = source.add_table_asset(product_id, table_name=table.view).add_batch_definition_whole_table(
                    "all"
                )
                suite = context.suites.add(gx.ExpectationSuite(name=product_id, expectations=asked))
                validation = gx.ValidationDefinition(name=product_id, data=batch, suite=suite)
                context.validation_definitions.add(validation).run(result_format=_COUNTS, run_id=run)
        context.build_data_docs([_SITE])
    return out / "index.html"


def _site(out: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(out)},
    }
