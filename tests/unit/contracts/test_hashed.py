"""What a feed says of columns that are delivered hashed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.contracts.model import ContractError

if TYPE_CHECKING:
    from conftest import Folder

FEED = "feeds/simbank/taobu/ecommerce.order.yaml"


def hashing(folder: Folder) -> dict[str, dict[str, str]]:
    catalog = folder.load()
    return {
        f"{feed.source} {feed.contract}": found
        for feed in catalog.feeds("simbank")
        if (found := feed.hashing(catalog.contract(feed.contract)))
    }


def test_a_hash_is_plain_unless_the_feed_says_otherwise(folder: Folder) -> None:
    plain = {"taobu ecommerce.order": {"buyer_phone_hash": "sha256"}}
    assert hashing(folder) == plain  # the other shop maps the column to null: it delivers none
    folder.edit(FEED, "hashed: {buyer_phone_hash: sha256}", "hashed: {}")
    assert hashing(folder) == plain
    folder.edit(FEED, "hashed: {}", "hashed: {buyer_phone_hash: partner_key}")
    assert hashing(folder) == {"taobu ecommerce.order": {"buyer_phone_hash": "partner_key"}}


def test_another_way_of_hashing_is_not_known(folder: Folder) -> None:
    folder.edit(FEED, "buyer_phone_hash: sha256", "buyer_phone_hash: md5")
    with pytest.raises(ContractError, match="hashed"):
        folder.load()
