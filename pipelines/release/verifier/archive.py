"""The one form of an archive, so that every byte of it is held: plain ustar, members in order of their names.

Belongs here: writing it, and reading it strictly. There is no owner and no time in it, nothing between its members and
nothing behind its end. Does not belong here: what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

_BLOCK, _LARGEST = 512, 8**11


class Broken(Exception):
    """Something is not what was signed or written. The message says what."""


def write_archive(out: BinaryIO, files: Iterable[tuple[str, int, Iterable[bytes]]]) -> None:
    """Write files (name, size, content in pieces), which come in the order of their names."""
    for name, size, pieces in files:
        out.write(_header(name, size))
        for piece in pieces:
            out.write(piece)
        out.write(b"\0" * (-size % _BLOCK))
    out.write(b"\0" * _BLOCK * 2)


def read_archive(archive: BinaryIO, what: str) -> Iterator[tuple[str, int, int]]:
    """Name, place and size of each file. Raises Broken at the first byte that `write_archive` would not write."""
    last, place, end = "", 0, archive.seek(0, 2)
    while True:
        archive.seek(place)
        block = archive.read(_BLOCK)
        if block == b"\0" * _BLOCK:
            break
        name, size = _named(block)
        behind = place + _BLOCK + size
        following = behind + -size % _BLOCK
        if size < 0 or block != _header(name, size) or name <= last or following > end:
            raise Broken(f"{what} is not as it was written, from byte {place} on")
        archive.seek(behind)
        if any(archive.read(following - behind)):
            raise Broken(f"{what} is not as it was written behind {name}, from byte {behind} on")
        yield name, place + _BLOCK, size
        last, place = name, following
    if archive.read() != block:
        raise Broken(f"{what} does not end as it was written, from byte {place} on")


def _named(block: bytes) -> tuple[str, int]:
    """Name and size that a header states; the size is -1 where it is no header of ours."""
    name, digits = block[:100].rstrip(b"\0"), block[124:135]
    if not _fits(name) or len(digits) < 11 or set(digits) - set(b"01234567"):
        return "", -1
    return name.decode("ascii"), int(digits, 8)


def _fits(name: bytes) -> bool:
    """Whether a file may be called so: printable ASCII without a space."""
    return 0 < len(name) <= 100 and all(33 <= byte <= 126 for byte in name)


def _header(name: str, size: int) -> bytes:
    encoded = name.encode()
    if not _fits(encoded) or size >= _LARGEST:
        raise ValueError(f"{name}: its name or size does not fit into an archive")
    start = encoded.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"%011o\0" % 0
    end = (b"0".ljust(101, b"\0") + b"ustar\00000").ljust(_BLOCK - 156, b"\0")
    # The checksum counts its own eight bytes as spaces.
    return start + b"%06o\0 " % (sum(start) + sum(end) + 8 * ord(" ")) + end
