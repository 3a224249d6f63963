"""Data Docs: what contracts expect of each product of a release or candidate, and whether it was met, for people.

Great Expectations was asked once, by the audit; its verdicts stand in the evidence, and its own renderers put them into
pages here. So nothing is asked of the data again, and the pages say what the evidence says. Belongs here: pages on disk
that fetch nothing and quote no value of the data. Does not belong here: verdicts, and where the pages of a release lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from pipelines.audit.engine import as_gx, preload
from pipelines.audit.evidence import CheckResult, Evidence
from pipelines.audit.gates import suites
from pipelines.audit.tables import Table, tables_of
from pipelines.contracts.expectations import Expectation
from pipelines.contracts.load import Catalog
from pipelines.settings import InputError, make_directory, write_private

INDEX = "index.html"
_OF_ROWS = re.compile(r"(\d+) of (\d+) rows")  # as `failures.observed` says it
_STYLE = """
body { margin: 0 auto; max-width: 1080px; padding: 32px 24px; color: #22282d; background: #fff;
  font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, sans-serif; }
h1 { font-size: 23px; } h4, h5 { margin: 24px 0 6px; font-size: 16px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9em; }
th { text-align: left; font-weight: 500; color: #68727a; }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid #d9dee1; vertical-align: top; overflow-wrap: anywhere; }
pre, code { white-space: pre-wrap; overflow-wrap: anywhere; }
th:first-child, td:first-child { white-space: nowrap; overflow-wrap: normal; }
th:nth-child(2):nth-last-child(2), td:nth-child(2):nth-last-child(2) { min-width: 40ch; overflow-wrap: normal; }
.badge { border: 1px solid #d9dee1; border-radius: 3px; padding: 0 4px; }
i.text-success::before { content: "passed"; color: #3f7d6e; font-style: normal; }
i.text-danger::before { content: "failed"; color: #b3402e; font-style: normal; }
i.text-warning::before { content: "not audited"; color: #b9892b; font-style: normal; }
"""
# In the place of the page of Great Expectations: that one fetches styles, scripts and a logo from other machines.
_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{{{ title }}}}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>
<body><p><a href="{INDEX}">All products</a></p><h1>{{{{ title }}}}</h1>
{{% for section in sections %}}{{% set section_loop = loop %}}{{% include 'section.j2' %}}{{% endfor %}}
</body></html>
"""


def write_data_docs(directory: Path, evidence: Evidence, catalog: Catalog, out: Path) -> Path:
    """Write a page for each product in `directory` into `out`, by its evidence, and the first one, which it returns.

    Raises InputError where the audit held a product to another contract than today's.
    """
    found = {check.id: check for check in evidence.checks}
    products = {name: [one for one in suite if one.id in found] for name, suite in suites(catalog).items()}
    if changed := _held_otherwise(evidence, catalog):
        raise InputError(
            f"{directory.name} was held to other contracts than today's ({', '.join(changed)}): give those of then by "
            f"ZHONGTAI_CONTRACTS; the record.tar of a release has them, below record/data_contracts"
        )
    preload()
    template, tables = _template(), tables_of(directory, catalog)
    make_directory(out)
    for product_id, suite in products.items():
        title = f"{product_id}, business date {evidence.business_date}"
        page = template.render(_rendered(tables[product_id], suite, found, evidence), title=title)
        write_private(out / f"{product_id}.html", page.encode())
    write_private(out / INDEX, _index(evidence, products, found).encode())
    return out / INDEX


def is_of_today(contracts: Mapping[str, Mapping[str, str]], catalog: Catalog) -> bool:
    """Whether the contracts that a manifest names are, of products and their marts, those of today."""
    return not _changed({name: entry["sha256"] for name, entry in contracts.items()}, catalog)


def _held_otherwise(evidence: Evidence, catalog: Catalog) -> list[str]:
    return _changed({name: version.sha256 for name, version in evidence.contracts.items()}, catalog)


def _changed(then: Mapping[str, str], catalog: Catalog) -> list[str]:
    marts = {catalog.marts[str(product.mart)] for product in catalog.products.values()}
    contracts = [*catalog.products.values(), *marts]
    return sorted(contract.id for contract in contracts if then.get(contract.id) != contract.sha256)


def _template() -> Any:
    """A page of ours with the sections of Great Expectations. One for all: each has its templates compiled anew."""
    from great_expectations.render.view import DefaultJinjaPageView

    environment = DefaultJinjaPageView().env
    environment.filters["generate_html_element_uuid"] = str  # the same evidence gives the same pages
    return environment.from_string(_PAGE)


def _rendered(
    table: Table, suite: Sequence[Expectation], found: Mapping[str, CheckResult], evidence: Evidence
) -> dict[str, Any]:
    """What a page says, in the form that templates take."""
    import great_expectations as gx
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.render.renderer import ValidationResultsPageRenderer

    results = []
    for expectation in suite:
        check = found[expectation.id]
        asked = as_gx(gx, expectation, table, evidence.business_date)
        asked.description = expectation.description
        told = check.observed if check.state == "not_audited" else None
        results.append(
            ExpectationValidationResult(
                success=check.state == "passed", expectation_config=asked.configuration, result=_seen(table, check),
                exception_info={"raised_exception": told is not None, "exception_message": told,
                                "exception_traceback": ""},
            )
        )  # fmt: skip
    passed = sum(result.success for result in results)
    validated = ExpectationSuiteValidationResult(
        success=passed == len(results), results=results, suite_name=table.contract.id,
        statistics={"evaluated_expectations": len(results), "successful_expectations": passed,
                    "unsuccessful_expectations": len(results) - passed,
                    "success_percent": 100 * passed / len(results)},
        # A page without a run and its time is not rendered; the time of a night is its business date.
        meta={"run_id": {"run_name": f"{evidence.business_date}", "run_time": f"{evidence.business_date}T00:00:00Z"},
              "great_expectations_version": gx.__version__},
    )  # fmt: skip
    document = ValidationResultsPageRenderer().render(validated)
    # Its overview begins with a link to a page of the suite alone, and ends with the run: only the counts between stay.
    overview = document.sections[0]
    overview.content_blocks = overview.content_blocks[1:2]
    content: dict[str, Any] = document.to_json_dict()
    return content


def _seen(table: Table, check: CheckResult) -> dict[str, Any]:
    """What was seen, as Great Expectations has it of an expectation: counts alone."""
    if counted := _OF_ROWS.fullmatch(check.observed):
        broken, rows = map(int, counted.groups())
        return {"observed_value": check.observed, "element_count": rows, "unexpected_count": broken,
                "unexpected_percent": 100 * broken / rows if rows else 0.0}  # fmt: skip
    # Of the order of columns its renderers take the columns themselves, to go by.
    return {"observed_value": list(table.columns)}


def _index(evidence: Evidence, products: Mapping[str, Sequence[Expectation]], found: Mapping[str, CheckResult]) -> str:
    rows = "".join(_row(name, [found[one.id].state for one in suite]) for name, suite in sorted(products.items()))
    title = f"Data Docs of {escape(evidence.bank)}, business date {evidence.business_date}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"</head>\n<body><h1>{title}</h1><p>Content {escape(evidence.candidate_hash)}</p>\n<table><thead><tr>"
        f"<th>Product</th><th>Expectations</th><th>Passed</th><th>Failed</th><th>Not audited</th></tr></thead><tbody>"
        f"{rows}</tbody></table></body></html>\n"
    )


def _row(product_id: str, states: Iterable[str]) -> str:
    states = list(states)
    counts = "".join(f"<td>{states.count(one)}</td>" for one in ("passed", "failed", "not_audited"))
    return f'<tr><td><a href="{product_id}.html">{product_id}</a></td><td>{len(states)}</td>{counts}</tr>\n'
