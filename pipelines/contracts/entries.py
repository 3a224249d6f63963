"""A list of entries that people and commands keep in one YAML file: an entry is put at its end, the rest stays.

What belongs here: adding to such a file. What does not: what an entry is, and who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.model import ContractError
from pipelines.settings import write_private


def append(
    file: Path,
    field: str,
    header: str,
    new: Sequence[dict[str, Any]],
    read: Callable[[Path], Sequence[Any]],
    wanted: Sequence[Any],
) -> None:
    """Put `new` at the end of the list `field` of `file`, which `header` begins where there is no file yet.

    What people wrote above stays, comments and all. `read` must then give `wanted`; or else the file stays as it was.
    Raises ContractError where it cannot be read, or the list is not its last field.
    """
    text = file.read_text(encoding="utf-8").rstrip() + "\n" if file.exists() else header
    text = re.sub(rf"^{field}:[ \t]*(\[ *\]|null|~)", f"{field}:", text, flags=re.MULTILINE)
    indent = re.search(rf"^{field}:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", text, re.MULTILINE)
    added = yaml.safe_dump(list(new), sort_keys=False, allow_unicode=True, width=120)
    shift = indent[1] if indent else "  "
    trial = file.with_name(f".{file.name}.trial")
    write_private(trial, (text + "".join(f"{shift}{line}\n" for line in added.splitlines())).encode())
    try:
        if tuple(read(trial)) != tuple(wanted):
            raise ContractError(f"{file}: `{field}` is not the last field of the file; move it to the end")
        trial.replace(file)
    finally:
        trial.unlink(missing_ok=True)
