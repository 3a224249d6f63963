"""How parties stand today: what may still be used of whom, for a release that brings earlier rows back.

The word on each party is that of the last night that was published. What it says is taken as it is; who is not in it is
known no more. Nobody who spoke of consent since is used at all, whatever was said, until a night has decided on it; nor
are parties between whom records went since: what was said of one may be of another person.
Belongs here: finding out. Does not belong here: leaving rows out (`restored`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.usage import BY_RECORD
from pipelines.contracts.load import Catalog
from pipelines.identity import state
from pipelines.identity.events import MERGE
from pipelines.ingest import lake
from pipelines.release import provenance
from pipelines.release.catalogue import CONSUMERS, Release, check_release
from pipelines.release.refused import Refused
from pipelines.release.superseding import of_nights
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

CONSENT, CUSTOMER, STATE = "consent.event", "core.party", "risk/consent_state.parquet"
_OF_CLASS = {"bureau_query": "bureau", "sensitive_processing": "medical"}  # what else `data_sharing` is about is said


@dataclass(frozen=True)
class Standing:
    """`proofs` of each consumer are the last word on its parties, without those whom no night has judged as they are:
    `spoke_since` parties who spoke of consent since, and `parted_since` between whom records went.

    `taken_back` are classes of data whose sharing parties took back after a date, by the pseudonym of each consumer.
    """

    decided_by: Release
    rules: dict[str, Any]
    proofs: dict[str, pl.DataFrame]
    taken_back: dict[str, pl.DataFrame]
    spoke_since: int
    parted_since: int


def deciding(catalog: Catalog, home: Home) -> Release:
    """The release whose word on parties counts: of the last night that was published.

    Raises Refused where there is none, where it is not what was published, and where the home holds who is who of an
    earlier date: consents and records that went since are told of parties of the release's date.
    """
    told = [release for release in of_nights(home) if (release.path / PROOF / RULES).is_file()]
    if not told:
        raise Refused(f"no release in {home.path} has proofs: run `zhongtai nightly` instead")
    last = told[-1]
    check_release(last, catalog)
    known = max(state.dates(home), default=None)
    if known is None or known < last.business_date:
        raise Refused(
            f"{last.id} decides on parties of {last.business_date}, and who is who in this home is of "
            f"{known or 'no night'}: an earlier night was run again, or a run was killed. "
            f"Run `zhongtai nightly --date {last.business_date}` first, then this again"
        )
    return last


def standing(home: Home, ring: KeyRing, last: Release, since: date) -> Standing:
    """How parties stand by the word of `last` (`deciding`), and what they took back after `since`.

    Raises Refused where the release does not say it.
    """
    ids = pl.read_parquet(home.identity / "party.parquet", columns=["party_id"]).unique()
    names = {name: ids.with_columns(hmac_sha256(pl.col("party_id"), ring.pseudonym_key(name)).alias("pseudonym"))
             for name in CONSUMERS}  # fmt: skip
    spoke, parted = _spoke_since(home, last), _parted_since(home, last, since)
    unknown = pl.concat([spoke, parted]).unique()
    taken = _taken_back(last, since).join(names["risk"], on="pseudonym").drop("pseudonym")
    proofs = {}
    for name in CONSUMERS:
        proof = pl.read_parquet(last.path / PROOF / f"{name}.parquet")
        # Of whom there is no id any more nobody can tell what was said of them since.
        heard = names[name].join(unknown, on="party_id", how="anti")
        proofs[name] = proof.join(heard, on="pseudonym", how="semi", maintain_order="left")
    return Standing(
        last, json.loads((last.path / PROOF / RULES).read_bytes()), proofs,
        {name: taken.join(names[name], on="party_id").select("pseudonym", "data_class").unique() for name in CONSUMERS},
        spoke.height, parted.height,
    )  # fmt: skip


def _taken_back(last: Release, since: date) -> pl.DataFrame:
    """Which classes of data parties no longer let be shared, of what they said after a date; by risk's pseudonym."""
    path = last.path / STATE
    if not path.is_file():
        raise Refused(f"{last.id} does not say who took which consent back ({STATE}): run `zhongtai nightly` instead")
    said = pl.read_parquet(path).filter(
        pl.col("known_to").is_null()
        & pl.col("valid_to").is_null()
        & ~pl.col("is_given")
        & (pl.max_horizontal("valid_from", "known_from") > since)
    )
    about = pl.col("purpose").replace_strict(_OF_CLASS, default=pl.col("data_class"), return_dtype=pl.String)
    every = pl.lit(";".join(BY_RECORD))
    classes = pl.coalesce(about, every).str.split(";").alias("data_class")
    return said.select("pseudonym", classes).explode("data_class").unique()


def _spoke_since(home: Home, last: Release) -> pl.DataFrame:
    """Parties of whom the lake holds words on consent that the release could not know: `party_id`."""
    days = sorted(set(_unheard_days(home, last)))
    if not days:
        return pl.DataFrame(schema={"party_id": pl.String})
    with closing(duckdb.connect()) as con:
        keys = con.execute(f"select distinct party_key from {lake.scan(home, CONSENT, days)}").pl()
    crosswalk = pl.read_parquet(home.identity / "party_crosswalk.parquet").filter(pl.col("contract") == CUSTOMER)
    return crosswalk.join(keys, left_on="record_key", right_on="party_key", how="semi").select("party_id").unique()


def _parted_since(home: Home, last: Release, since: date) -> pl.DataFrame:
    """Parties that gave records to one another after a date: `party_id`.

    Where one ended with that, and a night that was published judged the other with all its records, nobody parted.
    """
    day = pl.col("business_date")
    judged = (pl.col("kind") == MERGE) & (day <= last.business_date)
    went = state.events(home).filter((day > since) & ~judged)
    sides = [went.select(pl.col(name).alias("party_id")) for name in ("party_id", "other_party_id")]
    return pl.concat(sides).drop_nulls().unique()


def _unheard_days(home: Home, last: Release) -> Iterable[date]:
    """Dates of consents that were landed from other files than the release names, or after it."""
    heard = {_file(entry): entry["last"] for entry in last.manifest["deliveries"]}
    for entry in provenance.deliveries(home, date.max):
        if entry["contract"] == CONSENT:
            first, end = (date.fromisoformat(entry[name]) for name in ("first", "last"))
            known = heard.get(_file(entry))
            begin = first if known is None else date.fromisoformat(known) + timedelta(days=1)
            yield from (begin + timedelta(days=n) for n in range((end - begin).days + 1))


def _file(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(entry[name] for name in ("contract", "source", "delivery", "sha256"))
