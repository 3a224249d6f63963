"""In what form a feed is delivered: the bytes of a file or the rows of a table, and where they lie on which date.

What belongs here: the parts of a feed's file that describe its deliveries, each read strictly. What does not: whether
they agree with each other and with the contract (`feed`), and any look at a delivery (`pipelines.ingest`).
"""

from __future__ import annotations

import codecs
import re
from datetime import date
from pathlib import PurePosixPath
from string import Formatter
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from pipelines.contracts.document import Strict

Name = Annotated[str, StringConstraints(min_length=1)]
Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]
Position = Annotated[int, Field(ge=1)]
# `modified`: the time that a place states of a file is when it arrived; `unknown`: it is the sender's, or anybody's;
# `simulated`: it is, by the clock of a simulated world, which is not that of the runs.
Stamps = Literal["modified", "unknown", "simulated"]
# Stands for the business date in the SQL of a table; passed as a parameter, never written into the text.
DATE = "{date}"
_DIRECTORIES = ("home", "public_data", "project")
_PASSWORD = re.compile(r"://[^/?#]*:[^/?#@{]+@|://[^{]*[?]")


class Trailer(Strict):
    """The last record, which starts with `prefix`; positions count fields from 1.

    In a fixed-width file `widths` cut it into fields.
    """

    prefix: Name
    rows: Position | None = None
    sums: dict[str, Position] = Field(default_factory=dict)
    widths: tuple[Position, ...] = ()


class Format(Strict):
    """How a delivery becomes rows of text. `widths` are bytes of the encoding."""

    type: Literal["csv", "jsonl", "parquet", "fixed", "postgres"]
    delimiter: Character = ","
    quote: Annotated[str, StringConstraints(max_length=1)] = '"'
    encoding: str = "utf-8"
    header: bool = True
    fields: tuple[Name, ...] = ()
    widths: dict[Name, Position] = Field(default_factory=dict)
    trailer: Trailer | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError("not an encoding; write one as utf-8, gb18030 or ascii") from None
        return name

    @property
    def is_text(self) -> bool:
        """Whether its bytes are lines of text in `encoding`."""
        return self.type in ("csv", "jsonl", "fixed")

    @property
    def ends_lines_otherwise(self) -> bool:
        """Whether a line end of its encoding is other than that of ASCII."""
        try:
            return "\r\n 0A".encode(codecs.lookup(self.encoding).name.removesuffix("-sig")) != b"\r\n 0A"
        except (UnicodeError, LookupError):
            return True


class _Where(Strict):
    """A file below the place where the bank delivers, or, of a database, a table or a query."""

    path: str = ""
    table: Name | None = None
    query: Name | None = None
    where: Name | None = None

    @property
    def name(self) -> str:
        """What is delivered, in a few words."""
        return self.path or self.table or "query"


class History(_Where):
    """One file with many dates; rows known after `through` come in daily files.

    `through_file` is a file delivered beside it that states that date; without it there is no history yet.
    """

    through: date | None = None
    through_file: str | None = None

    @field_validator("path", "through_file")
    @classmethod
    def _below(cls, path: str | None) -> str | None:
        return _stays(path)


class Daily(_Where):
    """One file per business date; `flag` is the file, `ready` the query that says the delivery is complete."""

    flag: str | None = None
    ready: Name | None = None

    @field_validator("path", "flag")
    @classmethod
    def _dated(cls, path: str | None) -> str | None:
        if path:
            try:
                written = path.format(date=date(2001, 2, 3))
                differ = written != path.format(date=date(2010, 11, 12))
            except (KeyError, IndexError, ValueError):
                differ = False
            if not differ:
                raise ValueError("names the same file every day; write the date as {date:%Y%m%d}")
            _stays(written)
        return path


def check_place(text: str) -> str:
    """`text`, a directory or URL with what stands for a part of it. Raises ValueError for what stands for nothing."""
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError:
        parts = [("", "", "", "")]
    for _, name, spec, conversion in parts:
        known = (name in _DIRECTORIES and not spec) or (name == "env" and re.fullmatch(r"[A-Za-z_]\w*", spec or ""))
        if not known or conversion:
            raise ValueError("only {home}, {public_data}, {project} and {env:NAME} stand for a part of it")
    return text


def holds_secret(place: str | None) -> bool:
    """Whether a URL states a password or a query, which may be one, instead of an environment variable."""
    return bool(place and _PASSWORD.search(place))


def _stays(path: str | None) -> str | None:
    if path and (path.startswith(("/", "~")) or "://" in path or "\\" in path or ".." in PurePosixPath(path).parts):
        raise ValueError("leaves the place where the bank delivers; write a path below it, a place of its own under at")
    return path
