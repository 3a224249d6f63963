"""The command `python verify.py`: which pack is looked at, and plain words for whoever looks.

Belongs here: arguments, words, exit codes (0 everything fits, 1 it does not, 2 bad usage).
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .archive import Broken
from .pack import Archive, Folder, check_pack

FITS, BROKEN, BAD_USAGE = 0, 1, 2
_USAGE = """usage: python verify.py [PACK.tar | FOLDER] [--key KEY]

Says whether a pack is what the bank signed. Without a name it looks at the folder in which verify.py lies.
KEY is the fingerprint (16 hex digits or more) that the bank told you on another way than with this pack.
"""


def main(arguments: list[str], here: Path) -> int:
    """Look at one pack and say what was found; `here` is the folder that is looked at by default."""
    places, key, rest = [], None, list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--key" and rest:
            key = rest.pop(0)
        elif word.startswith("-"):
            return _say(_USAGE, BAD_USAGE)
        else:
            places.append(Path(word))
    if len(places) > 1 or not (place := [*places, here][0]).exists():
        return _say(_USAGE, BAD_USAGE)
    try:
        return _say(_words(look(place, key), key), FITS)
    except Broken as error:
        return _say(f"NOT VERIFIED: {error}\n", BROKEN)


def look(place: Path, key: str | None = None) -> dict[str, Any]:
    """What `check_pack` finds at `place`, a file or a folder. Raises Broken, whatever is wrong."""
    try:
        with ExitStack() as stack:
            if place.is_dir():
                return check_pack(Folder(place), key)
            return check_pack(Archive(stack.enter_context(place.open("rb")), place.name), key)
    except OSError as error:
        raise Broken(f"{error.filename} cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Broken(f"a file does not have the form that it must have ({error!r})") from error


def _words(found: dict[str, Any], key: str | None) -> str:
    said, passed = found["statement"], found["checks"] - len(found["not_passed"])
    previous = said["previous"]
    lines = [
        f"VERIFIED: release {said['release']} of {said['bank']}, business date {said['business_date']}",
        f"  signed       {said['signed_at']} with the key {said['key']}",
        f"  content      {said['content_hash']}",
        f"  files        {found['content']} of {found['files']} files of the release are in this pack and have the "
        f"hash that was signed; of the others the hash was signed",
        f"  checks       {passed} of {found['checks']} passed",
        *(f"               {words}" for words in found["not_passed"]),
        f"  follows on   {previous['release'] + ' ' + previous['statement_sha256'] if previous else 'nothing'}",
    ]
    if key is None:
        lines.append(
            f"Anybody can sign. Ask the bank, on another way than with this pack, whether {said['key']} is its key,\n"
            f"and look again with --key."
        )
    return "\n".join(lines) + "\n"


def _say(words: str, code: int) -> int:
    sys.stdout.write(words)
    return code
