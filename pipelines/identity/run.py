"""A night of the identity layer: from landed rows to the crosswalk.

What belongs here: the order of the steps, what of earlier nights still holds, and the tables that dbt reads. What does
not: each step. A night matches what is new with the golden set. Where a date was landed otherwise since, or the rules
have changed, everything is matched again; parties keep their ids all the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.contracts.feed import Feed, Hashing
from pipelines.contracts.load import Catalog
from pipelines.identity import assign, decisions, golden, state, tables
from pipelines.identity.attach import Weights
from pipelines.identity.evidence import STRENGTH, Limits
from pipelines.identity.match import Thresholds, match
from pipelines.identity.model import read_model
from pipelines.identity.neighbourhood import around, everything
from pipelines.identity.records import (
    COLUMNS,
    FOUNDING_CONTRACT,
    Window,
    founding_text,
    hashings,
    read_records,
)
from pipelines.identity.standardise import standardise
from pipelines.ingest import ledger
from pipelines.ingest.engine import open_engine
from pipelines.settings import Home, Settings
from pipelines.vault.hashed import resolve_hashed
from pipelines.vault.keys import KeyRing

_SECTION = "identity."
_MEMORY = "1GB"  # of the engine: pairs are many and small, frames of raw values lie beside it


@dataclass(frozen=True)
class Outcome:
    """What a night came to."""

    records: int
    parties: int
    changed: int
    events: int
    review: int
    unknown: tuple[str, ...]
    full: bool


def resolve(
    catalog: Catalog, settings: Settings, feeds: tuple[Feed, ...], ring: KeyRing, day: date, *, full: bool = False
) -> Outcome:
    """Bring the identity layer of a home to `day` and write what dbt reads of it.

    `full` matches every record with every other again, as after a new model; ids stay all the same.
    """
    home = settings.home
    models = {kind: read_model(model_path(catalog.root, kind)) for kind in ("person", "organisation")}
    rules = _rules(catalog, ring, {kind: sha256 for kind, (_, sha256) in models.items()})
    # Before the decisions are read: what is said in between is applied tonight, and told again tomorrow.
    decided, entries = decisions.fingerprint(home), decisions.read(decisions.path(home))
    prior, earlier = state.before(home, day), [one for one in state.dates(home) if one < day]
    last = max(earlier, default=None)
    before = state.made_from(home, last) if last else {}
    if stands := last is not None and before["landed"] == landed(catalog, home, last):
        full = full or before["rules"] != rules
    else:
        full = True
    known = golden.read(home, ring, earlier if stands else [])
    seen = standardised(catalog, home, ring, feeds, Window(last if stands else None, day), known)
    others = golden.passed_on(known, seen)
    changed = golden.merge(known, seen, others)
    del seen  # as large as the golden set in a full run
    by_kind = {kind: model for kind, (model, _) in models.items()}
    with open_engine(settings.model_copy(update={"memory_limit": _MEMORY})) as con:
        con.execute("set preserve_insertion_order = false")
        if full:
            every = golden.latest([known, changed]).with_columns(party_id=pl.lit(None, pl.String), is_new=pl.lit(True))
            together = everything(every, by_kind)
            del every
        else:
            party = prior.assignment.select("record_ref", "party_id")
            held = party.filter(~pl.col("record_ref").is_in(others.implode()))
            together = around(_with_party(known, party), _with_party(changed, held), by_kind)
        found = match(con, together, by_kind, thresholds(catalog))
    night = assign.assign(
        prior, _founding(together.records.filter("is_new")), found.edges, found.borderline,
        entries, Limits(int(catalog.policy.thresholds["identity.max_records"]), STRENGTH),
        day, ring.party_id_key(), full=full, passed_on=others,
    )  # fmt: skip
    del together
    state.forget(home, day)
    golden.write(home, ring, day, known, changed)
    state.finish(
        home, prior, night,
        landed=landed(catalog, home, day), rules=rules, decisions=decided,
    )  # fmt: skip
    tables.write(catalog, home, ring, (known, changed), night.assignment)
    return Outcome(
        night.assignment.height, night.assignment["party_id"].n_unique(), night.changed.height, night.events.height,
        night.review.height, night.unknown, full,
    )  # fmt: skip


def _policy(catalog: Catalog) -> dict[str, float]:
    return {name: value for name, value in catalog.policy.thresholds.items() if name.startswith(_SECTION)}


def model_path(contracts: Path, kind: str) -> Path:
    """Where the model for people or organisations lies."""
    return contracts / "identity" / f"{kind}.yaml"


def thresholds(catalog: Catalog) -> Thresholds:
    """What policy says of matching."""
    said = catalog.policy.thresholds
    weights = Weights(
        support=said["identity.support_weight"],
        dwelling=said["identity.dwelling_weight"],
        elsewhere=said["identity.elsewhere_weight"],
        surname=said["identity.surname_weight"],
        other_surname=said["identity.other_surname_weight"],
        margin=said["identity.attach_margin"],
        age=int(said["identity.min_account_age"]),
    )
    return Thresholds(said["identity.link_weight"], said["identity.review_weight"], weights)


def standardised(
    catalog: Catalog, home: Home, ring: KeyRing, feeds: tuple[Feed, ...], window: Window, known: pl.DataFrame
) -> pl.DataFrame:
    """The records seen in `window` as matching compares them; hashed phone numbers are resolved.

    A number is known where any record of the home states it; `known` are the records of before. Those of them are here
    too whose hash is of a number that was not known before.
    """
    raw, how = read_records(catalog, home, ring, window), hashings(catalog, feeds)
    seen = pl.concat([raw.select(*COLUMNS), standardise(raw)], how="horizontal")
    before, stated = (pl.concat([frame["phone"], frame["phone_before"]]) for frame in (known, seen))
    silent = known.filter(pl.col("phone").is_null() & pl.col("phone_hash").is_not_null())
    silent = silent.join(seen, on="record_ref", how="anti").select(seen.columns)
    told = _with_numbers(silent, how, stated, ring).filter(pl.col("phone").is_not_null())
    return pl.concat([_with_numbers(seen, how, pl.concat([before, stated]), ring), told])


def _with_numbers(
    seen: pl.DataFrame, how: dict[tuple[str, str], Hashing], numbers: pl.Series, ring: KeyRing
) -> pl.DataFrame:
    found = []
    for (contract, source), hashing in how.items():
        of = resolve_hashed(numbers, hashing, ring, source).select("phone_hash", resolved="phone")
        found.append(of.with_columns(contract=pl.lit(contract), source=pl.lit(source)))
    if not found:
        return seen
    joined = seen.join(pl.concat(found), on=["contract", "source", "phone_hash"], how="left", maintain_order="left")
    return joined.with_columns(phone=pl.coalesce("phone", "resolved")).drop("resolved")


def _with_party(records: pl.DataFrame, party: pl.DataFrame) -> pl.DataFrame:
    found = records.select("record_ref").join(party, on="record_ref", how="left", maintain_order="left")
    return records.with_columns(found["party_id"])


def _founding(records: pl.DataFrame) -> pl.DataFrame:
    """Records with their founding text, as `assign` takes them."""
    of_core = pl.col("contract") == FOUNDING_CONTRACT
    founding = pl.when(of_core).then(founding_text(of_core=True)).otherwise(founding_text(of_core=False))
    return records.select("record_ref", "entity_kind", "source", "first_seen", founding=founding)


def _rules(catalog: Catalog, ring: KeyRing, models: dict[str, str]) -> str:
    """Digest of what decides a night beside what is landed: models, thresholds, subjects. Another one: a full run."""
    subjects = {one.id: repr(one.subjects) for one in catalog.sources.values() if one.subjects}
    text = json.dumps([models, subjects, _policy(catalog), ring.fingerprint()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def landed(catalog: Catalog, home: Home, through: date) -> str:
    """Digest of every landing through `through` that has subjects: another digest, another past."""
    about = {one.id for one in catalog.sources.values() if one.subjects}
    return ledger.landed_through(home, [through], about)[through]
