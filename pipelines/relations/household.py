"""Who shares an account, and who lives together as a household.

Two people are of one household where they share an address that no more people have than a home holds, or two of
address, phone and account. An address of more people is a dormitory or an office, and says nothing by itself; a flat
shared by strangers cannot be told from a family by an address alone, which is why the evidence stays with the edge.
"""

from __future__ import annotations

from pipelines.relations.asof import AsOf
from pipelines.relations.kind import Kind
from pipelines.relations.sharing import pairs

_PEOPLE = "party_kind = 'person'"
_ACCOUNT = ("core.account_holder.party_key", "core.account_holder.account_key", "core.account_holder.role")


def _disponents(of: str) -> str:
    """Who may dispose of an account that a party of kind `of` owns."""
    return f"""
        select
            disponent.party_id as from_party_id, owner.party_id as to_party_id, 'disponent' as detail,
            disponent.business_date as since, null::date as until, null::decimal(18,2) as amount, null as weight,
            disponent.source, disponent.business_date as seen_on
        from holding as disponent
        join holding as owner using (account_key)
        where disponent.role = 'disponent' and owner.role = 'owner' and disponent.{_PEOPLE}
            and owner.party_kind = '{of}'
    """


def _together(known: AsOf) -> str:
    """Evidence of each pair with an address of a home, or with two kinds of evidence."""
    home, most = (
        int(known.threshold("relations.household_max_members")),
        int(known.threshold("relations.ring_max_parties")),
    )
    joint = f"""
        select
            least(from_party_id, to_party_id) as from_party_id, greatest(from_party_id, to_party_id) as to_party_id,
            'account' as detail, since, until, amount, 1 as weight, source, seen_on
        from ({_disponents("person")})
    """
    known.keep(
        "together",
        f"{pairs('address', 2, most, _PEOPLE)} union all {pairs('phone', 2, home, _PEOPLE)} union all {joint}",
    )
    # weight of an address: 1 over the others there
    return f"""
        select together.* from together
        join (
            select from_party_id, to_party_id from together group by all
            having count(distinct detail) > 1 or max(weight) filter (where detail = 'address') >= 1.0 / ({home} - 1)
        ) using (from_party_id, to_party_id)
    """


KINDS = (
    Kind("joint_account", ("core.account_holder",), _ACCOUNT, lambda known: _disponents("person")),
    Kind("signatory", ("core.account_holder",), _ACCOUNT, lambda known: _disponents("organisation")),
    Kind(
        "same_household", ("core.party", "crm.customer", "channel.app_event", "core.account_holder"),
        (
            "core.party.address", "core.party.phone", "crm.customer.address", "crm.customer.phone",
            "channel.app_event.phone", *_ACCOUNT,
        ),
        _together, strength="count(distinct detail) / 3.0",
    ),
)  # fmt: skip
