"""Names of people and organisations as matching compares them: by character, by sound, and without what all have.

What belongs here: what is done to the text of a name. What does not: which names are the same (`model`).
A name is compared by its sound because clerks type by sound, because traditional characters sound like the simplified
ones, and because a passport has nothing else. Sounds are Hanyu Pinyin without tones.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import polars as pl

HAN = r"\p{Han}"
_TITLE = r"^(\p{Han}{1,2})(先生|女士|小姐|太太|老师|师傅)$"
# Characters that are read otherwise as a surname than in a word.
_SURNAMES = {
    "单": "shan", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "曾": "zeng", "翟": "zhai", "卜": "bu",
    "盖": "ge", "尉": "yu", "逄": "pang", "乐": "yue", "员": "yun", "繁": "po", "折": "she", "种": "chong",
    "朴": "piao", "纪": "ji", "长": "chang", "任": "ren", "华": "hua", "宁": "ning", "万": "wan", "覃": "qin",
    "冼": "xian", "缪": "miao",
}  # fmt: skip
# A place before, and a legal form behind, say little of an organisation's name.
_PLACE = r"^(?:\p{Han}{2,3}[省市])?(?:\p{Han}{2,3}[市区县])?"
_FORM = r"(?:集团)?(?:股份)?(?:有限)?(?:责任)?公司$"


def with_person_names(frame: pl.DataFrame) -> pl.DataFrame:
    """Add to column `name` (normal form): `sound`, and `turned`, its sound with the last character first.

    `sound` is null where `name` is, `turned` also where the name has no Chinese characters.
    """
    distinct = frame.select(pl.col("name").drop_nulls().unique().sort())
    chinese = pl.col("name").str.contains(HAN)
    characters = sorted(set("".join(distinct["name"])))
    sounds = {one: _sound(one) for one in characters}
    written, heard = (pl.Series(part, dtype=pl.String).implode() for part in (list(sounds), list(sounds.values())))
    first = pl.col("name").str.slice(0, 1).replace_strict({**sounds, **_SURNAMES}, default="", return_dtype=pl.String)
    turned = pl.concat_str(pl.col("name").str.slice(-1, 1), pl.col("name").str.head(-1))
    known = distinct.with_columns(
        sound=pl.when(chinese)
        .then(pl.concat_str(first, pl.col("name").str.slice(1).str.replace_many(written, heard)))
        .otherwise(pl.col("name").str.to_lowercase().str.replace_all(r"[^\p{L}]", "")),
        turned=pl.when(chinese).then(turned.str.replace_many(written, heard)),
    )
    return frame.join(known, on="name", how="left", maintain_order="left")


def surname_of_title(alias: pl.Expr) -> pl.Expr:
    """The surname of `王女士` and the like; null for anything else."""
    return alias.str.extract(_TITLE, 1)


def kernel(name: pl.Expr) -> pl.Expr:
    """An organisation's name without the place before and the legal form behind; null where nothing is left."""
    left = name.str.replace(_PLACE, "").str.replace(_FORM, "")
    return pl.when(left != "").then(left)


@cache
def _readings() -> dict[int, str]:
    from pypinyin.pinyin_dict import pinyin_dict  # a table of 40,000 entries, wanted only where names are new

    return pinyin_dict


def _sound(character: str) -> str:
    reading = _readings().get(ord(character))
    if reading is None:
        return character.lower()
    plain = unicodedata.normalize("NFD", reading.split(",")[0]).replace("u\u0308", "v")
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
