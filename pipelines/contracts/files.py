"""Files below `data_contracts/`: which of them count, and how they may be called.

What belongs here: names of files. What does not: what stands in one (`document`), and which folder holds what (`load`).
"""

from __future__ import annotations

from pathlib import Path

from pipelines.contracts.model import ContractError

# Each release keeps them in an archive, which has 100 bytes for a name and takes `record/data_contracts/` of these.
LONGEST = 78


def contract_files(root: Path) -> list[Path]:
    """Every file of contracts. Raises ContractError for one whose name the archive of a release does not take."""
    found = sorted(path for path in root.rglob("*.yaml") if path.is_file() and not path.name.startswith("."))
    for path in found:
        name = path.relative_to(root).as_posix()
        if len(name) > LONGEST or any(not "!" <= character <= "~" for character in name):
            raise ContractError(
                f"{path}: no release could keep it under this name; use at most {LONGEST} characters from the folder "
                f"of contracts on, all of ASCII and none a space"
            )
    return found
