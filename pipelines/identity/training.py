"""Training: the parameters of a model file from the records of a home.

What belongs here: which records a model learns from and within which pairs. What does not: the model (`model`). A model
is trained by a command, looked at, and committed; a night only reads it.
"""

from __future__ import annotations

import polars as pl

from pipelines.identity import golden, state
from pipelines.identity.model import MatchModel, Trained, train
from pipelines.identity.standardise import NAMED, with_aliases
from pipelines.ingest.engine import open_engine
from pipelines.settings import InputError, Settings
from pipelines.vault.keys import KeyRing

# Pairs within which the other columns are learned: what they agree in is hardly ever shared by chance.
_SESSIONS = {
    "person": ("l.national_id = r.national_id", "l.phone = r.phone", "l.name = r.name and l.dwelling = r.dwelling"),
    "organisation": ("l.uscc = r.uscc",),
}


def trained(settings: Settings, ring: KeyRing, model: MatchModel, seed: int) -> MatchModel:
    """`model` with its parameters estimated anew on the golden set of the home. Raises InputError before a first night.

    Levels that are fixed keep their parameters, and so does the prior: both follow from how many records there are.
    """
    records = golden.read(settings.home, ring, state.dates(settings.home))
    if not records.height:
        raise InputError(f"{settings.home.path} has no identity records yet: run a night first")
    records = with_aliases(records).filter(pl.col("entity_kind") == model.entity).sort("record_ref")
    named = records.filter(NAMED).with_row_index("id")
    with open_engine(settings) as con:
        found = train(con, model, named.with_columns(pl.col("id").cast(pl.Int64)), _SESSIONS[model.entity], seed)
    return found.model_copy(update={"trained": Trained(records=named.height, source=settings.bank_name())})
