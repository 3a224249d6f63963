"""What is committed installs anywhere, names no machine, and leaves no number without an owner."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project import project_catalog

from pipelines.settings import PROJECT

from .code import name, python, repository, texts

# Written apart, so that this file does not name them itself.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "crates" + ".io", "conda." + "anaconda.org",
              "proxy.go" + "lang.org", "index" + "-url", "find" + "-links"]  # fmt: skip
PLACES = ["/wo" + "rk/", "/ro" + "ot/", "/Us" + "ers/", "/tmp/scr" + "atch", "C:" + "\\\\"]
PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;]+)( ; .*?)?(?=\s+--hash)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def text_files() -> list[tuple[str, str]]:
    found = []
    for path in repository():
        raw = path.read_bytes()
        if b"\0" not in raw[:8192]:
            found.append((name(path), raw.decode("utf-8", errors="replace")))
    return found


@pytest.mark.parametrize("word", REGISTRIES + PLACES)
def test_no_file_names_a_registry_or_a_machine(word: str) -> None:
    assert [file for file, text in text_files() if word in text] == []


def pins() -> dict[str, tuple[str, list[str]]]:
    """Every pinned distribution with its version and the hashes of its files."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = {}
    for line in lines:
        pinned = PINNED.match(line)
        assert pinned, line
        rest = line[pinned.end() :].split()
        assert rest, f"{line} has no hash"
        assert all(HASH.fullmatch(word) for word in rest), line
        found[canonicalize_name(pinned[1])] = (pinned[2], rest)
    return found


def test_every_requirement_is_pinned_by_hash_and_has_no_address() -> None:
    text = (PROJECT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert " @ " not in text
    assert len(pins()) > 50


def declared() -> list[Requirement]:
    document = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [document["project"]["dependencies"], *document["dependency-groups"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_every_dependency_is_among_the_requirements() -> None:
    pinned = pins()
    for requirement in declared():
        version, _ = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} is pinned to {version}"


def test_every_dependency_says_what_it_is_for() -> None:
    lines = (PROJECT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for requirement in declared():
        found = [line for line in lines if re.match(rf'\s+"{re.escape(requirement.name)}[^A-Za-z0-9._-]', line)]
        assert found, requirement.name
        assert all(re.search(r'",\s+# \S+ ?\S', line) for line in found), f"{requirement.name} says not what it is for"


def test_every_threshold_is_used_and_every_used_one_is_there() -> None:
    policy = project_catalog().policy
    thresholds = policy.thresholds
    sql = [path for path in repository() if path.suffix == ".sql"]
    in_sql = {found for path in sql for found in re.findall(r"policy\('([^']+)'\)", path.read_text(encoding="utf-8"))}
    in_code = {text for path in python("pipelines") for text in texts(path) if text in thresholds}
    in_policy = {name for one in policy.gates.turnover.values() for name in (one.entries, one.exits)}
    assert in_sql <= thresholds.keys()
    assert thresholds.keys() - in_sql - in_code - in_policy == set(), "a threshold that nobody reads promises something"


def test_code_asks_for_thresholds_that_are_there() -> None:
    thresholds = project_catalog().policy.thresholds
    for path in python("pipelines"):
        for asked in re.findall(r'thresholds\["([^"]+)"\]', path.read_text(encoding="utf-8")):
            assert asked in thresholds, f"{name(path)} asks for {asked}"
