"""Which parties carry the same phone, device or address, and which of them are more than a family.

An identifier that hundreds carry belongs to a shop or an office and relates nobody. Tokens are compared, never values.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from pipelines.ingest.sql import literal
from pipelines.relations.asof import AsOf
from pipelines.relations.kind import Kind

SHARED = ("phone", "device", "address")
# Contract, role and key of the record, and its tokens by kind of identifier.
_CARRIERS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("core.party", "holder", "party_key", {"phone": "phone_token", "address": "address_token"}),
    ("crm.customer", "customer", "customer_key", {"phone": "phone_token", "address": "address_token"}),
    ("channel.app_event", "user", "app_user_key", {"phone": "phone_token", "device": "device_id_token"}),
)
# What app users carried counts for a year, as the windows of the customer do.
_YEAR = timedelta(days=365)


def carry(known: AsOf) -> None:
    """Make the temporary table `carried`: kind, token, party_id, carriers (parties with the token) and its evidence."""
    parts = []
    for contract, role, key, tokens in _CARRIERS:
        name = f"carrier_{contract.partition('.')[0]}"
        known.keep(name, _with_tokens(known, contract, role, key, tuple(tokens.values())))
        parts += [
            f"select {literal(kind)} as kind, {token} as token, party_id, source, first_on, last_on from {name} "
            f"where {token} is not null"
            for kind, token in tokens.items()
        ]
    known.keep(
        "carried",
        "select kind, token, party_id, any_value(party_kind) as party_kind, min(source) as source, "
        "min(first_on) as first_on, max(last_on) as last_on, count(*) over (partition by kind, token) as carriers "
        f"from ({' union all '.join(parts)}) join party using (party_id) group by kind, token, party_id",
    )


def _with_tokens(known: AsOf, contract: str, role: str, key: str, tokens: tuple[str, ...]) -> str:
    """Parties with the tokens of their records. Of events, of which a user has thousands, each combination once."""
    rows = known.rows(contract, key, *tokens, since=known.day - _YEAR)
    combined = ", ".join(("source", key, *tokens))
    return (
        f"select row.*, carrier.party_id from (select {combined}, min(business_date) as first_on, "
        f"max(business_date) as last_on from {rows} group by {combined}) as row "
        f"{known.party_of('carrier', contract, role, f'row.{key}')}"
    )


def pairs(kind: str, least: int, most: int, where: str = "true") -> str:
    """SQL for pairs of parties that carry one identifier of a kind which `least` to `most` parties carry."""
    one, other = (f"(select * from carried where kind = {literal(kind)} and {where})" for _ in range(2))
    return f"""
        select
            one.party_id as from_party_id, other.party_id as to_party_id, {literal(kind)} as detail,
            greatest(one.first_on, other.first_on) as since, null::date as until, null::decimal(18,2) as amount,
            1.0 / (one.carriers - 1) as weight, one.source, least(one.last_on, other.last_on) as seen_on
        from {one} as one
        join {other} as other on one.token = other.token and one.party_id < other.party_id
        where one.carriers between {least} and {most}
    """


def _ring(kind: str, known: AsOf) -> str:
    """Pairs that share what few people do; of an address, more than a home holds."""
    least = (
        known.threshold("relations.household_max_members") + 1
        if kind == "address"
        else known.threshold("relations.ring_min_carriers")
    )
    return pairs(kind, int(least), int(known.threshold("relations.ring_max_parties")))


# Rings are looked for to prevent fraud: whatever the contracts allow, they serve nothing else.
KINDS = tuple(
    Kind(
        f"shared_{kind}", tuple(contract for contract, *_, tokens in _CARRIERS if kind in tokens),
        tuple(f"{contract}.{tokens[kind].removesuffix('_token')}" for contract, *_, tokens in _CARRIERS
              if kind in tokens),
        partial(_ring, kind), strength="max(weight)", restricted_to=("risk_management",),
    )
    for kind in SHARED
)  # fmt: skip


def rings() -> str:
    """SQL for ring_id, ring_size, ring_lift and ring_identifiers of each ring among the members in table `ring`.

    Lift is how many sharings of phone or device the ring has over how many one would expect of as many pairs of
    which as many live together: families share phones too. Half a sharing is added to both counts of a rate, so that
    what was never seen is not taken for impossible.
    """
    return """
        with paired as (
            select one.ring_id, one.party_id as from_party_id, other.party_id as to_party_id,
                home.from_party_id is not null as together
            from ring as one
            join ring as other on one.ring_id = other.ring_id and one.party_id < other.party_id
            left join home_pair as home
                on home.from_party_id = one.party_id and home.to_party_id = other.party_id
        ),

        observed as (
            select paired.ring_id, count(*) as sharings,
                string_agg(distinct shared.kind, ';' order by shared.kind) as ring_identifiers
            from paired join shared_pair as shared using (from_party_id, to_party_id)
            group by paired.ring_id
        ),

        expected as (
            select paired.ring_id, sum(cast(rate.rate as decimal(28,18))) as sharings
            from paired join sharing_rate as rate using (together)
            group by paired.ring_id
        ),

        size as (select ring_id, count(*) as ring_size from ring group by ring_id)

        select size.ring_id, size.ring_size, observed.ring_identifiers,
            cast(round(observed.sharings / cast(expected.sharings as double), 2) as decimal(18,2)) as ring_lift
        from size join observed using (ring_id) join expected using (ring_id)
    """


def measure_sharing(known: AsOf) -> None:
    """Make the tables that `rings` reads: home_pair, shared_pair and sharing_rate (kind, together, rate)."""
    household = int(known.threshold("relations.household_max_members"))
    most = int(known.threshold("relations.ring_max_parties"))
    known.keep("home_pair", f"select distinct from_party_id, to_party_id from ({pairs('address', 2, most)})")
    shared = [
        f"select distinct '{kind}' as kind, from_party_id, to_party_id from ({pairs(kind, 2, most)})"
        for kind in SHARED
        if kind != "address"
    ]
    known.keep("shared_pair", " union all ".join(shared))
    known.keep("family_pair", f"select distinct from_party_id, to_party_id from ({pairs('address', 2, household)})")
    known.keep(
        "sharing_rate",
        """
        with kinds as (select kind, count(distinct party_id) as parties from carried group by kind),
        strangers as (select kind, count(*) as sharings from shared_pair group by kind),
        families as (
            select kind, count(*) as sharings
            from shared_pair join family_pair using (from_party_id, to_party_id) group by kind
        )
        select kinds.kind, false as together,
            (coalesce(strangers.sharings, 0) + 0.5) / (kinds.parties * (kinds.parties - 1) / 2 + 1) as rate
        from kinds left join strangers using (kind) where kinds.kind <> 'address'
        union all
        select kinds.kind, true,
            (coalesce(families.sharings, 0) + 0.5) / ((select count(*) from family_pair) + 1)
        from kinds left join families using (kind) where kinds.kind <> 'address'
        """,
    )
