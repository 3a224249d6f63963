"""The vault store, what is read from it, hashed phones, and the log of who was shown what."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import stat
from datetime import date

import polars as pl
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.settings import Home, InputError
from pipelines.vault import access, reveal, store
from pipelines.vault.hashed import resolve_hashed
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import VALUES, tokenise

RING = KeyRing(bytes(range(32)), (bytes(32),))
MONDAY, TUESDAY = date(2030, 1, 7), date(2030, 1, 8)
WHO = reveal.Inquiry("Ann", "risk_management", "a complaint")
TEXTS = st.sampled_from(["陈伟", "陈 伟", "Ann Example", "ann example", "13900001999", "+86 13900001999", ""])
ROWS = st.lists(st.tuples(TEXTS, TEXTS), max_size=6)


def made(rows) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"name": pl.String, "phone": pl.String}, orient="row")
    return tokenise(frame, {"name": "name", "phone": "phone"}, RING).values


def kept(home: Home, rows, day=MONDAY, contract="core.party") -> pl.DataFrame:
    values = made(rows)
    store.keep(store.path_of(home, contract, "core", day), values, RING)
    return values


@settings(suppress_health_check=list(HealthCheck), max_examples=40)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_values_come_back_and_their_order_does_not_matter(tmp_path, rows, seed):
    home = Home(tmp_path)
    values = kept(home, rows)
    path = store.path_of(home, "core.party", "core", MONDAY)
    content = path.read_bytes()
    assert set(store.as_delivered(path, RING).rows()) == set(values.rows())
    shuffled = pl.concat([values, values]).sample(fraction=1, shuffle=True, seed=seed)
    store.keep(path, shuffled, RING.at(2))
    assert path.read_bytes() == content and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [text for text in values["value"] if text.encode() in content]


@settings(suppress_health_check=list(HealthCheck), max_examples=30)
@given(days=st.lists(ROWS, min_size=1, max_size=4))
@pytest.mark.parametrize("version", [1, 2])
def test_what_is_read_is_distinct_and_has_the_tokens_of_the_version(tmp_path_factory, version, days):
    home, ring = Home(tmp_path_factory.mktemp("home")), RING.at(version)
    dates = [date(2030, 1, 7 + number) for number in range(len(days))]
    all_values = [kept(home, rows, day) for rows, day in zip(days, dates, strict=True)]
    read = store.values(home, ring)
    assert read.columns == ["kind", "token", "value", "valid"]
    assert set(read.select("kind", "value").rows()) == {row[:2] for each in all_values for row in each.rows()}
    assert read.select("kind", "value").is_unique().all()
    for kind, token, value, _ in read.rows():
        assert token == hmac.new(ring.token_key(kind).encode(), value.encode(), hashlib.sha256).hexdigest()
    last = store.read_values(home, ring, "core.party", "core", dates[-1])
    assert set(last["value"]) == set(all_values[-1]["value"])
    assert store.values(home, ring, days=dates[-1:]).equals(last)
    assert set(store.values(home, ring, kinds=["phone"])["kind"]) <= {"phone"}
    assert store.values(home, ring, contracts=["core.account"]).is_empty()
    assert set(store.delivered_values(home, ring).rows()) == {row for each in all_values for row in each.rows()}


def test_nothing_is_known_of_a_home_without_values(tmp_path):
    home = Home(tmp_path)
    for empty in (store.values(home, RING), store.read_values(home, RING, "core.party", "core", MONDAY)):
        assert empty.is_empty() and empty.schema == {"kind": pl.String, "token": pl.String, "value": pl.String,
                                                     "valid": pl.Boolean}  # fmt: skip
    assert store.delivered_values(home, RING).schema == VALUES


def test_a_file_opens_at_its_place_and_with_its_key_alone(tmp_path):
    home = Home(tmp_path)
    kept(home, [("Ann Example", "")])
    path = store.path_of(home, "core.party", "core", MONDAY)
    with pytest.raises(InvalidTag):
        store.as_delivered(path, KeyRing(bytes(32)))
    for place in (("core.party", "core", TUESDAY), ("core.party", "crm", MONDAY), ("crm.customer", "core", MONDAY)):
        moved = store.path_of(home, *place)
        moved.parent.mkdir(parents=True)
        shutil.copy(path, moved)
        with pytest.raises(InvalidTag) as caught:
            store.read_values(home, RING, *place)
        assert "Ann" not in str(caught.value)
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidTag):
        store.as_delivered(path, RING)


@pytest.mark.parametrize("how", ["sha256", "partner_key"])
def test_hashed_phones_are_resolved(how):
    phones = pl.Series(["13900001999", "13900001998", None, "13900001999"])
    found = resolve_hashed(phones, how, RING, "taobu")
    assert found["phone"].to_list() == ["13900001998", "13900001999"]
    for row in found.iter_rows(named=True):
        text, key = row["phone"].encode(), RING.partner_key("taobu").encode()
        by_partner = (
            hashlib.sha256(text).hexdigest() if how == "sha256" else hmac.new(key, text, hashlib.sha256).hexdigest()
        )
        assert row["phone_hash"] == by_partner
        # As the vault has it that was handed over: a hash is normalised before it is kept.
        values = tokenise(pl.DataFrame({"phone_hash": [by_partner.upper()]}), {"phone_hash": "phone_hash"}, RING).values
        assert values["value"].to_list() == [row["phone_hash"]]
    assert resolve_hashed(phones.clear(), how, RING, "taobu").is_empty()


def test_with_a_partner_key_only_that_partner_gives_the_hash():
    phones = pl.Series(["13900001999"])
    hashes = {
        resolve_hashed(phones, how, RING, partner)["phone_hash"][0]
        for how in ("sha256", "partner_key") for partner in ("taobu", "pinhao")
    }  # fmt: skip
    assert len(hashes) == 3  # plain is the same for both, and for everybody


def test_a_token_of_any_version_is_revealed_once_it_is_logged(tmp_path, monkeypatch):
    home = Home(tmp_path)
    kept(home, [("陈 伟", "+86 13900001999"), ("陈伟", "13900001999")])
    tokens = [store.values(home, RING.at(version), kinds=["name"])["token"][0] for version in (1, 2)]
    shown = reveal.reveal(home, RING, WHO, [*tokens, "0" * 64])
    assert [(each.kind, each.value, each.delivered) for each in shown] == [
        ("name", "陈伟", ("陈 伟",)), ("name", "陈伟", ("陈 伟",)), (None, None, ()),
    ]  # fmt: skip
    assert "陈" not in repr(shown)
    log = access.read(home.vault)
    assert [(entry["token"], entry["found"]) for entry in log] == [*((t, True) for t in tokens), ("0" * 64, False)]
    assert {(e["operator"], e["purpose"], e["reason"]) for e in log} == {("Ann", "risk_management", "a complaint")}
    assert reveal.reveal(home, RING, WHO, tokens[:1], kind="phone")[0].kind is None

    def refuse(*_):
        raise OSError("full")

    monkeypatch.setattr(access, "record", refuse)
    with pytest.raises(OSError, match="full"):
        reveal.reveal(home, RING, WHO, tokens)


def test_an_inquiry_says_who_and_what_for():
    for inquiry, said in (
        (("", "marketing", "x"), "--operator"), (("Ann", "", "x"), "--purpose"), (("Ann", "fun", "x"), "use marketing"),
        (("Ann", "marketing", "  "), "--reason"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            reveal.Inquiry(*inquiry)


def test_the_log_only_grows(tmp_path):
    vault = tmp_path / "vault"
    assert access.read(vault) == []
    content = b""
    for number in range(3):
        access.record(vault, [{"action": "reveal", "reason": f"one\nline \u2028 {number}"}])
        grown = access.log_path(vault).read_bytes()
        assert grown.startswith(content) and grown.count(b"\n") == number + 1
        content = grown
    assert [entry["reason"] for entry in access.read(vault)] == [f"one\nline \u2028 {n}" for n in range(3)]
    assert all(json.loads(line)["at"].endswith("+00:00") for line in content.decode().split("\n")[:-1])
    assert stat.S_IMODE(access.log_path(vault).stat().st_mode) == 0o600 and stat.S_IMODE(vault.stat().st_mode) == 0o700
