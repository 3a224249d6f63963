"""What a kind of relation is, and how its edges follow from its evidence.

Belongs here: what all kinds have in common: columns of evidence, aggregation to edges, legal basis and purposes. Does
not belong here: what makes two parties related, one module per kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import PURPOSES
from pipelines.ingest.sql import literal
from pipelines.relations.asof import AsOf

CROSSWALK, EDGES = "identity.party_crosswalk", "relation.party_relation"


@dataclass(frozen=True)
class Kind:
    """One kind of relation, as some contracts are evidence of it.

    `evidence` gives SQL with one row per row of evidence: from_party_id, to_party_id, detail, since, until, amount,
    weight (0 to 1), source and seen_on, the business date on which the row was delivered. `strength` aggregates these
    to a number from 0 to 1. `inputs` are the columns that were read, as <contract>.<column>. `restricted_to` are
    the purposes that the relation serves at most, whatever its inputs allow.
    """

    relation: str
    contracts: tuple[str, ...]
    inputs: tuple[str, ...]
    evidence: Callable[[AsOf], str]
    strength: str = "1"
    restricted_to: tuple[str, ...] = PURPOSES

    def purposes(self, catalog: Catalog) -> tuple[str, ...]:
        """What the edges may be used for: what every column they follow from, and the crosswalk, may be used for."""
        common = set(catalog.derived[CROSSWALK].purposes) & set(self.restricted_to)
        for contract, column in self._columns():
            common &= set(catalog.sources[contract].column(column).purposes)
        return tuple(sorted(common))

    def legal_basis(self, catalog: Catalog) -> tuple[str, ...]:
        """Every basis that the edges rest on."""
        return tuple(sorted({catalog.sources[name].column(column).legal_basis for name, column in self._columns()}))

    def _columns(self) -> list[tuple[str, str]]:
        return [(name, column) for name, _, column in (one.rpartition(".") for one in self.inputs)]


def columns(contract: str, names: str) -> tuple[str, ...]:
    """The inputs of a kind from one contract, whose columns are written with blanks between them."""
    return tuple(f"{contract}.{name}" for name in names.split())


#: What decides whether a partner's record may be read.
SAID = columns("consent.event", "party_key event_time action purpose data_class partner")


def edges(known: AsOf, kind: Kind, catalog: Catalog) -> str:
    """SQL for the edges of `kind`, in the columns of relation.party_relation: one per pair of parties.

    Rows that lead from a party to itself are no relation: two records of one party.
    """
    total = "nullif(cast(sum(amount) over (partition by {0}) as double), 0)"
    share = f"cast(round(cast(amount as double) / {total}, 4) as decimal(9,4))"
    return f"""
        select
            date '{known.day}' as business_date, from_party_id, to_party_id, {literal(kind.relation)} as relation_type,
            {literal(";".join(kind.contracts))} as evidence, detail, since, until,
            cast(round(case when strength > 1 then 1 else strength end, 4) as decimal(9,4)) as strength, amount,
            {share.format("from_party_id")} as share_of_from,
            {share.format("to_party_id")} as share_of_to,
            sources, evidence_rows, first_evidence_on, last_evidence_on,
            {literal(";".join(kind.legal_basis(catalog)))} as legal_basis,
            {literal(";".join(kind.purposes(catalog)))} as purposes
        from (
            select
                from_party_id, to_party_id, string_agg(distinct detail, ';' order by detail) as detail,
                min(since) as since, case when count(until) = count(*) then max(until) end as until,
                cast({kind.strength} as double) as strength, cast(sum(amount) as decimal(18,2)) as amount,
                string_agg(distinct source, ';' order by source) as sources, count(*) as evidence_rows,
                min(seen_on) as first_evidence_on, max(seen_on) as last_evidence_on
            from ({kind.evidence(known)})
            where from_party_id <> to_party_id
            group by from_party_id, to_party_id
        )
    """
