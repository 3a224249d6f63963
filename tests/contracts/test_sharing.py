"""Records that count only where a party lets them be shared are read through the gate that says where."""

from __future__ import annotations

import re

from pipelines.contracts.lawful import sharing_rules
from pipelines.contracts.load import Catalog

from .conftest import DBT

# What tells of records that are held back, and the gate itself.
_ABOVE_THE_GATE = {"int_shared_record", "withheld_record"}


def test_no_model_reads_such_records_around_the_gate(catalog: Catalog) -> None:
    held_back = {rule.contract for rule in sharing_rules(catalog.sources, catalog.policy.lawful_use)}
    assert {"bureau.credit_report", "ecommerce.order", "tax.filing"} <= held_back
    found = {}
    for path in [*(DBT / "models").rglob("*.sql"), *(DBT / "macros").rglob("*.sql")]:
        text = path.read_text(encoding="utf-8")
        around = re.search(r"ref\('int_record_party'\)", text) and path.stem not in _ABOVE_THE_GATE
        named = set(re.findall(r"contract = '([a-z_.]+)'", text)) & held_back
        if around and named:
            found[path.stem] = named
    assert found == {}
