"""Which tests run in one process where several processes run them.

Belongs here: the scheduler alone. A fixture of a session is made in every process that needs it: where it takes long,
the files that use it stay together.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

PROJECT = Path(__file__).resolve().parents[1]
# Whose tests each take long, and share what they begin with between processes.
EACH = "tests/faults/"
# Names of fixtures that take long to make.
COSTLY = ("simbank", "matured", "xiaocheng", "pkdd99_home", "compiled", "two_nights")


class ByFixture(LoadScopeScheduling):
    """Sends files to processes; tests that share a costly fixture go to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(EACH) else _group(*nodeid.partition("[")[0].split("::")[::2])


@cache
def _group(file: str, test: str = "") -> str:
    """The costly fixture that a test names itself, else the one that its file names first, else the file."""
    # A process that schedules has names of tests and no fixtures: those it reads in the parameters of the file.
    text = (PROJECT / file).read_text("utf-8")
    parameters = dict(re.findall(r"^def (\w+)\(([^)]*)\)", text, flags=re.MULTILINE))
    for named in (parameters.get(test, ""), " ".join(parameters.values())):
        if (group := next((name for name in COSTLY if re.search(rf"\b{name}\b", named)), None)) is not None:
            return group
    return file
