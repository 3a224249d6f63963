"""What an example of a product must be, and the words its author gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Folder

PRODUCT = "products/marketing/customer_segment.odcs.yaml"
WRONG = {
    "a table that is not there": (
        "join low_risk_list as", "join low_risk_lists as",
        ".1.sql: no table low_risk_lists for marketing, did you mean 'low_risk_list'; name one that is there",
    ),
    "a table of another consumer": (
        "join low_risk_list as", "join risk_grade as",
        ".1.sql: no table risk_grade for marketing; name one that is there",
    ),
    "an example of another product": (
        "from customer_segment as s", "from customer_360 as s",
        ".1.sql: does not read customer_segment; move it to the product that it is an example of",
    ),
    "no select": ('sql: "select s.', 'sql: "drop s.', "1.sql: String should match pattern"),
    "no title": ("        en: ", "        fr: ", "1.en: missing; every file of this kind states it"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(folder: Folder, case: str) -> None:
    old, new, said = WRONG[case]
    path = folder.edit(PRODUCT, old, new)
    refusal = folder.refusal()
    assert refusal.startswith(f"{path}: customProperties.examples")
    assert said in refusal


def test_main_products_have_examples(folder: Folder) -> None:
    with_examples = {product.id for product in folder.load().products.values() if product.examples}
    assert {"marketing.customer_360", "risk.expected_loss", "shared.policy_control"} <= with_examples
