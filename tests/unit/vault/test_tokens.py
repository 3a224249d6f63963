"""Tokens: the HMAC of a normalised identifier, the same for one person however the number is written."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.model import IDENTIFIERS
from pipelines.vault.keys import KeyRing
from pipelines.vault.normal import kinds
from pipelines.vault.tokens import hmac_sha256, tokenise, with_tokens

RING = KeyRing(bytes(range(32)))


def tokens(kind: str, *texts: str | None) -> list[str | None]:
    frame = pl.DataFrame({"_line": range(len(texts)), "it": pl.Series(texts, dtype=pl.String)})
    made = tokenise(frame, {"it": kind}, RING).rows
    assert made.columns == ["_line", "it_token", "it_row_hash"]
    return made["it_token"].to_list()


def token(kind: str, text: str) -> str:
    return hmac.new(RING.token_key(kind).encode(), text.encode(), hashlib.sha256).hexdigest()


def test_every_kind_of_the_contracts_can_be_tokenised():
    assert set(kinds()) == set(IDENTIFIERS)


@given(texts=st.lists(st.one_of(st.text(), st.none()), max_size=20), key=st.text(min_size=1, max_size=80))
def test_it_is_the_hmac_that_python_computes(texts, key):
    made = (
        pl.DataFrame({"it": pl.Series(texts, dtype=pl.String)}).select(hmac_sha256(pl.col("it"), key))["it"].to_list()
    )
    expected = [None if t is None else hmac.new(key.encode(), t.encode(), hashlib.sha256).hexdigest() for t in texts]
    assert made == expected


@pytest.mark.parametrize(
    "kind, plain, others",
    [
        ("name", "陈伟", [" 陈  伟 ", "陈\u3000伟", "陈\t伟", "陈 伟"]),
        ("name", "欧阳建国", ["欧 阳 建 国", "欧阳\u3000建国", "欧阳建 国"]),
        ("name", "阿凡提·买买提", ["阿凡提•买买提", "阿凡提 · 买买提", "阿凡提・买买提"]),
        ("name", "明远商贸(九八)有限公司", ["明远商贸（九八）有限公司"]),
        ("name", "ZOË O'NEIL", ["Zoe\u0308 O'Neil", "Zoë\u00a0O'Neil", "ＺoëO'Neil".replace("ë", "ë "), "zoë o'neil"]),
        ("national_id", "33990119900101123X", ["33990119900101123x", "339901 19900101 123X", "339901-19900101-123X"]),
        ("national_id", "33990119900101123X", ["３３９９０１19900101123Ｘ"]),
        ("phone", "13900001999", ["+86 13900001999", "+8613900001999", "0086 139-0000-1999", "139 0000 1999"]),
        ("phone", "13900001999", ["１３９00001999", "＋86 13900001999", "86-13900001999", "013900001999"]),
        ("phone", "0420123456", ["(0420) 123456", "0420/123456"]),
        ("bank_account", "6299001234567890123", ["6299 0012 3456 7890 123", "6299-0012-3456-7890-123"]),
        ("bank_account", "GB29NWBK60161331926819", ["gb29 nwbk 6016 1331 9268 19"]),
        ("uscc", "91330106MA2XYZ1234", ["91330106ma2xyz1234", "9133 0106 MA2X YZ12 34", "９1330106-MA2XYZ1234"]),
        ("address", "1 High St, Town", [" 1  High St,\tTown ", "1\u3000High\u00a0St, Town", "１ High St, Town"]),
        ("email", "ann@bank.example", [" Ann@Bank.Example ", "ANN@BANK.EXAMPLE\n", "ann＠bank.example"]),
        ("device", "3f2a-77", [" 3F2A-77", "3f2A-77\t"]),
        ("phone_hash", "9b74c9897bac770f", ["9B74C9897BAC770F", " 9b74c9897bac770f "]),
    ],
)  # fmt: skip
def test_one_identifier_is_one_token_however_it_is_written(kind, plain, others):
    assert tokens(kind, plain, *others) == [token(kind, plain)] * (1 + len(others))


def test_what_is_different_stays_different():
    for kind, one, other in (
        ("name", "陈伟", "伟陈"), ("name", "Ann B", "AnnB"), ("name", "陈伟", "陈伟 A"),
        ("phone", "8602155500199", "02155500199"),
        ("national_id", "1", "11"), ("bank_account", "0012", "12"), ("address", "1 A", "1A"), ("address", "a", "A"),
        ("email", "a-b@c.example", "ab@c.example"), ("device", "a-b", "ab"), ("phone_hash", "0a", "a"),
    ):  # fmt: skip
        assert len(set(tokens(kind, one, other))) == 2
    assert token("phone", "1") != token("bank_account", "1") and tokens("phone", "1") != tokens("bank_account", "1")


@pytest.mark.parametrize("kind", kinds())
def test_nothing_gives_no_token(kind):
    assert tokens(kind, None, "", "  ", "\u3000") == [None] * 4


def test_the_others_columns_stay_where_they_were():
    frame = pl.DataFrame({"a": [1], "phone": ["1"], "b": ["x"]})
    made = tokenise(frame, {"phone": "phone"}, RING).rows
    assert made.columns == ["a", "phone_token", "phone_row_hash", "b"]
    assert made.drop("phone_row_hash").row(0) == (1, token("phone", "1"), "x")
    assert tokenise(frame, {}, RING).rows.equals(frame)


CELLS = st.one_of(
    st.none(), st.sampled_from(["", " ", "陈 伟", "陈伟", "Ann", "ann", "+86 13900001999", "13900001999"]), st.text()
)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12))
def test_the_values_of_a_frame_explain_each_of_its_tokens(rows):
    names, kinds_ = ("one", "two", "phone"), {"one": "name", "two": "name", "phone": "phone"}
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").with_row_index("_line")
    made = tokenise(frame, kinds_, RING)
    explained = with_tokens(made.values, RING)
    assert made.values.is_unique().all() and made.cells.columns == ["_line", *names]
    for name in names:
        for line, text in enumerate(frame[name]):
            place, found = made.cells[name][line], made.rows[f"{name}_token"][line]
            assert (place is None) == (found is None)
            if place is not None:
                row = explained.row(place, named=True)
                assert row["kind"] == kinds_[name] and found == row["token"] == token(row["kind"], row["value"])
                assert text == (row["value"] if row["raw"] is None else row["raw"]) and row["raw"] != row["value"]


@given(texts=st.lists(st.text(min_size=1), min_size=1, max_size=30), kind=st.sampled_from(kinds()))
def test_rotation_is_a_bijection_on_the_tokens_of_a_kind(texts, kind):
    frame = pl.DataFrame({"it": pl.Series(texts, dtype=pl.String)})
    ring = KeyRing(bytes(32), (bytes(range(32)),))
    old, new = (tokenise(frame, {"it": kind}, ring.at(version)).rows for version in (1, 2))
    pairs = {(one, other) for one, other in zip(old["it_token"], new["it_token"], strict=True) if one or other}
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    assert not {one for one, _ in pairs} & {other for _, other in pairs}
    assert old["it_row_hash"].equals(new["it_row_hash"])


def test_nothing_that_holds_raw_values_shows_them():
    made = tokenise(pl.DataFrame({"it": ["Ann Example"]}), {"it": "name"}, RING)
    assert "ann" not in repr(made).lower() + str(made).lower()
