"""Identity records made up for tests of matching: only what is stated is there, the rest is empty.

Belongs here: builders of frames and of identifiers that are right. Does not belong here: what must hold.
"""

from __future__ import annotations

import hashlib
from datetime import date

import duckdb
import polars as pl

from pipelines.identity.golden import GOLDEN
from pipelines.identity.match import Matches, match
from pipelines.identity.model import MatchModel, read_model
from pipelines.identity.neighbourhood import everything
from pipelines.identity.run import model_path, thresholds
from pipelines.identity.standardise import standardise
from pipelines.settings import PROJECT

DAY = date(2030, 1, 1)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: What `standardise` reads beside who a record is.
RAW = {
    **dict.fromkeys(
        ("name", "alias", "head", "national_id", "uscc", "phone", "phone_before", "phone_hash", "email", "device",
         "address", "gender", "refers_to", "acts_for"),
        pl.String,
    ),
    "national_id_valid": pl.Boolean, "uscc_valid": pl.Boolean, "birth_month": pl.Date,
}  # fmt: skip


def ref(name: str) -> str:
    """A record reference; the order of references is not that of names."""
    return hashlib.sha256(name.encode()).hexdigest()


def resident(number: int, born: str = "19800101") -> str:
    """A resident id that is right (GB 11643)."""
    digits = f"110101{born}{number:03d}"
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, digits, strict=True)) % 11]


def credit_code(number: int) -> str:
    """A unified social credit code that is right (GB 32100)."""
    text = f"91110101{number:09d}"
    return text + CODE[-sum(CODE.index(c) * pow(3, n, 31) for n, c in enumerate(text)) % 31]


def records(*given: dict) -> pl.DataFrame:
    """Golden records; each needs a `record_ref` by name, and has what it states after `standardise`."""
    rows = []
    for one in given:
        name = one["record_ref"]
        kind = one.get("entity_kind", "person")
        valid = {
            f"{number}_valid": one.get(f"{number}_valid", True) for number in ("national_id", "uscc") if number in one
        }
        rows.append({
            "contract": "crm.customer", "source": "crm", "role": "customer", "key": name, "key_kind": None,
            "first_seen": DAY, "is_account": False, **dict.fromkeys(RAW), **one, **valid, "record_ref": ref(name),
            "entity_kind": kind,
        })  # fmt: skip
    who = {name: kind for name, kind in GOLDEN.items() if name not in RAW}
    extra = {name: pl.String for one in rows for name in one if name not in {**who, **RAW}}
    raw = pl.DataFrame(rows, schema={**{n: who[n] for n in _WHO}, **RAW, **extra}, orient="row")
    made = pl.concat([raw.select(*_WHO), standardise(raw)], how="horizontal")
    return made.with_columns(raw.select(*extra)) if extra else made


_WHO = ("record_ref", "contract", "source", "role", "key", "key_kind", "entity_kind", "first_seen", "is_account")


def models() -> dict[str, MatchModel]:
    """The models of the project."""
    return {kind: read_model(model_path(PROJECT / "data_contracts", kind))[0] for kind in ("person", "organisation")}


def matched(catalog, known: pl.DataFrame, *, new=None, party: dict[str, str] | None = None) -> Matches:
    """What `match` finds; `new` names the records that are new, default all; `party` that of each old one."""
    refs = known["record_ref"].to_list() if new is None else [ref(name) for name in new]
    of = {ref(name): label for name, label in (party or {}).items()}
    frame = known.with_columns(
        is_new=pl.col("record_ref").is_in(refs),
        party_id=pl.col("record_ref").replace_strict(of, default=None, return_dtype=pl.String),
    )
    with duckdb.connect(config={"threads": 1}) as con:
        return match(con, everything(frame, models()), models(), thresholds(catalog))


def named(edges: pl.DataFrame, *names: str) -> set[tuple[str, str, str]]:
    """Edges by names, in the order of the alphabet, and the rule."""
    by_ref = {ref(name): name for name in names}
    return {
        (*sorted((by_ref[left], by_ref[right])), rule)
        for left, right, rule in edges.select("left_ref", "right_ref", "rule").iter_rows()
    }
