"""Who supplies whom, by invoices of a year that sellers share; and how much each depends on suppliers and customers.

Concentration is the Herfindahl-Hirschman index: the sum of squared shares, from near 0 (many small) to 1 (one alone).
"""

from __future__ import annotations

from datetime import timedelta

from pipelines.relations.asof import AsOf
from pipelines.relations.kind import SAID, Kind, columns

_YEAR = timedelta(days=365)


def _invoices(known: AsOf) -> str:
    rows = known.rows("supply_chain.invoice", "seller_uscc_token", "buyer_uscc_token", "issued_on", "amount")
    contract = "supply_chain.invoice"
    return f"""
        select
            seller.party_id as from_party_id, buyer.party_id as to_party_id, 'invoice' as detail,
            row.issued_on as since, null::date as until, row.amount, null as weight, row.source,
            row.business_date as seen_on
        from {rows} as row
        {known.party_of("seller", contract, "seller", "row.seller_uscc_token")}
        {known.party_of("buyer", contract, "buyer", "row.buyer_uscc_token")}
        where row.issued_on > date '{known.day - _YEAR}' and row.issued_on <= date '{known.day}'
            and {known.shared(contract, by="seller", naming="buyer")}
    """


KINDS = (
    Kind(
        "supplier", ("supply_chain.invoice",),
        (*columns("supply_chain.invoice", "seller_uscc buyer_uscc issued_on amount"), *SAID), _invoices,
        strength="0",  # follows from the shares, which need all edges (`supplied`)
    ),
)  # fmt: skip


def supplied(edges: str) -> str:
    """SQL for edges, with the strength of a supply edge: the greater of its shares in sales and in purchases."""
    strength = "case when relation_type = 'supplier' then greatest(share_of_from, share_of_to) else strength end"
    return f"select * replace ({strength} as strength) from ({edges})"


def positions() -> str:
    """SQL for supply_chain_position from the temporary table `edge`: one row per party that sells or buys."""
    return f"""
        select
            coalesce(customers.party_id, suppliers.party_id) as party_id,
            coalesce(customers.business_date, suppliers.business_date) as business_date,
            case
                when suppliers.party_id is null then 'supplier' when customers.party_id is null then 'buyer' else 'both'
            end as direction,
            coalesce(customers.amount, 0) as sales_365d, coalesce(customers.partners, 0) as customers_365d,
            customers.concentration as customer_hhi_365d, customers.top_share as top_customer_share_365d,
            coalesce(suppliers.amount, 0) as purchases_365d, coalesce(suppliers.partners, 0) as suppliers_365d,
            suppliers.concentration as supplier_hhi_365d, suppliers.top_share as top_supplier_share_365d
        from ({_concentration("from_party_id")}) as customers
        full join ({_concentration("to_party_id")}) as suppliers on customers.party_id = suppliers.party_id
        order by 1
    """


def _concentration(party: str) -> str:
    """Sums are exact, in cents: the same invoices give the same index in whatever order they are added."""
    cents = "cast(amount * 100 as hugeint)"
    total = f"nullif(cast(sum({cents}) as double), 0)"
    return f"""
        select
            {party} as party_id, business_date, count(*) as partners, cast(sum(amount) as decimal(18,2)) as amount,
            cast(round(cast(sum({cents} * {cents}) as double) / ({total} * {total}), 4) as decimal(9,4))
                as concentration,
            cast(round(cast(max({cents}) as double) / {total}, 4) as decimal(9,4)) as top_share
        from edge where relation_type = 'supplier' group by party_id, business_date
    """
