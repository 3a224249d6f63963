"""What is known as of one business date: records and their parties, and the landed rows of a contract.

Belongs here: reading lake and crosswalk. Does not belong here: what a row says of two parties, one module per kind.
"""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl

from pipelines.contracts.lawful import CONSENTS, sharing_rules
from pipelines.contracts.load import Catalog
from pipelines.ingest import lake
from pipelines.ingest.sql import literal
from pipelines.settings import Home

# Identifiers that belong to one party, and where the party of a record with such an identifier is known.
# (contract, role, record key, kind, token)
_CARRIERS = (
    ("core.party", "holder", "party_key", "national_id", "national_id_token"),
    ("core.party", "holder", "party_key", "uscc", "uscc_token"),
    ("registry.company", "company", "registration_key", "uscc", "uscc_token"),
    ("registry.role", "person", "role_key", "national_id", "person_national_id_token"),
)


class AsOf:
    """Lake and crosswalk as of `day`, on a connection of its own.

    Temporary tables: `party` (party_id, party_kind, founded_on), `record` (contract, source, record_key, role,
    party_id), `identified` (kind, token, party_id), `holding` (account_key, party_id, party_kind, role) and `consented`
    (party_id, contract, source, is_given): what a party said last of a partner's sharing its records of a contract.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, catalog: Catalog, home: Home, day: date) -> None:
        self.con, self.day = con, day
        self._catalog, self._home = catalog, home
        known = f"founded_on <= date '{day}'"
        for name, table, columns in (
            ("party", "party", "party_id, party_kind, founded_on"),
            ("record", "party_crosswalk", "contract, source, record_key, role, party_id, founded_on"),
        ):
            self.keep(name, f"select {columns} from {_parquet(home, table)} where {known}")
        self.keep("identified", self._identified())
        self.keep("holding", self._holding())
        self._rules = {rule.contract: rule for rule in sharing_rules(catalog.sources, catalog.policy.lawful_use)}
        self.keep("consented", self._consented())

    def keep(self, name: str, query: str) -> None:
        """Remember the rows of `query` as the temporary table `name`."""
        self.con.execute(f"create or replace temporary table {name} as {query}")

    def edges(self, relations: tuple[str, ...], *columns: str) -> pl.DataFrame:
        """from_party_id, to_party_id and `columns` of the edges of some relations that hold on the day."""
        named = ", ".join(map(literal, relations))
        return self.con.execute(
            f"select {', '.join(('from_party_id', 'to_party_id', *columns))} from edge "
            f"where relation_type in ({named}) and coalesce(until, date '{self.day}') >= date '{self.day}'"
        ).pl()

    def founded(self) -> pl.DataFrame:
        """party_id and founded_on of every party."""
        return self.con.execute("select party_id, founded_on from party").pl()

    def threshold(self, name: str) -> float:
        """A threshold of policy.yaml by its dotted name."""
        return self._catalog.policy.thresholds[name]

    def rows(self, contract_id: str, *columns: str, since: date | None = None) -> str:
        """SQL for the rows of a contract that hold as of the day: source, business_date and `columns`.

        Of an append contract every row landed, from business date `since` on; of others the latest version of a key.
        """
        contract = self._catalog.sources[contract_id]
        selected = ", ".join(dict.fromkeys(("source", "business_date", *contract.key, *columns)))
        landed = f"from {lake.scan(self._home, contract_id)} where business_date <= date '{self.day}'"
        if contract.delivery == "append":
            from_day = f" and business_date >= date '{since}'" if since else ""
            return f"(select {selected} {landed}{from_day} and _change = 'upsert')"
        order = f"partition by source, {', '.join(contract.key)} order by business_date desc, _line desc"
        return (
            f"(select {selected} from (select {selected}, _change, row_number() over ({order}) as _version {landed}) "
            f"where _version = 1 and _change = 'upsert')"
        )

    def party_of(self, alias: str, contract_id: str, role: str, key: str) -> str:
        """SQL of a join to `record` as `alias`: the party that has `role` in a row of the contract."""
        return (
            f"join record as {alias} on {alias}.contract = {literal(contract_id)} and {alias}.role = {literal(role)} "
            f"and {alias}.source = row.source and {alias}.record_key = {key}"
        )

    def shared(self, contract_id: str, by: str, naming: str) -> str:
        """SQL of a condition: party `by` lets the row be shared, and the one that it names took nothing back."""
        if contract_id not in self._rules:
            return "true"
        word = f"from consented as word where word.contract = {literal(contract_id)} and word.source = row.source"
        return (
            f"exists (select 1 {word} and word.party_id = {by}.party_id and word.is_given) "
            f"and not exists (select 1 {word} and word.party_id = {naming}.party_id and not word.is_given)"
        )

    def _consented(self) -> str:
        """Of events of one moment the withdrawal counts; what is said of all partners is said of each."""
        asked = " union all ".join(
            f"select {literal(rule.contract)} as contract, {literal(rule.consent)} as purpose, "
            f"{literal(rule.data_class)} as data_class"
            for rule in self._rules.values()
        )
        said = ("party_key", "event_time", "action", "purpose", "data_class", "partner")
        return f"""
            select
                holder.party_id, sent.contract, sent.source,
                arg_max(row.action, (row.event_time, row.action, row.business_date)) = 'grant' as is_given
            from {self.rows(CONSENTS, *said)} as row
            join record as holder on holder.contract = 'core.party' and holder.role = 'holder'
                and holder.record_key = row.party_key
            join {self.rows("core.party")} as party
                on party.party_key = holder.record_key and party.source = holder.source
            join ({asked or "select '' as contract, '' as purpose, '' as data_class"}) as asked
                on asked.purpose = row.purpose and asked.data_class = row.data_class
            join (select distinct contract, source from record) as sent
                on sent.contract = asked.contract and coalesce(row.partner, '') in ('', sent.source)
            where cast(row.event_time as date) <= date '{self.day}'
            group by holder.party_id, sent.contract, sent.source
        """

    def _identified(self) -> str:
        """Parties by identifier; where several parties carry one, the oldest."""
        parts = [
            f"select {literal(kind)} as kind, row.{token} as token, owner.party_id, owner.founded_on "
            f"from {self.rows(contract, token)} as row {self.party_of('owner', contract, role, f'row.{key}')} "
            f"where row.{token} is not null"
            for contract, role, key, kind, token in _CARRIERS
        ]
        oldest = "arg_min(party_id, (founded_on, party_id)) as party_id"
        return f"select kind, token, {oldest} from ({' union all '.join(parts)}) group by kind, token"

    def _holding(self) -> str:
        """Who holds which account, in which role of the contract."""
        return (
            "select row.account_key, holder.party_id, party.party_kind, row.role, row.source, row.business_date "
            f"from {self.rows('core.account_holder', 'party_key', 'account_key', 'role')} as row "
            f"{self.party_of('holder', 'core.party', 'holder', 'row.party_key')} join party using (party_id)"
        )


def _parquet(home: Home, table: str) -> str:
    return f"read_parquet({literal(str(home.identity / f'{table}.parquet'))})"
