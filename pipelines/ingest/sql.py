"""How Python values are written into SQL text."""

from __future__ import annotations

import re
from pathlib import Path


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def pattern(path: Path) -> str:
    """`path` where the engine expects a glob pattern: no character of it stands for another."""
    return re.sub(r"([*?[])", r"[\1]", str(path))
