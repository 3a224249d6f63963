"""How the party uses the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.window import covered, share, within

CONTRACT = "channel.app_event"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Days, logins, views and devices."""
    events = bank.of_parties(bank.ever(CONTRACT), CONTRACT, "user", "app_user_key")
    latest = max((day for days in bank.deliveries(CONTRACT).values() for day in days), default=None)
    completeness = covered(bank.as_of, 90, bank.first_row(CONTRACT), latest)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = events.get(party.party_id)
        recent = [each for each in mine or [] if within(each["known"], bank.as_of, 30)]
        devices = {each["device_id_token"] for each in mine or [] if within(each["known"], bank.as_of, 90)} - {None}
        return {
            "app_days_30d": len({each["known"] for each in recent}) if mine else None,
            "app_logins_30d": sum(each["event_type"] == "login" for each in recent) if mine else None,
            "product_views_30d": sum(each["event_type"] == "view_product" for each in recent) if mine else None,
            "app_devices_90d": len(devices) if mine else None,
            "app_completeness": completeness if mine else share(0, 1),
        }

    return tell
