"""A pytest plugin that takes a check away from a test: what shows that a check bites, fails without it.

Belongs here: how a check of each kind is taken away. Does not belong here: which test is to fail without which check
(`policy_map.yaml`), and that it does (`test_policy_map`). The environment says both, as JSON: test to check.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import polars_hash  # noqa: F401
import pytest

from pipelines.audit import run
from pipelines.audit.gates import Verdict
from pipelines.contracts import load, refusal
from pipelines.settings import PROJECT

VARIABLE = "WITHOUT_CHECKS"
PASSED = Verdict("passed", "not looked at")
# What functions that say nothing of a fault return, by what they say that they return.
EMPTY: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "Iterator": tuple,
}
# Functions that do not refuse but protect, and what they would be if they did not.
UNPROTECTED: dict[str, Callable[..., Any]] = {
    "pipelines.vault.normal.valid": lambda kind, texts: pl.Series([True] * len(texts), dtype=pl.Boolean),
    "pipelines.vault.tokens.hmac_sha256": lambda text, key: text.chash.sha256(),  # no key
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run the test, with its fixtures, as if there were no such check."""
    named = json.loads(os.environ[VARIABLE])
    with pytest.MonkeyPatch.context() as patch:
        if check := named.get(item.nodeid) or named.get(item.nodeid.partition("[")[0]):
            kind, _, what = check.partition(":")
            AWAY[kind](patch, what)
        return (yield)


def _gate(patch: pytest.MonkeyPatch, gate: str) -> None:
    if gate in run.CHECKS:
        patch.setitem(run.CHECKS, gate, lambda subject: PASSED)
    elif gate in run.CHECKS_OF_EACH:
        patch.setitem(run.CHECKS_OF_EACH, gate, lambda subject, name: PASSED)
    else:
        _pass(patch, lambda check: check.partition("/")[0] == gate)


def _contract(patch: pytest.MonkeyPatch, rule: str) -> None:
    _pass(patch, lambda check: check.rpartition("/")[2] == rule.rpartition("/")[2])


def _pass(patch: pytest.MonkeyPatch, chosen: Callable[[str], bool]) -> None:
    """Let every check of contracts pass that is `chosen`."""
    carried_out = run._expectations

    def expectations(*arguments: Any) -> dict[str, Verdict]:
        return {name: PASSED if chosen(name) else found for name, found in carried_out(*arguments).items()}

    patch.setattr(run, "_expectations", expectations)


def _refusal(patch: pytest.MonkeyPatch, name: str) -> None:
    read = refusal.load_refusals

    def without(path: Any) -> tuple[refusal.Refusal, ...]:
        return tuple(one for one in read(path) if one.id != name)

    patch.setattr(load, "load_refusals", without)
    # What names the refusal is about something else.
    patch.setattr(load, "check_policy_map", lambda *arguments: None)


def _code(patch: pytest.MonkeyPatch, name: str) -> None:
    """Replace a function by one that finds nothing, wherever it was imported to."""
    module, _, function = name.rpartition(".")
    found = getattr(importlib.import_module(module), function)
    silent = UNPROTECTED.get(name)
    if silent is None:
        nothing = EMPTY[str(found.__annotations__["return"]).partition("[")[0]]
        silent = lambda *arguments, **named: nothing()  # noqa: E731
    for each in list(sys.modules.values()):
        if str(getattr(each, "__file__", "") or "").startswith(f"{PROJECT}/"):
            for attribute, value in list(vars(each).items()):
                if value is found:
                    patch.setattr(each, attribute, silent)


AWAY = {"gate": _gate, "contract": _contract, "refusal": _refusal, "code": _code}
