"""The rules of the five categories, as the macros give them, on DuckDB: the published ladders, day by day.

Belongs here: which class any number of days and any grounds ask for. Does not belong here: what a debtor's debts are
(the unit tests of the models).
"""

from __future__ import annotations

from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import project_catalog

from pipelines.settings import PROJECT

MACROS = (PROJECT / "dbt_project/macros/classification_rules.sql").read_text(encoding="utf-8")
THRESHOLDS = project_catalog().policy.thresholds
CLASSES = ("normal", "special_mention", "substandard", "doubtful", "loss")

# 商业银行金融资产风险分类办法 (2023), articles 10 to 13, the seven days of article 10 taken as a slip of operation; and
# 商业银行信用卡业务监督管理办法 (2011), article 92. From the first to the last day of each class, both included.
LOAN = {
    "normal": (0, 7),
    "special_mention": (8, 90),
    "substandard": (91, 270),
    "doubtful": (271, 360),
    "loss": (361, 9999),
}
CARD = {
    "normal": (0, 0),
    "special_mention": (1, 90),
    "substandard": (91, 120),
    "doubtful": (121, 180),
    "loss": (181, 9999),
}
LADDERS = {"loan": LOAN, "card": CARD}
FLAGS = ("is_cross_default", "is_late_at_all_banks", "has_non_performing", "is_past_due_in_bureau")

Rules = dict[str, tuple[str, str, str, str]]


class Returned(Exception):
    """The value of a macro that returns one, as dbt's `return` gives it."""

    def __init__(self, value: object) -> None:
        self.value = value


def macros() -> tuple[Rules, Any]:
    """The rules, and the other macros with what dbt gives them. Thresholds are numbers."""

    def give_back(value: object) -> object:
        raise Returned(value)

    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {"return": give_back, "policy": lambda name: str(THRESHOLDS[name])}
    module = environment.from_string(MACROS).module

    def returning(name: str) -> object:
        def call() -> object:
            try:
                return getattr(module, name)()
            except Returned as returned:
                return returned.value

        return call

    for name in ("classification_rules", "classes"):
        environment.globals[name] = returning(name)
    # Macros of a template see their own names first, so those that return a value are left out of the second reading.
    text = MACROS.replace("macro classification_rules()", "macro rules_()").replace(
        "macro classes()", "macro classes_()"
    )
    return environment.globals["classification_rules"](), environment.from_string(text).module


RULES, MODULE = macros()


def verdict(kind: str, days: int | None, **grounds: object) -> tuple[str, set[str]]:
    """The class of one facility, and the rules that fire."""
    row = {"facility_kind": kind, "days_past_due": days, "is_non_retail": False, "open_enforcements": 0}
    row |= {"dishonest_entries": 0, **dict.fromkeys(FLAGS, False), **grounds}
    fires = ", ".join(f"coalesce({fires}, false) as fires_{rule}" for rule, (_, _, _, fires) in RULES.items())
    level = MODULE.gravest(["overdue", "impairment", "cross_default"])
    columns = ", ".join(f"${name} as {name}" for name in row)
    told = ", ".join(f"case when fires_{rule} then '{rule}' end" for rule in RULES)
    sql = f"select {MODULE.class_of(level)}, {told} from (select {fires} from (select {columns}))"
    found = duckdb.execute(sql, row).fetchall()[0]
    return found[0], {rule for rule in found[1:] if rule}


@pytest.mark.parametrize("kind", LADDERS)
@pytest.mark.parametrize("days", [0, 1, 7, 8, 30, 90, 91, 120, 121, 180, 181, 270, 271, 360, 361, 1000])
def test_each_day_has_the_class_of_its_published_ladder(kind: str, days: int) -> None:
    (expected,) = [name for name, (first, last) in LADDERS[kind].items() if first <= days <= last]
    assert verdict(kind, days)[0] == expected


@given(kind=st.sampled_from(["loan", "card"]), days=st.integers(0, 500))
def test_no_day_is_better_than_the_one_before_and_every_rung_below_is_told(kind: str, days: int) -> None:
    (now, rules), (later, more) = verdict(kind, days), verdict(kind, days + 1)
    assert CLASSES.index(now) <= CLASSES.index(later)
    assert rules - {"technical_overdue"} <= more
    assert len(rules - {"technical_overdue"}) == CLASSES.index(now)


@given(
    kind=st.sampled_from(["loan", "card"]), days=st.integers(0, 500), debtor=st.booleans(),
    flags=st.fixed_dictionaries({flag: st.none() | st.booleans() for flag in FLAGS}),
    courts=st.tuples(st.none() | st.integers(0, 2), st.none() | st.integers(0, 2)),
)  # fmt: skip
def test_grounds_only_make_it_worse_and_each_is_told(kind, days, debtor, flags, courts) -> None:
    alone, by_days = verdict(kind, days)
    found, rules = verdict(
        kind, days, is_non_retail=debtor, open_enforcements=courts[0], dishonest_entries=courts[1], **flags
    )
    expected = {
        rule for rule, cases in zip(("impaired_enforcement", "impaired_dishonest_debtor"), courts, strict=True) if cases
    }
    if debtor:
        named = zip(
            ("cross_default", "late_at_all_banks", "non_performing_here", "past_due_in_bureau"), FLAGS, strict=True
        )
        expected |= {rule for rule, flag in named if flags[flag]}
    assert rules - by_days == expected
    least = [alone, *(RULES[rule][1] for rule in expected)]
    assert CLASSES.index(found) == max(CLASSES.index(name) for name in least)


def test_what_is_not_known_fires_nothing() -> None:
    assert verdict("loan", None, is_non_retail=True, **dict.fromkeys(FLAGS)) == ("normal", set())


def test_every_rule_names_an_article_and_a_class() -> None:
    for ground, name, article, _ in RULES.values():
        assert ground in ("overdue", "impairment", "cross_default")
        assert name in CLASSES
        assert article.split(".")[0] in ("frc", "card")
