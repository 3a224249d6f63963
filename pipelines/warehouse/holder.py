"""Who holds the warehouse file: DuckDB lets one process write, or several read, and says who is in the way.

Belongs here: reading that sentence of DuckDB. Raising the error is for who met it.
"""

import re
from pathlib import Path

_HELD = re.compile(r"lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def in_use(warehouse: Path, words: str) -> str | None:
    """What to tell if DuckDB's `words` say that another process holds the file; None if they say something else."""
    held = _HELD.search(words)
    return held and (
        f"{warehouse} is in use by process {held['pid']} ({held['program']}). The build file is private: close that "
        f"connection or end the process, then run again. To look at data, use a release"
    )
