"""The byte order mark at the begin of a text delivery: there is one exactly where it was agreed."""

from __future__ import annotations

import zlib
from codecs import lookup
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pipelines.ingest.deliveries import Delivery
    from pipelines.ingest.faults import DeliveryFault

_MARK = "\ufeff"


def check_mark(delivery: Delivery) -> None:
    """Raise DeliveryFault where a mark is missing that was agreed, or is there without being agreed."""
    from pipelines.ingest.text import open_bytes  # which knows deliveries, whose check this is

    encoding = lookup(delivery.feed.format.encoding).name
    plain = encoding.removesuffix("-sig")
    if encoding.startswith(("utf-16", "utf-32")) and not encoding.endswith(("le", "be")):
        return  # these begin with a mark by themselves
    try:
        mark = _MARK.encode(plain)
    except UnicodeEncodeError:
        return
    try:
        with open_bytes(delivery.path) as file:
            head = file.read(len(mark))
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise delivery.unreadable(error) from error
    marked, agreed = head == mark, plain != encoding
    if agreed and head and not marked:
        raise delivery.fault(
            "wrong_encoding", "line 1: does not begin with the byte order mark that was agreed",
            f"ask {delivery.contract.owner} for the file with it, or set encoding: utf-8 in {delivery.feed.path}",
        )  # fmt: skip
    if marked and not agreed:
        raise unagreed(delivery)


def unagreed(delivery: Delivery) -> DeliveryFault:
    """The fault of a mark that was not agreed, or of one more than was."""
    utf_8 = lookup(delivery.feed.format.encoding).name == "utf-8"
    instead = f", or set encoding: utf-8-sig in {delivery.feed.path}" if utf_8 else ""
    return delivery.fault(
        "wrong_encoding", "line 1: begins with a byte order mark, which was not agreed",
        f"ask {delivery.contract.owner} for the file without it{instead}",
    )  # fmt: skip
