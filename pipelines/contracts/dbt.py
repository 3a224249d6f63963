"""Derives dbt's view of the contracts: its sources with their tests, the columns of every mart, and who gets them.

The files are written by `zhongtai contracts sync` and never by hand; the drift test holds them against the contracts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.checks import row_checks
from pipelines.contracts.expectations import mentioned
from pipelines.contracts.feature_macro import feature_macro
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import CONSUMERS, Contract
from pipelines.contracts.propensity_macro import propensity_macro
from pipelines.contracts.scorecard_macro import scorecard_macro
from pipelines.contracts.tag_macro import tag_macro

_HEADER = "# Generated from data_contracts/ by `zhongtai contracts sync`. Change the contract, not this file.\n"
_HIVE = "hive_partitioning=true, union_by_name=true, hive_types={'business_date': date, 'source': varchar}"
_HOME = "{{ env_var('ZHONGTAI_HOME') }}"


def dbt_files(catalog: Catalog, project: Path) -> dict[Path, str]:
    """Every generated file of the dbt project below `project`, with its text."""
    files = {project / "models" / "sources.yml": _dump(_sources(catalog))}
    files[project / "models" / "exposures.yml"] = _dump(_exposures(catalog))
    files[project / "macros" / "marts" / "tag_definitions.sql"] = tag_macro(catalog.tags)
    files[project / "macros" / "marts" / "feature_definitions.sql"] = feature_macro(catalog.features)
    files[project / "macros" / "marts" / "propensity_cards.sql"] = propensity_macro(catalog.propensity)
    files[project / "macros" / "marts" / "scorecards.sql"] = scorecard_macro(catalog.scorecards)
    for mart in catalog.marts.values():
        folder = mart.path.parent.name
        files[project / "models" / "marts" / folder / f"{mart.table}.yml"] = _dump(_mart(mart))
    return files


def drifted(catalog: Catalog, project: Path) -> list[Path]:
    """Generated files that do not say what the contracts say."""
    files = dbt_files(catalog, project)
    present = {
        path for path in (project / "models").rglob("*.yml") if path.read_text(encoding="utf-8").startswith(_HEADER)
    }
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return sorted({*stale, *(present - files.keys())})


def sync(catalog: Catalog, project: Path) -> list[Path]:
    """Write what has drifted, remove what no contract calls for; returns the files touched."""
    files, touched = dbt_files(catalog, project), drifted(catalog, project)
    for path in touched:
        if path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()
    return touched


def _sources(catalog: Catalog) -> dict[str, Any]:
    domains: dict[str, list[dict[str, Any]]] = {}
    for contract in catalog.sources.values():
        location = f"read_parquet('{_HOME}/lake/{contract.id}/*/*/part.parquet', {_HIVE})"
        domains.setdefault(contract.domain, []).append(_source(contract, location))
    for contract in catalog.derived.values():
        pattern = f"{contract.table}/*.parquet" if contract.table == "landing" else f"{contract.table}.parquet"
        if contract.table == "quarantine":
            continue  # read by people, not by models
        location = f"read_parquet('{_HOME}/{contract.domain}/{pattern}')"
        domains.setdefault(contract.domain, []).append(_source(contract, location))
    return {"version": 2, "sources": [{"name": name, "tables": tables} for name, tables in sorted(domains.items())]}


def _source(contract: Contract, location: str) -> dict[str, Any]:
    lake = contract.kind == "source"
    meta = {
        "external_location": location,
        "formatter": "template",
        "contract": contract.id,
        "version": contract.version,
        "owner": contract.owner,
        "grain": contract.grain,
        "key": list(contract.key),
        "delivery": contract.delivery,
        "criticality": contract.criticality,
        "control_sums": list(contract.control_sums),
    }
    source: dict[str, Any] = {
        "name": contract.table,
        "description": contract.purpose,
        "config": {"meta": meta},
        "columns": [
            {"name": c.lake_name if lake else c.name, "description": c.description, "data_type": c.type}
            for c in contract.columns
        ],
    }
    if lake:
        source["data_tests"] = [_meets_contract(contract)]
    return source


def _mart(mart: Contract) -> dict[str, Any]:
    meta = {
        "contract": mart.id,
        "version": mart.version,
        "owner": mart.owner,
        "grain": mart.grain,
        "key": list(mart.key),
    }
    return {
        "version": 2,
        "models": [
            {
                "name": mart.table,
                "description": f"{mart.purpose} {mart.grain}",
                "config": {"meta": meta},
                "columns": [{"name": c.name, "description": c.description, "data_type": c.type} for c in mart.columns],
                "data_tests": [_meets_contract(mart)],
            }
        ],
    }


def _exposures(catalog: Catalog) -> dict[str, Any]:
    """The consumers, each with the marts that its products, and those it shares, are projected from."""
    shared = [product for product in catalog.products.values() if product.consumer == "shared"]
    found = []
    for consumer in (name for name in CONSUMERS if name != "shared"):
        products = [p for p in catalog.products.values() if p.consumer == consumer] + shared
        marts = sorted({catalog.marts[str(product.mart)].table for product in products})
        found.append(
            {
                "name": consumer,
                "label": consumer.capitalize(),
                "type": "analysis",
                "maturity": "high",
                "description": f"Gets, per release: {', '.join(product.table for product in products)}.",
                "owner": {"name": consumer},
                "depends_on": [f"ref('{mart}')" for mart in marts],
            }
        )
    return {"version": 2, "exposures": found}


def _meets_contract(contract: Contract) -> dict[str, Any]:
    """One test for all the rules of a table: dbt takes longer to start a test than DuckDB to run it.

    And one text for all of them, a line each, since dbt renders each text that it is given as a template of its own.
    """
    hidden = {column.name for column in contract.columns if column.identifier}
    checks = "".join(
        f"{f'{check.rule} {check.column}'.strip()}: {check.violated}\n"
        for check in row_checks(contract)
        if hidden.isdisjoint(mentioned(check.violated, contract))  # ingest alone saw what tokens now stand for
    )
    name = f"{contract.domain}_{contract.table}" if contract.kind == "source" else contract.table
    arguments = {"key": list(contract.key), "checks": checks}
    return {"meets_contract": {"name": f"{name}_meets_contract", "arguments": arguments}}


def _dump(document: dict[str, Any]) -> str:
    return _HEADER + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_str)
