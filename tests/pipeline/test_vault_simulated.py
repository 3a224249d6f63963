"""The vault of the simulated bank: partners hold identifiers in other forms, and one of them hashes phones."""

from __future__ import annotations

import polars as pl
import pytest
from homes import copied, published_bytes
from simulated import NIGHT
from test_vault import ASKED, SECOND

from pipelines.history.store import statements
from pipelines.release.catalogue import current
from pipelines.settings import Home
from pipelines.vault import store
from pipelines.vault.keys import KeyRing

pytestmark = pytest.mark.slow


def test_a_party_is_told_of_by_app_and_shop_too(zhongtai, simbank, vault_key, tmp_path):
    home = copied(simbank.home, tmp_path / "home")
    crosswalk = pl.read_parquet(home / "identity" / "party_crosswalk.parquet")
    known = store.values(Home(home), KeyRing(bytes.fromhex(vault_key)))
    for contract, key, stated in (
        ("channel.app_event", "app_user_key", ["phone_token", "device_id_token"]),
        ("ecommerce.order", "buyer_key", ["buyer_name_token", "buyer_phone_token", "delivery_address_token"]),
    ):
        record = crosswalk.filter(pl.col("contract") == contract).sort("record_ref").row(0, named=True)
        landed = pl.read_parquet(home / "lake" / contract / f"source={record['source']}" / "*" / "part.parquet")
        rows = landed.filter(pl.col(key) == record["record_key"])
        wanted = {token for name in stated for token in rows[name].drop_nulls()}
        shown = zhongtai("vault", "reveal", "--party", record["party_id"], *ASKED, "--json", home=home)
        assert shown.code == 0, shown.err
        values = {each["token"]: each["value"] for each in shown.json["revealed"]}
        assert wanted and wanted <= values.keys(), contract
        assert {token: values[token] for token in wanted} == dict(
            known.filter(pl.col("token").is_in(list(wanted))).select("token", "value").iter_rows()
        )


def test_after_a_rotation_the_night_of_the_simulated_bank_is_the_same(zhongtai, simbank, vault_key, tmp_path):
    home, keys = copied(simbank.before, tmp_path / "home"), f"{vault_key},{SECOND}"
    flagged = zhongtai("vault", "status", "--json", home=home).json["enumerable"]
    assert flagged == [{"source": "taobu", "contract": "ecommerce.order", "column": "buyer_phone_hash"}]
    assert zhongtai("vault", "rotate", home=home, ZHONGTAI_VAULT_KEY=keys).code == 0
    environment = {"ZHONGTAI_VAULT_KEY": keys, "ZHONGTAI_DELIVERIES": str(simbank.deliveries)}
    night = zhongtai("nightly", "--date", f"{NIGHT}", "--json", home=home, **environment)
    assert night.code == 0, night.err
    assert published_bytes(home) == published_bytes(simbank.home)
    one, other = current(Home(home)), current(Home(simbank.home))
    assert one is not None and other is not None and one.content_hash == other.content_hash
    assert night.json["rows"] == simbank.runs["last"]["rows"]
    assert [*statements(Home(home))[-1].stated] == [NIGHT], "a rotation restates no date before the next night"
