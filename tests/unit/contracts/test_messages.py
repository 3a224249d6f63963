"""Every way in which a file of contracts can be wrong, and the words its author gets: file, field, rule, what to do."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Folder

TABLES = sorted((Path(__file__).parent / "messages").glob("*.yaml"))
CASES = {
    f"{table.stem}: {case['case']}": case
    for table in TABLES
    for case in yaml.safe_load(table.read_text(encoding="utf-8"))
}
# Words that tell the reader what to do, in a message that has no part of its own for it.
INSTRUCTIONS = ("give ", "use ", "say ", "write ", "name ", "call ", "remove ", "must ", "number ")


def spoil(folder: Folder, case: dict[str, Any]) -> Path:
    path = folder.root / case["file"]
    for manner, place in ((shutil.move, case.get("move")), (shutil.copy, case.get("copy"))):
        if place:
            target = folder.root / place
            target.parent.mkdir(exist_ok=True)
            manner(path, target)
            return target
    if case.get("remove"):
        path.unlink()
        return path
    return folder.edit(case["file"], case.get("replace", ""), case["by"])


@pytest.mark.parametrize("name", CASES)
def test_says_what_is_wrong(folder: Folder, name: str) -> None:
    case = CASES[name]
    path = spoil(folder, case)
    blamed = folder.root / case["blames"] if "blames" in case else path
    assert folder.refusal() == f"{blamed}: {case['says']}"


@pytest.mark.parametrize("name", CASES)
def test_the_words_fit_on_one_line_and_say_what_to_do(name: str) -> None:
    said = CASES[name]["says"]
    assert "\n" not in said
    assert "pydantic" not in said
    unreadable = said.startswith(("line ", "cannot be read"))
    typed = "it says " in said  # the words of a type, with what was found instead
    assert unreadable or typed or any(word in said for word in INSTRUCTIONS) or "; " in said


def test_no_two_cases_share_a_name() -> None:
    listed = [case["case"] for table in TABLES for case in yaml.safe_load(table.read_text(encoding="utf-8"))]
    assert len(listed) == len(CASES)


def test_the_files_that_were_spoiled_are_good_otherwise(folder: Folder) -> None:
    assert folder.load().all()


def test_an_empty_folder_is_not_an_empty_platform(folder: Folder) -> None:
    root = folder.root / "nowhere"
    said = replace(folder, root=root).refusal()
    assert said == f"{root}: no contract under sources/; name the folder that holds data contracts"


def test_a_bank_that_is_not_there(folder: Folder) -> None:
    there = "pkdd99, simbank, simbank_postgres, xiaocheng"
    with pytest.raises(Exception, match=rf"no bank 'nobank' under .*/feeds; there are: {there}$"):
        folder.load().bank("nobank")
