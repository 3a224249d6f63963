"""Spoils the deliveries of the last date simulated, and writes beside them what a night must make of it.

Belongs here: which delivery a fault is about, and its verdict in `expected/<fault>.json`. Does not belong here: the
faults (`catalogue`).
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.settings import InputError, make_directory, write_private
from pipelines.simulation.book import Request
from pipelines.simulation.crm import CrmDatabase
from pipelines.simulation.faults.catalogue import FAULTS, IN_DATABASE, QUARANTINED, REFUSED, Fault
from pipelines.simulation.faults.spoiled import Spoiled


def chosen(names: tuple[str, ...], crm: str) -> list[Fault]:
    """The faults of these names. Raises InputError where there is none, or two would spoil the same delivery."""
    if unknown := [name for name in names if name not in FAULTS]:
        raise InputError(f"--fault {unknown[0]}: there is no such fault; `zhongtai simulate --fault list` shows them")
    picked = [FAULTS[name] for name in dict.fromkeys(names)]
    places = [(fault.contract, fault.source) for fault in picked]
    if len(set(places)) < len(places):
        raise InputError("--fault: two of these spoil the same delivery, and no verdict would hold; give one of them")
    for fault in picked:
        if (fault.contract, fault.source) == ("crm.customer", "crm") and (crm == "postgres") != _in_database(fault):
            other = "--crm postgres" if _in_database(fault) else "the CRM as a file"
            raise InputError(f"--fault {fault.name}: spoils {other}; simulate that")
    return picked


def spoil(faults: list[Fault], request: Request, feeds: tuple[Feed, ...], catalog: Catalog,
          crm: CrmDatabase | None) -> list[Path]:  # fmt: skip
    """Spoil the deliveries of the last date; returns where their verdicts are."""
    written = []
    for fault in faults:
        feed = next(feed for feed in feeds if (feed.contract, feed.source) == (fault.contract, fault.source))
        of = _delivery(feed, catalog.contract(feed.contract), request, crm)
        came = of.path.stat() if of.path.is_file() else None
        fault.edit(of)
        if came is not None and of.path.is_file():  # spoiled where it was written, not on its way
            os.utime(of.path, ns=(came.st_atime_ns, came.st_mtime_ns))
        path = make_directory(request.out / "expected") / f"{fault.name}.json"
        write_private(path, (json.dumps(_verdict(fault, of), ensure_ascii=False, indent=1) + "\n").encode())
        written.append(path)
    return written


def _delivery(feed: Feed, contract: Contract, request: Request, crm: CrmDatabase | None) -> Spoiled:
    assert feed.daily is not None
    day, before = request.last, request.last - timedelta(days=1)
    flag = request.deliveries / feed.daily.flag.format(date=day) if feed.daily.flag else None
    path, earlier = (request.deliveries / feed.daily.path.format(date=each) for each in (day, before))
    return Spoiled(feed, contract, day, path, flag, earlier, crm)


def _verdict(fault: Fault, of: Spoiled) -> dict[str, object]:
    verdict, rule, bad = fault.verdict, fault.rule, fault.bad
    if verdict == QUARANTINED and bad > Decimal(str(of.contract.reject_limit)) * of.count():
        # Of so few rows, these are too many: the whole delivery is refused.
        verdict, rule, bad = REFUSED, "reject_limit", 0
    return {
        "fault": fault.name,
        "description": fault.description,
        "contract": fault.contract,
        "source": fault.source,
        "business_date": of.day.isoformat(),
        "file": of.feed.daily.name.format(date=of.day) if of.feed.daily else "",
        "verdict": verdict,
        "rule": rule,
        "quarantined": bad,
    }


def _in_database(fault: Fault) -> bool:
    return fault.name in IN_DATABASE
