"""Whom a question is about: a release of a date, and a party by its internal id or by a pseudonym.

Belongs here: finding what somebody names. Does not belong here: any answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from pipelines.audit.content import PROOF
from pipelines.release import catalogue
from pipelines.release.catalogue import Release
from pipelines.release.pointer import place_of
from pipelines.release.refused import Refused
from pipelines.settings import Home, InputError
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

Ring = Callable[[], KeyRing]  # the keys are asked for only where a pseudonym must be made


def release_of(home: Home, day: date | None) -> Release:
    """The last release of a business date; the current one without a date. Raises InputError where there is none."""
    if day is None:
        return catalogue.find(home, None)
    found = [release for release in catalogue.list_releases(home) if release.business_date == day]
    if not found:
        known = sorted({release.business_date for release in catalogue.list_releases(home)})
        within = f"releases are of {known[0]} to {known[-1]}" if known else "nothing is published yet"
        raise InputError(f"there is no release of {day}: {within}")
    return max(found, key=lambda release: (place_of(release.path), release.id))


def proof_of(release: Release, consumer: str, party: str, ring: Ring) -> dict[str, object]:
    """The proof of a party in a release, by its internal id or the consumer's pseudonym, or how either begins.

    Raises InputError where the release knows no such party, Refused where it has no proofs.
    """
    path = release.path / PROOF / f"{consumer}.parquet"
    if not path.is_file():
        raise Refused(f"{release.id} has no proofs ({path.name}): it was published before there were any")
    proofs = pl.scan_parquet(path)
    begins = pl.col("pseudonym").str.starts_with(party)
    found = proofs.filter(begins).head(2).collect() if party else pl.DataFrame()
    if not found.height:
        ids = _ids_of(release, party)
        names = ids.select(hmac_sha256(pl.col("party_id"), ring().pseudonym_key(consumer)).alias("pseudonym"))
        found = proofs.join(names.lazy(), on="pseudonym", how="semi").head(2).collect()
    if found.height > 1:
        raise InputError(f"several parties begin with '{party}': give more of it")
    if not found.height:
        raise InputError(
            f"{release.id} knows no party '{party}': give its internal id, or the pseudonym that {consumer} sees"
        )
    return found.row(0, named=True)


def party_id_of(home: Home, party: str, ring: Ring) -> str:
    """The internal id of a party, by that id or a pseudonym of any consumer. Raises InputError where there is none."""
    ids = _ids(home)
    found = ids.filter(pl.col("party_id").str.starts_with(party)) if party else ids.clear()
    for consumer in catalogue.CONSUMERS if party and not found.height else ():
        pseudonym = hmac_sha256(pl.col("party_id"), ring().pseudonym_key(consumer))
        found = found.vstack(ids.filter(pseudonym.str.starts_with(party)))
    if found.height != 1:
        raise InputError(
            f"several parties begin with '{party}': give more of it"
            if found.height
            else f"no party '{party}' is known: give its internal id, or the pseudonym that a consumer sees"
        )
    return str(found["party_id"][0])


def pseudonym(party_id: str, consumer: str, ring: Ring) -> str:
    """What a consumer knows a party by."""
    key = ring().pseudonym_key(consumer)
    return str(pl.select(hmac_sha256(pl.lit(party_id), key)).item())


def _ids_of(release: Release, party: str) -> pl.DataFrame:
    """Internal ids that a text may mean: itself where it is whole, or those that begin with it."""
    if len(party) == 64:
        return pl.DataFrame({"party_id": [party]})
    ids = _ids(Home(release.path.parent.parent))
    return ids.filter(pl.col("party_id").str.starts_with(party)) if party else ids.clear()


def _ids(home: Home) -> pl.DataFrame:
    path = home.identity / "party.parquet"
    return (
        pl.read_parquet(path, columns=["party_id"]).unique()
        if path.is_file()
        else pl.DataFrame({"party_id": []}, {"party_id": pl.String})
    )
