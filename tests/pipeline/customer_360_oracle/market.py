"""Stalls at partner markets: leases and takings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.party import Party, credit_codes
from customer_360_oracle.sharing import Sharing
from customer_360_oracle.window import delivered_share, ratio, share, total, window, within

LEASE, TURNOVER = "market.stall_lease", "market.daily_turnover"


def leases_of(bank: Bank, rows: list[Row]) -> dict[str, list[Row]]:
    """Leases by party: the business and the owner; once where both are the same.

    A business lets its market tell of it, and of who owns it; an owner's own word comes first.
    """
    found: dict[str, list[Row]] = defaultdict(list)
    sharing, business = Sharing(bank, LEASE), bank.links[LEASE, "merchant"]
    for role in ("merchant", "owner"):
        for party, leases in bank.of_parties(rows, LEASE, role, "lease_key").items():
            for lease in leases:
                own = sharing.word(party, lease["source"])
                owned = business.get((lease["source"], lease["lease_key"])) if role == "owner" else None
                told = sharing.word(owned, lease["source"]) if own is None and owned else own
                if told and lease not in found[party]:
                    found[party].append(lease)
    return {party: leases for party, leases in found.items() if leases}


def runs(lease: Row, day: Any) -> bool:
    """Whether a lease runs on a day; one that is no longer delivered has ended."""
    ended, gone = lease["leased_to"], lease["gone"]
    return lease["leased_from"] <= day and (ended is None or day <= ended) and (gone is None or day < gone)


def running(bank: Bank) -> dict[str, list[Row]]:
    """Leases that run on the business date, by party."""
    return leases_of(bank, [lease for lease in bank.ever(LEASE) if runs(lease, bank.as_of)])


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Leases, and the sales of the stalls."""
    coded = credit_codes(bank)
    now, ever = running(bank), leases_of(bank, bank.ever(LEASE))
    sharing, markets = Sharing(bank, LEASE), bank.deliveries(TURNOVER)
    sales: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for each in bank.ever(TURNOVER):
        sales[each["source"], each["lease_key"]].append(each)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine, all_of_mine = now.get(party.party_id, []), ever.get(party.party_id, [])
        asked = all_of_mine or (sharing.says_yes(party.party_id) and (coded(party) or row["contact_known"]))
        recent = [lease for lease in all_of_mine if any(runs(lease, day) for day in window(bank.as_of, 90))]
        sold = [each for lease in recent for each in sales[lease["source"], lease["lease_key"]]]

        def inside(days: int) -> list[Row]:
            return [each for each in sold if within(each["trade_date"], bank.as_of, days)]

        told_of = {lease["source"] for lease in recent} & markets.keys()
        quarter, month = (total(each["turnover"] for each in inside(days)) for days in (90, 30))
        before = total(each["turnover"] for each in inside(60)) - month
        refunds = total(each["refunds"] for each in inside(90))
        return {
            "is_merchant": bool(mine) if asked else None,
            "stalls_leased": len({(lease["source"], lease["stall_no"]) for lease in mine}) if asked else None,
            "lease_tenure_days": (
                (bank.as_of - min(lease["leased_from"] for lease in all_of_mine)).days if mine else None
            ),
            "monthly_rent": total(lease["monthly_rent"] for lease in mine) if mine else None,
            "turnover_30d": month if told_of else None,
            "turnover_90d": quarter if told_of else None,
            "turnover_trend_90d": ratio(month, before) if told_of else None,
            "trading_days_30d": (
                len({each["trade_date"] for each in inside(30) if each["turnover"]}) if told_of else None
            ),
            "refund_share_90d": share(refunds, quarter) if told_of and quarter else None,
            "market_completeness": delivered_share(
                bank.as_of, 90, [markets[each] for each in told_of], len({lease["source"] for lease in recent})
            ),
        }  # fmt: skip

    return tell
