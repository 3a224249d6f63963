"""Tells people and systems what came of a run: a log file, a webhook, e-mail.

What belongs here: what is said, and that a sink which fails or hangs costs the night little. What does not: what came
of the run (`outcome`). No text of an error is handed on, since it may quote what was delivered: only names of contracts
and gates, dates and counts leave this machine.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pipelines.settings import PRIVATE_FILE, InputError

if TYPE_CHECKING:
    from pipelines.contracts.load import Catalog
    from pipelines.settings import Settings


class NoEncryption(Exception):
    """The mail server takes no encrypted connection, so no password is sent to it."""


Sink = Callable[[dict[str, Any]], None]
_NAME = re.compile(r"([a-z_]+\.[a-z_0-9]+)(?:/([a-z_]+\.[a-z_0-9]+))?")
_NEXT = {"ContractError": "zhongtai contracts check", "Refused": "zhongtai gates show <candidate>"}
_KINDS = {"InputError": "bad input", "ContractError": "bad input", "Refused": "refused"}


def told(catalog: Catalog | None, outcome: dict[str, Any], error: BaseException | None) -> dict[str, Any]:
    """What is said of a run: `outcome` as `nightly --json` prints it, without its error but for the names in it.

    There is no catalog where contracts cannot be read: then the run names its bank, and at most its business date.
    """
    checks = {name: outcome.get("checks", {}).get(name, 0) for name in ("passed", "failed", "warned")}
    return {
        "bank": outcome["bank"],
        "business_date": outcome["business_date"],
        "status": outcome.get("status", "failed"),
        "release": outcome.get("release"),
        "content_hash": outcome.get("content_hash"),
        "checks": checks,
        "arrivals": outcome.get("arrivals", {}),
        "warned": names_in(catalog, " ".join(outcome.get("warnings", ()))),
        "seconds": outcome.get("seconds", {}).get("total"),
        "trouble": None if error is None else _KINDS.get(type(error).__name__, "failure"),
        "concerns": [] if error is None else names_in(catalog, str(error)),
        "next": _next(outcome, error),
    }


def names_in(catalog: Catalog | None, text: str) -> list[str]:
    """Gates, contracts and products that a text names, in order; nothing else of it."""
    from pipelines.audit.gates import REGISTRY

    contracts, found = catalog.all() if catalog else {}, []
    for first, second in _NAME.findall(text):
        if first in REGISTRY:
            found.append(f"{first}/{second}" if second in contracts else first)
        else:
            found += [name for name in (first, second) if name in contracts]
    return list(dict.fromkeys(found))


def send(settings: Settings, message: dict[str, Any]) -> list[str]:
    """Hand `message` to every sink at once; returns in words which did not take it within the time allowed.

    A sink that hangs is left behind: its thread ends with the process.
    """
    if settings.alert_when == "trouble" and message["status"] == "published" and not message["checks"]["warned"]:
        return []
    try:
        sinks = sinks_of(settings)
    except InputError as error:
        return [str(error)]
    faults: dict[str, str] = {}

    def attempt(name: str, sink: Sink) -> None:
        try:
            sink(message)
            faults.pop(name)
        except Exception as error:  # whatever it is, it is the sink's and not the night's
            faults[name] = f"{name}: {type(error).__name__}"

    threads = []
    for name, sink in sinks.items():
        faults[name] = f"{name}: no answer within {settings.alert_timeout:g} seconds"
        threads.append(threading.Thread(target=attempt, args=(name, sink), name=f"alert-{name}", daemon=True))
    for thread in threads:
        thread.start()
    _wait(threads, settings.alert_timeout)
    return [faults[name] for name in sinks if name in faults]


def sinks_of(settings: Settings) -> dict[str, Sink]:
    """The sinks that are configured. Raises InputError where one is configured by half."""
    sinks: dict[str, Sink] = {}
    if settings.alert_log is not None:
        path = settings.alert_log
        sinks["log"] = lambda message: _append(path.expanduser(), message)
    if settings.alert_webhook is not None:
        url = settings.alert_webhook
        if urlsplit(url).scheme not in ("http", "https"):
            raise InputError("ZHONGTAI_ALERT_WEBHOOK: not an http or https address; correct it")
        sinks["webhook"] = lambda message: _post(url, message, settings.alert_timeout)
    if settings.alert_mail_to is not None:
        server, sender, to = settings.alert_smtp, settings.alert_mail_from, settings.alert_mail_to
        if server is None or urlsplit(server).scheme not in ("smtp", "smtps") or sender is None:
            raise InputError("ZHONGTAI_ALERT_MAIL_TO needs ZHONGTAI_ALERT_SMTP, as smtp://host:25, and ..._MAIL_FROM")
        sinks["mail"] = lambda message: _mail(server, sender, to, message, settings.alert_timeout)
    return sinks


def subject(message: dict[str, Any]) -> str:
    """One line that says what came of the run."""
    concerned = f": {', '.join(message['concerns'][:3])}" if message["concerns"] else ""
    return " ".join(filter(None, (message["bank"], message["business_date"], f"{message['status']}{concerned}")))


def _next(outcome: dict[str, Any], error: BaseException | None) -> str:
    if error is None:
        return "zhongtai releases show"
    return _NEXT.get(type(error).__name__, "the run's own output, on its machine")


def _wait(threads: Iterable[threading.Thread], seconds: float) -> None:
    import time

    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))


def _append(path: Any, message: dict[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, PRIVATE_FILE)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(json.dumps(message, ensure_ascii=False) + "\n")


def _post(url: str, message: dict[str, Any], seconds: float) -> None:
    from urllib.request import Request, urlopen

    body = json.dumps({"text": subject(message), **message}, ensure_ascii=False).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=seconds) as answer:
        answer.read(1)


def _mail(server: str, sender: str, to: str, message: dict[str, Any], seconds: float) -> None:
    import smtplib
    import ssl
    from email.message import EmailMessage
    from email.utils import formatdate

    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"], letter["Date"] = subject(message), sender, to, formatdate()
    letter.set_content(json.dumps(message, ensure_ascii=False, indent=2) + "\n")
    place = urlsplit(server)
    # Certificates are those that OpenSSL trusts on this machine, or the file that SSL_CERT_FILE names.
    host, port, trusted = place.hostname or "", place.port or 0, ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, port, timeout=seconds, context=trusted)
        if place.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=seconds)
    ) as smtp:
        if place.scheme == "smtp":
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=trusted)
            elif place.username:
                raise NoEncryption
        if place.username:
            smtp.login(unquote(place.username), unquote(place.password or ""))
        smtp.send_message(letter)
