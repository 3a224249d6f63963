"""A consent that is taken back counts in the next release: the party's data are gone from it, and the use is unlawful.

Belongs here: withdrawals delivered to the simulated bank on its last night, and states against its events. Does not
belong here: every column of every party (`test_customer_360_oracle`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from customer_360_oracle import Bank
from homes import copied
from simulated import BEFORE, NIGHT, Simulated, world

from pipelines.audit.usage import ledger
from pipelines.release.whom import pseudonym
from pipelines.vault.keys import KeyRing

# Blocks of customer_360 that rest on one source's being shared: purpose and class of the consent, and a figure.
GATED = {
    "ecommerce": ("data_sharing", "partner", "orders_90d"),
    "tax": ("data_sharing", "partner", "tax_late_filings_365d"),
    "social_security": ("data_sharing", "partner", "months_contributed_365d"),
    "bureau": ("bureau_query", "bureau", "bureau_open_loans"),
}


def rows(home: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the warehouse of a home answers."""
    with closing(duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True)) as con:
        return con.execute(sql, list(values)).fetchall()


@dataclass(frozen=True)
class Withdrawn:
    """A home whose last night brought withdrawals of `parties`, one for each block, and of `unwilling` of marketing."""

    home: Path
    parties: dict[str, str]
    unwilling: str


@pytest.fixture(scope="module")
def withdrawn(simbank: Simulated, zhongtai, tmp_path_factory) -> Withdrawn:
    """The night again, with events that the simulated world did not have."""
    home = copied(simbank.before, tmp_path_factory.mktemp("withdrawn") / "home")
    keys: dict[str, set[str]] = defaultdict(set)
    for party, key in rows(
        home, "select party_id, party_key from intermediate.int_party_record where business_date = ?", BEFORE
    ):
        keys[party].add(key)
    parties = {}
    for block, (_, _, figure) in GATED.items():
        query = f"select party_id from marts.customer_360 where business_date = ? and {figure} is not null order by 1"
        found = [party for (party,) in rows(home, query, BEFORE) if party in keys and party not in parties.values()]
        parties[block] = found[0]
    query = "select party_id from marts.lawful_use where business_date = ? and marketing_automated order by 1"
    unwilling = next(party for (party,) in rows(home, query, BEFORE) if party not in parties.values())
    said = [(parties[block], purpose, data_class) for block, (purpose, data_class, _) in GATED.items()]
    said += [(unwilling, "marketing", "basic"), (unwilling, "marketing", "transaction")]
    assert zhongtai(*world(NIGHT), home=home).code == 0
    (file,) = (home / "simulated" / "deliveries").glob(f"{NIGHT:%Y%m%d}/consent/event.jsonl")
    with file.open("a", encoding="utf-8") as out:
        for n, (party, purpose, data_class) in enumerate(said):
            for key in sorted(keys[party]):
                event = {
                    "eventKey": f"W{n}-{key}", "partyKey": key, "eventTime": f"{NIGHT} 23:59:59", "action": "withdraw",
                    "purpose": purpose, "dataClass": data_class, "partner": None, "channel": "app",
                    "termsVersion": "2.1",
                }  # fmt: skip
                out.write(json.dumps(event) + "\n")
    published = zhongtai("nightly", "--bank", "simbank", "--date", f"{NIGHT}", "--json", home=home)
    assert published.code == 0, published.err + published.out
    return Withdrawn(home, parties, unwilling)


@pytest.mark.slow
@pytest.mark.parametrize("block", GATED)
def test_what_is_no_longer_shared_is_not_known_that_night(withdrawn: Withdrawn, simbank: Simulated, block: str) -> None:
    figure, party = GATED[block][2], withdrawn.parties[block]
    query = f"select {figure}, {block}_completeness from marts.customer_360 where business_date = ? and party_id = ?"
    assert rows(withdrawn.home, query, NIGHT, party) == [(None, 0)]
    ((known, completeness),) = rows(simbank.home, query, NIGHT, party)
    assert known is not None, "without the withdrawal it is known"
    assert completeness > 0


@pytest.mark.slow
def test_who_takes_marketing_back_is_unlawful_for_it_that_night(withdrawn: Withdrawn) -> None:
    query = (
        "select marketing_basic, marketing_transaction, marketing_automated, risk_basic, marketing_refusals "
        "from marts.lawful_use where business_date = ? and party_id = ?"
    )
    ((*allowed, why),) = rows(withdrawn.home, query, NIGHT, withdrawn.unwilling)
    assert allowed == [False, False, False, True]
    assert {"basic:withdrawn", "transaction:withdrawn", "automated:basic"} <= set(why.split(";"))
    with duckdb.connect() as con:
        published = withdrawn.home / "releases" / "current" / "marketing" / "lawful_use.parquet"
        (told,) = con.execute(f"select count(*) from '{published}'").fetchone() or ()
    query = "select count(*) from marts.lawful_use where business_date = ? and has_customer_360 and marketing_basic"
    assert rows(withdrawn.home, query, NIGHT) == [(told,)]


@pytest.mark.slow
def test_what_was_taken_back_is_used_by_no_line_of_the_next_ledger(
    withdrawn: Withdrawn, simbank: Simulated, vault_key: str
) -> None:
    ring = KeyRing(bytes.fromhex(vault_key))

    def uses(release: Path, consumer: str, party: str) -> set[str]:
        who = pseudonym(party, consumer, lambda: ring)
        lines = pl.read_parquet(ledger(release, consumer)).filter(pl.col("pseudonym") == who)
        return {name for used in lines["used"].drop_nulls() for name in used.split(";")}

    after = withdrawn.home / "releases" / "current"
    before = simbank.before / "releases" / "current"
    assert uses(before, "marketing", withdrawn.unwilling) >= {"basic", "transaction"}
    assert uses(after, "marketing", withdrawn.unwilling) == set()
    assert "basic" in uses(after, "risk", withdrawn.unwilling), "risk rests on another basis"
    assert "bureau" in uses(before, "risk", withdrawn.parties["bureau"])
    assert "bureau" not in uses(after, "risk", withdrawn.parties["bureau"])


@pytest.mark.slow
def test_every_party_of_every_mart_has_a_verdict(simbank: Simulated) -> None:
    verdicts = rows(simbank.home, "select party_id from marts.lawful_use where business_date = ?", NIGHT)
    known = {party for (party,) in verdicts}
    tables = rows(
        simbank.home,
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and column_name like '%party_id'",
    )
    assert len(tables) > len({"customer_360", "party_relation", "household"})
    for table, column in tables:
        named = rows(simbank.home, f"select distinct {column} from marts.{table} where business_date = ?", NIGHT)
        assert {party for (party,) in named if party} <= known, table


@pytest.mark.slow
@pytest.mark.parametrize("night", [BEFORE, NIGHT])
def test_states_are_those_of_a_replay_of_the_events(simbank: Simulated, night: date) -> None:
    home = simbank.before if night == BEFORE else simbank.home
    bank = Bank(home, night)
    said = bank.of_customers(bank.ever("consent.event"), "core.party", "holder", "party_key")
    last: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for party, events in said.items():
        for event in events:
            scope = (party, event["purpose"], event["data_class"], event["partner"] or "")
            last[scope] = max(last.get(scope, ()), (event["event_time"], event["action"]))
    assert len({partner for *_, partner in last}) > 1
    query = (
        "select party_id, purpose, data_class, partner, is_given from marts.consent_state where business_date = ? "
        "and known_to is null and valid_from <= business_date and (valid_to is null or valid_to > business_date)"
    )
    expected = {scope: action == "grant" for scope, (_, action) in last.items()}
    assert {tuple(scope): given for *scope, given in rows(home, query, night)} == expected


@pytest.mark.slow
def test_what_is_held_back_is_counted(simbank: Simulated) -> None:
    counted = rows(
        simbank.home,
        "select contract, records, records_withheld from marts.withheld_record where business_date = ?",
        NIGHT,
    )
    assert {contract for contract, *_ in counted} >= {"ecommerce.order", "tax.filing", "bureau.credit_report"}
    assert any(0 < withheld < records for _, records, withheld in counted)
    query = "select distinct contract from intermediate.int_shared_record where business_date = ?"
    assert {contract for (contract,) in rows(simbank.home, query, NIGHT)} <= {contract for contract, *_ in counted}
