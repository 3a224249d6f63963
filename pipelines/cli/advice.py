"""What to do about a failure whose words, those of a library, do not say it: a full disk, a damaged file of the lake.

Belongs here: advice that follows from the words and from the machine. Does not belong here: errors that the platform
raises itself, which say what to do on their own.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

from pipelines.settings import Home

_LITTLE = 1 << 30  # bytes


def advice(home: Home, words: str) -> Iterator[str]:
    """Lines to show after the words of a failure in `home`; none where nothing is known."""
    for name in dict.fromkeys(re.findall(rf"'({re.escape(str(home.lake))}/[^']+\.parquet)'", words)):
        yield f"if {name} is damaged, move it away and run again: it is landed anew, its delivery must be there"
    if home.path.exists() and (free := shutil.disk_usage(home.path).free) < _LITTLE:
        yield f"only {free >> 20} MB of space are left on the disk of {home.path}: free some, then run again"
