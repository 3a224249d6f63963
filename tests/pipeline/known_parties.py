"""Who is who in a simulated home, taken from the simulator's truth: an identity layer that makes no mistake.

Belongs here: crosswalk and parties in the shape that identity hands on. Does not belong here: what is asked of them.
Records that are known by an identifier only are found through the tokens that registry and core carry beside keys.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.ingest import lake
from pipelines.ingest.sql import literal
from pipelines.settings import Home, make_directory

# Contract, role, record key and kind of entity, where the truth knows the record by the key that the lake has.
_KEYED = (
    ("core.party", "holder", "party_key", None),
    ("crm.customer", "customer", "customer_key", None),
    ("channel.app_event", "user", "app_user_key", "person"),
    ("registry.company", "company", "registration_key", "company"),
    ("registry.role", "person", "role_key", "person"),
)
# Contract, role, token and its kind, where a record is known by its identifier.
_TOKENS = (
    ("supply_chain.invoice", "seller", "seller_uscc_token", "uscc"),
    ("supply_chain.invoice", "buyer", "buyer_uscc_token", "uscc"),
    ("social_security.contribution", "insured", "national_id_token", "national_id"),
    ("social_security.contribution", "employer", "employer_uscc_token", "uscc"),
)
_CARRIERS = (
    ("core.party", "party_key", "national_id_token", "national_id"),
    ("core.party", "party_key", "uscc_token", "uscc"),
    ("registry.company", "registration_key", "uscc_token", "uscc"),
)


def write_known_parties(home: Home, truth: Path) -> None:
    """Write `identity/party_crosswalk.parquet` and `identity/party.parquet` of a home whose lake has landed."""
    con = duckdb.connect()
    con.execute(f"create view truth as select * from read_parquet({literal(str(truth / 'identity.parquet'))})")
    party = "sha256(entity_kind || entity)"
    keyed = [
        f"select '{contract}' as contract, row.source, {key} as record_key, '{role}' as role, {party} as party_id, "
        f"entity_kind, min(row.business_date) as founded_on from {lake.scan(home, contract)} as row "
        f"join truth on truth.contract = '{contract}' and truth.source = row.source and truth.record_key = row.{key} "
        f"where row._change = 'upsert' {f'and entity_kind = {literal(kind)}' if kind else ''} group by all"
        for contract, role, key, kind in _KEYED
    ]
    con.execute(f"create table keyed as {' union all '.join(keyed)}")
    carriers = [
        f"select distinct '{kind}' as kind, {token} as token, party_id, entity_kind from {lake.scan(home, contract)} "
        f"as row join keyed on keyed.contract = '{contract}' and keyed.source = row.source and record_key = row.{key} "
        f"where {token} is not null"
        for contract, key, token, kind in _CARRIERS
    ]
    # A mistyped number may be somebody else's: the party that has it on most records.
    con.execute(
        "create table carried as select kind, token, mode(party_id) as party_id, mode(entity_kind) as entity_kind "
        f"from ({' union all '.join(carriers)}) group by all"
    )
    by_token = [
        f"select '{contract}' as contract, row.source, row.{token} as record_key, '{role}' as role, party_id, "
        f"entity_kind, min(row.business_date) as founded_on from {lake.scan(home, contract)} as row "
        f"join carried on carried.kind = '{kind}' and carried.token = row.{token} group by all"
        for contract, role, token, kind in _TOKENS
    ]
    con.execute(f"create table crosswalk as select * from keyed union all {' union all '.join(by_token)}")
    make_directory(home.identity)
    how = "'founding' as linked_by, null::double as match_weight"
    reference = "sha256(concat_ws('|', contract, source, record_key, role)) as record_ref"
    columns = f"contract, source, record_key, role, party_id, {reference}, founded_on, {how}"
    lake.write_parquet(
        home.identity / "party_crosswalk.parquet",
        con.execute(f"select {columns} from crosswalk order by all").to_arrow_table(),
    )
    kind = "case entity_kind when 'person' then 'person' else 'organisation' end as party_kind"
    lake.write_parquet(
        home.identity / "party.parquet",
        con.execute(
            f"select party_id, {kind}, min(founded_on) as founded_on, count(*) as records from crosswalk "
            "group by party_id, entity_kind order by party_id"
        ).to_arrow_table(),
    )
    con.close()
