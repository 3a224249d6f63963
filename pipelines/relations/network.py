"""What the graph of relations says of each party: households, the network of ownership and guarantees, rings.

Belongs here: which edges make which graph, and how groups are named. Does not belong here: arithmetic (`graph`).
A group is named after its oldest party, so that it keeps its name when others join.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import polars_hash  # noqa: F401  (registers the `chash` namespace)

from pipelines.relations import graph
from pipelines.relations.asof import AsOf
from pipelines.relations.sharing import measure_sharing, rings

#: Relations by which one party answers for another, or runs it.
CONTROL = ("guarantor", "legal_representative", "shareholder")
GUARANTEE = ("guarantor",)
RING = ("shared_device", "shared_phone")


class Parties:
    """Parties in order of age, numbered from 0, with the edges between them."""

    def __init__(self, edges: pl.DataFrame, founded: pl.DataFrame) -> None:
        """`edges`: from_party_id, to_party_id. `founded`: party_id, founded_on of all parties."""
        ends = pl.concat([edges["from_party_id"], edges["to_party_id"]]).unique().rename("party_id").to_frame()
        self.ids = ends.join(founded, on="party_id").sort("founded_on", "party_id")["party_id"]
        number = pl.DataFrame({"party_id": self.ids, "number": np.arange(len(self.ids), dtype=np.int32)})
        numbered = edges.join(number, left_on="from_party_id", right_on="party_id").join(
            number, left_on="to_party_id", right_on="party_id", suffix="_to"
        )
        self.source, self.target = numbered["number"].to_numpy(), numbered["number_to"].to_numpy()

    def __len__(self) -> int:
        return len(self.ids)

    def groups(self, name: str, lowest: np.ndarray) -> pl.DataFrame:
        """party_id, <name>_id and <name>_size of the groups that `lowest` says, those of one party left out.

        The lowest number of a group is its oldest party.
        """
        size = np.bincount(lowest, minlength=len(self))[lowest] if len(self) else lowest
        frame = pl.DataFrame({"party_id": self.ids, "oldest": self.ids.gather(lowest), f"{name}_size": size})
        return (
            frame.filter(pl.col(f"{name}_size") > 1)
            .with_columns(group_name(name, pl.col("oldest")).alias(f"{name}_id"))
            .select("party_id", f"{name}_id", pl.col(f"{name}_size").cast(pl.Int64))
        )


def group_name(kind: str, oldest: pl.Expr) -> pl.Expr:
    """16 letters that follow from the oldest party of a group, and do not lead back to it.

    Of many hexadecimal names some are digits alone, and of these some look like a bank card: letters never do.
    """
    digest = pl.concat_str([pl.lit(kind), oldest], separator="\x1f").chash.sha2_256().str.slice(0, 16)
    return digest.str.replace_many(list("0123456789abcdef"), list("abcdefghijklmnop"))


def households(known: AsOf) -> pl.DataFrame:
    """party_id, household_id, household_size and household_evidence of everybody who lives with somebody known.

    A chain of evidence that joins more people than a home holds is cut back to pairs with two kinds of evidence; what
    is too many then is no household.
    """
    most = int(known.threshold("relations.household_max_members"))
    edges = known.edges(("same_household",), "detail")
    found = _households(edges, known.founded())
    chained = found.filter(pl.col("household_size") > most)["party_id"].implode()
    firm = ~pl.col("from_party_id").is_in(chained) | pl.col("detail").str.contains(";")
    kept = edges.filter(firm)
    found = _households(kept, known.founded()).filter(pl.col("household_size") <= most)
    kinds = kept.join(found, left_on="from_party_id", right_on="party_id").with_columns(pl.col("detail").str.split(";"))
    kinds = (
        kinds.explode("detail")
        .group_by("household_id")
        .agg(pl.col("detail").unique().sort().str.join(";").alias("household_evidence"))
    )
    return found.join(kinds, on="household_id")


def _households(edges: pl.DataFrame, founded: pl.DataFrame) -> pl.DataFrame:
    parties = Parties(edges, founded)
    return parties.groups("household", graph.components(len(parties), parties.source, parties.target))


def network(known: AsOf) -> pl.DataFrame:
    """One row per party of the network of ownership and guarantees, or of a ring."""
    founded = known.founded()
    parties = Parties(known.edges(CONTROL), founded)
    component = parties.groups("component", graph.components(len(parties), parties.source, parties.target))
    # Rank leads from a company to those who own or run it, and from a borrower to who answers for the loan.
    rank = graph.pagerank(
        len(parties), parties.target, parties.source,
        known.threshold("relations.pagerank_damping"), known.threshold("relations.pagerank_tolerance"),
    )  # fmt: skip
    relative = pl.DataFrame({"party_id": parties.ids, "pagerank": np.round(rank * len(parties), 6)})
    sureties = Parties(known.edges(GUARANTEE), founded)
    circle = sureties.groups("guarantee_circle", graph.circles(len(sureties), sureties.source, sureties.target))
    controlled = component.join(relative, on="party_id").join(circle, on="party_id", how="left")
    return controlled.join(found_rings(known, founded), on="party_id", how="full", coalesce=True)


def found_rings(known: AsOf, founded: pl.DataFrame) -> pl.DataFrame:
    """party_id, ring_id, ring_size, ring_lift and ring_identifiers of each party of a ring, families left out."""
    parties = Parties(known.edges(RING), founded)
    members = parties.groups("ring", graph.components(len(parties), parties.source, parties.target))
    members = members.filter(pl.col("ring_size") >= known.threshold("relations.ring_min_parties"))
    known.con.register("ring_member", members.to_arrow())
    known.keep("ring", "select party_id, ring_id from ring_member")
    known.con.unregister("ring_member")
    measure_sharing(known)
    measured = known.con.execute(rings()).pl().filter(pl.col("ring_lift") >= known.threshold("relations.ring_min_lift"))
    return members.select("party_id", "ring_id").join(measured, on="ring_id")
