"""Bytes to chunks of whole lines in UTF-8, for readers that take many lines at once; the trailer is held back.

What is out of the ordinary raises `Unsure` or the error it is: then `text` reads the file, line by line, and finds
the fault's words. What a line means is not known here.
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from collections import deque
from collections.abc import Iterator

import pyarrow as pa

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.text import BYTE_ORDER_MARK, Declared, open_bytes, trailer_of

_SIZE = 4 << 20
_LONGEST = 16 << 20
MARK = BYTE_ORDER_MARK.encode()
# Encodings in which a line feed is never a part of another character and nothing carries over from line to line.
_BY_LINE = {"ascii", "utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "big5", "iso8859-1", "cp1252"}


class Unsure(Exception):
    """The file may be one that only the exact reader reads rightly."""


# What a fast reader may meet in a file that the exact one has to look at, to read it or to say what is wrong.
LEAVE = (Unsure, DeliveryFault, UnicodeError, OSError, EOFError, zlib.error, csv.Error, pa.ArrowException)


class Chunks:
    """The lines of a delivery without its trailer, many at a time; `declared` is there once all were given out."""

    def __init__(self, delivery: Delivery) -> None:
        self.declared: Declared | None = None
        self._delivery = delivery
        self._given = self._all()

    def __iter__(self) -> Iterator[bytes]:
        return self._given

    def _all(self) -> Iterator[bytes]:
        chunks = _decoded(self._delivery)
        if self._delivery.feed.format.trailer is not None:
            chunks = self._hold_trailer_back(chunks)
        yield from (chunk for chunk in chunks if chunk)

    def _hold_trailer_back(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        held = b""
        for chunk in chunks:
            if _last_line(chunk) is None:
                held += chunk
            else:
                yield held
                held = chunk
        place = _last_line(held)
        if place is None or lone_return(held):
            raise Unsure
        yield held[: place[0]]
        self.declared = trailer_of(self._delivery, held[slice(*place)].decode().rstrip("\r\n"))


class Lines:
    """The lines of one chunk, one by one, and of those after it for as long as they are asked for."""

    def __init__(self, chunk: bytes, following: Iterator[bytes]) -> None:
        self._left = deque(_lines(chunk))
        self._following = following

    def __iter__(self) -> Iterator[str]:
        while True:
            while self._left:
                yield self._left.popleft()
            chunk = next(self._following, None)
            if chunk is None:
                return
            self._left.extend(_lines(chunk))

    def at_end(self) -> bool:
        """Whether a chunk ends here, so that the next one may be read otherwise."""
        return not self._left


def lone_return(chunk: bytes) -> bool:
    """Whether a carriage return ends a line by itself."""
    return b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n")


def _lines(chunk: bytes) -> Iterator[str]:
    return io.StringIO(chunk.decode(), newline="")


def _last_line(chunk: bytes) -> tuple[int, int] | None:
    """Where the last line that is not empty begins and ends."""
    end = len(chunk)
    while end > 0:
        start = chunk.rfind(b"\n", 0, end - 1) + 1
        if chunk[start:end].decode().strip():
            return start, end
        end = start
    return None


def _decoded(delivery: Delivery) -> Iterator[bytes]:
    encoding = codecs.lookup(delivery.feed.format.encoding).name
    if encoding not in _BY_LINE:
        raise Unsure
    begun = False
    for chunk in _whole_lines(delivery):
        if not begun and encoding == "utf-8-sig":
            chunk = chunk.removeprefix(MARK)
        if not chunk.isascii():
            text = chunk.decode(encoding.removesuffix("-sig"))  # also where it is UTF-8 already, to find a wrong byte
            chunk = chunk if encoding.startswith("utf-8") else text.encode()
        if not begun and (not chunk or chunk.startswith(MARK)):
            raise Unsure
        begun = True
        yield chunk
    if not begun:
        raise Unsure


def _whole_lines(delivery: Delivery) -> Iterator[bytes]:
    with open_bytes(delivery.path) as raw:
        rest = b""
        while block := raw.read(_SIZE):
            end = block.rfind(b"\n") + 1
            if end:
                yield rest + block[:end]
                rest = block[end:]
            elif len(rest) > _LONGEST:
                raise Unsure
            else:
                rest += block
        if rest:
            yield rest
