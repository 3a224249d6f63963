"""Every link of the policy map holds: article, check, and a test that fails where the check is not there.

Belongs here: whether what the map names is there, whether the map names every article that is cited, and whether each
test bites. Does not belong here: what a file of the map may not say (`tests/unit/contracts/messages`).
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.audit.gates import REGISTRY
from pipelines.contracts.load import Catalog
from pipelines.contracts.policy_map import Link
from pipelines.settings import PROJECT

from .conftest import DBT, Compiled
from .without_checks import AWAY, VARIABLE

MESSAGES = PROJECT / "tests" / "unit" / "contracts" / "messages"
NUMBERS = r"[0-9]+(?:\([0-9]+\))*(?:(?:, | and )[0-9]+(?:\([0-9]+\))*)*"
# How laws are cited in contracts, policy and models, and the article of the map that a citation is of.
NAMED = {
    "PIPL": rf"PIPL ({NUMBERS})", "征信业管理条例": rf"征信业管理条例 ({NUMBERS})",
    "征信业务管理办法": rf"征信业务管理办法 ({NUMBERS})", "商业银行金融资产风险分类办法": r"frc\.([0-9]+)",
    "商业银行信用卡业务监督管理办法": r"card\.([0-9]+)\.", "GDPR recital": r"GDPR recital ([0-9]+)",
    "Basel II": r"paragraphs? ([0-9]+)",
}  # fmt: skip
WHOLE = {
    "工信部联企业〔2011〕300号": "工信部联企业〔2011〕300号",
    "银行业保险业消费投诉处理管理办法": "CBIRC order 3 of 2020",
    "金融机构大额交易和可疑交易报告管理办法": "金融机构大额交易和可疑交易报告管理办法",
    "GB 11643": "GB 11643", "GB 32100": "GB 32100", "JR/T 0171": "JR/T 0171", "JR/T 0197": "JR/T 0197",
    "BCBS 239 P3": "BCBS 239", "BCBS 239 P4": "BCBS 239",
}  # fmt: skip
CLASSIFICATION, CARDS = "商业银行金融资产风险分类办法", "92"


def cited(text: str, classification: bool = False) -> set[str]:
    """Articles that a text cites. In a text on the five categories, `article` alone is one of their law."""
    found = {
        f"{law} {number}"
        for law, pattern in NAMED.items()
        for numbers in re.findall(pattern, text)
        for number in re.findall(r"[0-9]+", re.sub(r"\([0-9]+\)", "", numbers))
    }
    if classification:
        for numbers in re.findall(r"\barticles? ([0-9]+(?: to [0-9]+)?)", text):
            first, _, last = numbers.partition(" to ")
            articles = {str(n) for n in range(int(first), int(last or first) + 1)}
            found |= {f"{CLASSIFICATION} {n}" for n in articles - {CARDS}}
            found |= {f"商业银行信用卡业务监督管理办法 {CARDS}"} if CARDS in articles else set()
    return found | {article for article, words in WHOLE.items() if words in text}


def files() -> list[Path]:
    """Every file that may cite a law, but the map itself."""
    folders = ((PROJECT / "data_contracts", "*.yaml"), (DBT / "models", "*.sql"), (DBT / "macros", "*.sql"),
               (PROJECT / "pipelines", "*.py"))  # fmt: skip
    found = [path for folder, pattern in folders for path in sorted(folder.rglob(pattern))]
    return [path for path in found if path.name != "policy_map.yaml" and "simulation" not in path.parts]


def links(catalog: Catalog) -> list[Link]:
    return [link for control in catalog.policy_map.controls for link in control.links]


def test_every_article_that_is_cited_is_in_the_map(catalog: Catalog) -> None:
    known = {control.article for control in catalog.policy_map.controls}
    assert len(known) > 30
    missing = defaultdict(list)
    for path in files():
        text = path.read_text(encoding="utf-8")
        section = path.name.removesuffix(".odcs.yaml") in ("loan_classification", "classification_rules.sql")
        for article in cited(text, classification=section) - known:
            missing[article].append(str(path.relative_to(PROJECT)))
    policy = (PROJECT / "data_contracts/policy.yaml").read_text(encoding="utf-8")
    (of_classes,) = re.findall(r"^  classification:.*?(?=^  [a-z_]+:)", policy, re.MULTILINE | re.DOTALL)
    assert cited(of_classes, classification=True) - known == set()
    assert missing == {}


def test_the_map_names_no_article_that_nobody_cites(catalog: Catalog) -> None:
    everything = {a for path in files() for a in cited(path.read_text("utf-8"), "classif" in path.name)}
    design = {"PIPL 15", "PIPL 47"}  # of the design of consent; no file of the platform cites them
    policy = (PROJECT / "data_contracts/policy.yaml").read_text(encoding="utf-8")
    everything |= cited(policy, classification=True) | design
    assert {control.article for control in catalog.policy_map.controls} - everything == set()


@pytest.mark.parametrize(
    ("text", "articles"),
    [
        ('article: "PIPL 13(1)(6), 27 (to be confirmed)"', {"PIPL 13", "PIPL 27"}),
        ("PIPL 13(1)(1) and 14 (invented bank)", {"PIPL 13", "PIPL 14"}),
        ("征信业管理条例 20; 征信业务管理办法 3", {"征信业管理条例 20", "征信业务管理办法 3"}),
        ("no law", set()),
    ],
)
def test_citations_are_read(text: str, articles: set[str]) -> None:
    assert cited(text) == articles


def test_every_refusal_is_linked_to_each_of_its_articles_or_to_one_of_them(catalog: Catalog) -> None:
    of_refusal = defaultdict(set)
    for control in catalog.policy_map.controls:
        for link in control.links:
            of_refusal[link.check].add(control.article)
    for refusal in catalog.refusals:
        assert of_refusal[f"refusal:{refusal.id}"] & cited(refusal.article), refusal.id


def test_every_gate_of_privacy_is_in_the_map(catalog: Catalog) -> None:
    named = {link.check for link in links(catalog)}
    assert {f"gate:{name}" for name in REGISTRY if name.startswith("privacy.")} <= named


def unit_test(name: str) -> dict[str, Any]:
    """A unit test of dbt, by file and name."""
    path, _, test = name.partition("::")
    tests = yaml.safe_load((PROJECT / path).read_text(encoding="utf-8"))["unit_tests"]
    (found,) = [one for one in tests if one["name"] == test]
    return found


def said(row: dict[str, Any], column: str) -> set[str]:
    """What a row says in a column, whole and part by part."""
    text = "" if row.get(column) is None else str(row[column])
    return {text, *text.split(";")}


def test_every_check_is_there(catalog: Catalog, compiled: Compiled) -> None:
    """Refusals, rules and columns of marts are held by the contracts themselves."""
    for link in links(catalog):
        kind, _, what = link.check.partition(":")
        if kind == "gate":
            assert what in REGISTRY, link.check
        elif kind == "code":
            module, _, function = what.rpartition(".")
            assert callable(getattr(importlib.import_module(module), function, None)), link.check
        elif kind in ("column", "rows"):
            assert what.partition("=")[0].partition(".")[0] in compiled.models, link.check


def test_what_a_model_says_of_an_article_is_in_its_sql(catalog: Catalog, compiled: Compiled) -> None:
    for link in links(catalog):
        kind, _, what = link.check.partition(":")
        place, _, word = what.partition("=")
        if kind == "column" and not re.fullmatch(r"[0-9.]+", word):
            sql = "\n".join([compiled.models[place.partition(".")[0]], *compiled.models.values()])
            for part in word.split(":"):
                assert f"'{part}" in sql or f"{part}'" in sql or f":{part}" in sql, link.check


def test_every_test_is_there(catalog: Catalog) -> None:
    for link in links(catalog):
        path, _, rest = link.test.partition("::")
        if path.endswith(".yml"):
            unit_test(link.test)
            continue
        name, _, case = rest.partition("[")
        tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, link.test
        assert name.startswith("test_"), link.test
        if case and "test_messages" not in path:
            literals = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            assert case.removesuffix("]") in literals, link.test


def test_a_unit_test_shows_where_an_article_applies_and_where_it_does_not(catalog: Catalog) -> None:
    shown = 0
    for link in links(catalog):
        kind, _, what = link.check.partition(":")
        place, _, word = what.partition("=")
        model, _, column = place.partition(".")
        if kind == "column":
            test = unit_test(link.test)
            hits = [word in said(row, column) for row in test["expect"]["rows"]]
            assert test["model"] == model, link
            assert any(hits), f"{link.test}: no row says {word} in {column}"
            assert not all(hits) or len(test["expect"]["rows"]) == 1, f"{link.test}: every row says {word}"
        elif kind == "rows":
            test = unit_test(link.test)
            given = {row["party_id"] for one in test["given"] if isinstance(one["rows"], list) for row in one["rows"]}
            assert test["model"] == model, link
            assert given - {row["party_id"] for row in test["expect"]["rows"]}, f"{link.test}: nobody is left out"
        shown += kind in ("column", "rows")
    assert shown > 20


def of_python(catalog: Catalog, slow: bool) -> list[Link]:
    """Links to tests in Python; `slow` are those that need a home or dbt."""
    return [
        link
        for link in links(catalog)
        if link.check.partition(":")[0] in AWAY
        if link.test.startswith(("tests/pipeline", "tests/contracts")) == slow
    ]


def survivors(chosen: list[Link], place: Path) -> list[str]:
    """Tests of links that do not fail where their check is taken away. Each test runs once with each of its checks."""
    turns: list[dict[str, str]] = []
    for link in sorted(set(chosen), key=str):
        turn = next((one for one in turns if link.test not in one), None)
        if turn is None:
            turns.append(turn := {})
        turn[link.test] = link.check
    alive = []
    for number, turn in enumerate(turns):
        report = place / f"{number}.json"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p",
                   "tests.contracts.without_checks", "-p", "tests.contracts.outcomes", *turn]  # fmt: skip
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "ZHONGTAI_"))}
        environment = clean | {VARIABLE: json.dumps(turn), "OUTCOMES": str(report), "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
        assert report.is_file(), done.stdout[-3000:] + done.stderr[-3000:]
        outcomes = json.loads(report.read_text(encoding="utf-8"))
        for test, check in turn.items():
            of_test = {o for name, o in outcomes.items() if name == test or name.partition("[")[0] == test}
            if "failed" not in of_test:
                alive.append(f"{test} does not fail without {check}: {sorted(of_test)}")
    return alive


@pytest.mark.slow
def test_every_test_fails_without_its_check(catalog: Catalog, tmp_path: Path) -> None:
    chosen = of_python(catalog, slow=False)
    assert len(chosen) > 30
    assert not (alive := survivors(chosen, tmp_path)), "\n".join(alive)


@pytest.mark.slow
def test_every_test_on_models_and_homes_fails_without_its_check(catalog: Catalog, tmp_path: Path) -> None:
    chosen = of_python(catalog, slow=True)
    assert chosen
    assert not (alive := survivors(chosen, tmp_path)), "\n".join(alive)


@pytest.mark.slow
def test_a_test_that_does_not_bite_would_be_seen(tmp_path: Path) -> None:
    harmless = Link(
        check="gate:privacy.no_party_id", test="tests/unit/contracts/test_messages.py::test_no_two_cases_share_a_name"
    )
    (alive,) = survivors([harmless], tmp_path)
    assert alive.endswith("does not fail without gate:privacy.no_party_id: ['passed']")
