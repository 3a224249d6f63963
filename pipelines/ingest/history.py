"""Whether a history file still says of landed dates what it said when they were landed."""

from __future__ import annotations

from datetime import date

import duckdb

from pipelines.ingest import lake
from pipelines.ingest.changes import tokenise_rows
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.ledger import Landing, Ledger
from pipelines.ingest.read import Rows
from pipelines.ingest.sql import literal
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing


def is_changed(delivery: Delivery, ledger: Ledger, recipe: str, first: date) -> bool:
    """Whether dates before `first` were landed from another history file, or by another recipe."""
    made_from = {(each.delivery_sha256, each.recipe_sha256) for each in _landed_before(ledger, first)}
    return delivery.is_history and not made_from <= {(delivery.sha256, recipe)}


def check_history(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows, ledger: Ledger, home: Home, ring: KeyRing,
    first: date, apart: set[int],
) -> None:  # fmt: skip
    """Raise DeliveryFault where the rows before the date `first` are others than those that were landed.

    `apart` are the lines that are in quarantine because they have no date. To be asked where the file `is_changed`.
    """
    before = _landed_before(ledger, first)
    landed = int(sum(each.delivered for each in before))
    again = f"run `zhongtai backfill --from {before[0].business_date}`"
    earlier = con.execute(f"select count(*) from dated where business_date < date '{first}'").fetchall()[0][0]
    undated = {line for (line,) in con.execute("select _line from dated where business_date is null").fetchall()}
    undated |= {record.line for record in rows.unsplit}
    earlier += len(undated & apart)
    if earlier != landed:
        raise delivery.fault(
            "history_changed", f"it has {earlier} rows of before {first}, but {landed} were landed",
            f"ask {delivery.contract.owner} why; {again} if it is right",
        )  # fmt: skip
    changed = _changed(con, delivery, home, ring, first)
    if changed:
        raise delivery.fault(
            "history_changed",
            f"{changed} of the rows landed before {first} are not in it any more, or are made otherwise by a changed "
            f"feed, contract or companion",
            f"find out why; {again} if that is right",
        )


def _landed_before(ledger: Ledger, first: date) -> list[Landing]:
    return [each for each in ledger.landings if each.business_date < first and each.measure == "rows"]


def _changed(con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, ring: KeyRing, first: date) -> int:
    contract = delivery.contract
    tokenise_rows(con, f"(select * from dated where business_date < date '{first}')", "earlier_rows", contract, ring)
    key = ", ".join(contract.key)
    return con.execute(
        f"select count(*) from {lake.scan(home, contract.id)} as landed anti join earlier_rows using "
        f"(business_date, {key}, _row_hash) where source = {literal(delivery.feed.source)} "
        f"and landed.business_date < date '{first}'"
    ).fetchall()[0][0]
