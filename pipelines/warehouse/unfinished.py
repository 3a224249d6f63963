"""From which business date on the facts are in doubt, because a build of them was begun and did not end well.

dbt writes the facts of a date and its digest before the checks that may refuse them, and some facts before others. So a
build that is refused or killed leaves dates that look as if nothing had to be done about them: once the past is what it
was, their digests say so too. Belongs here: the mark that a build makes first and takes away once all of it held. It
lies beside the warehouse file, for it speaks of that file alone.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines.settings import Home, make_durable, write_private


def unfinished_since(home: Home) -> date | None:
    """First business date of the builds that did not end well; None where the last one did."""
    path = _mark(home)
    return date.fromisoformat(path.read_text()) if path.exists() else None


def begin(home: Home, first: date) -> None:
    """Note durably that the facts from `first` on are about to be written, beside what is in doubt already."""
    since = unfinished_since(home)
    if since is None or first < since:
        write_private(_mark(home), first.isoformat().encode())
        make_durable(_mark(home).parent)


def finish(home: Home, first: date) -> None:
    """Note that every fact from `first` on was written, and that every check of them held."""
    since = unfinished_since(home)
    if since is not None and first <= since:
        _mark(home).unlink()


def _mark(home: Home) -> Path:
    return home.warehouse.with_name("unfinished")
