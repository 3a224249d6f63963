"""Packs: a release for an auditor, in one archive that is verified without the bank.

Belongs here: putting one together from a release and its record; the same release gives the same bytes. Does not belong
here: what is in the record (`record`), and what must hold of a pack (`verifier.pack`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.release.catalogue import Release
from pipelines.release.refused import Refused
from pipelines.release.statement import UNSIGNED, is_signed
from pipelines.release.verifier.archive import Broken, write_archive
from pipelines.release.verifier.command import look
from pipelines.release.verifier.pack import IMPERSONAL, INSIDE, PEM, inside, pem
from pipelines.release.verifier.signed import NAMED, RECORD, SIGNATURE, STATEMENT, read_signature
from pipelines.settings import PRIVATE_FILE, InputError, make_durable

_PIECE = 1 << 20


def write_pack(release: Release, out: Path, *, with_content: bool = False) -> int:
    """Write the pack of a release that was verified to a new file, whole or not at all; return how many files it has.

    `with_content` adds every published Parquet file. Raises InputError where `out` is there or cannot be written, and
    Refused for a release without a signature, and where its own verifier would not accept the pack.
    """
    if not is_signed(release.path):
        raise Refused(f"{release.id} is {UNSIGNED}; publish its night again in this home, or hand over the directory")
    try:
        files = _files(release, with_content)
    except Broken as error:
        raise _unfit(release, error) from error
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            write_archive(file, ((f"{release.id}/{name}", *_content(files[name])) for name in sorted(files)))
            file.flush()
            os.fsync(file.fileno())
        look(temporary)
        os.link(temporary, out)  # never in place of another file
        make_durable(out.parent)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}; name a new file in a directory of your own") from error
    except (Broken, ValueError) as error:  # a name that does not fit into an archive is a ValueError
        raise _unfit(release, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return len(files)


def _unfit(release: Release, error: Exception) -> Refused:
    return Refused(
        f"{release.id}: whoever verifies a pack of it would be told: {error}. Rename what `zhongtai contracts check` "
        f"does not take, publish its night again, and pack what comes of it"
    )


def _files(release: Release, with_content: bool) -> dict[str, bytes | Path]:
    """What belongs into the pack, by name: bytes, or the file that holds them."""
    public_key, _ = read_signature((release.path / SIGNATURE).read_bytes())
    record = inside((release.path / RECORD).read_bytes())
    content = [name for name in release.manifest["files"] if with_content or name in IMPERSONAL]
    return {
        **{name: release.path / name for name in (*NAMED, STATEMENT, SIGNATURE, *content)},
        **{name: file for name, file in record.items() if not name.startswith(INSIDE)},
        PEM: pem(public_key),
    }


def _content(file: bytes | Path) -> tuple[int, Iterator[bytes]]:
    if isinstance(file, bytes):
        return len(file), iter([file])
    return file.stat().st_size, _pieces(file)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
