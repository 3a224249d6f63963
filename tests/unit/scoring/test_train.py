"""Training on invented rows: it finds what tells, leaves what does not, is calibrated, and can be repeated."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from project import project_catalog

from pipelines.contracts.scorecard_file import read_scorecard
from pipelines.contracts.scorecards import Scorecard
from pipelines.scoring import points
from pipelines.scoring.card_file import write_card
from pipelines.scoring.sample import Observed, check_dates
from pipelines.scoring.train import Arguments, trained
from pipelines.settings import InputError

CATALOG = project_catalog()
MART = CATALOG.marts["mart.customer_360"]
DRAFT = CATALOG.scorecards["person"]
COLUMNS = [one.column for one in (*DRAFT.characteristics, *DRAFT.set_aside)]
TELLS, MISLEADS = "card_utilisation", "app_logins_30d"


def observed(seed: int, rows: int = 6000) -> Observed:
    """Two columns carry risk, one of them the other way than it should; all the others are noise or empty."""
    rng = np.random.default_rng(seed)
    use, logins = rng.random(rows), rng.integers(0, 9, rows)
    bad = rng.random(rows) < 1 / (1 + np.exp(4.5 - 3 * use - 0.1 * logins))
    table = [
        {name: None if not MART.column(name).required else 0 for name in COLUMNS}
        | {TELLS: None if n % 10 == 0 else Decimal(f"{use[n]:.4f}"), MISLEADS: int(logins[n])}
        for n in range(rows)
    ]
    return Observed((date(2025, 3, 31),), table, bad, rows)


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return trained(DRAFT, MART, observed(1), observed(2), Arguments(), "invented rows", 1)


def test_what_tells_is_kept_and_what_does_not_is_set_aside_with_a_reason(card: Scorecard) -> None:
    assert [one.column for one in card.characteristics] == [TELLS]
    why = {one.column: one.why for one in card.set_aside}
    assert why.keys() == set(COLUMNS) - {TELLS}
    assert why[MISLEADS] == "no two bins differ as they should"  # risk rises with it, and should fall


def test_points_fall_as_risk_rises(card: Scorecard) -> None:
    worth = [each.points for each in card.characteristics[0].bins if not each.missing]
    assert len(worth) > 2 and worth == sorted(worth, reverse=True)


def test_expected_and_observed_defaults_agree(card: Scorecard) -> None:
    told = card.training
    assert told is not None and 0.65 < told.test.auc < 0.9 and told.test.auc_from < told.test.auc < told.test.auc_to
    test = observed(2)
    score = points.scores(card, test.rows)
    assert points.probabilities(card, points.scores(card, observed(1).rows)).mean() == pytest.approx(
        observed(1).bad.mean(), abs=2e-4
    )
    assert points.probabilities(card, score).mean() == pytest.approx(test.bad.mean(), rel=0.1)
    assert sum(one.defaults for one in told.calibration) == test.bad.sum()


def test_the_same_rows_give_the_same_file_which_reads_as_the_card(card: Scorecard, tmp_path: Path) -> None:
    again = trained(card, MART, observed(1), observed(2), Arguments(), "invented rows", 1)
    assert {one.column for one in again.characteristics} == {TELLS}
    write_card(tmp_path / "person.yaml", card)
    assert read_scorecard(tmp_path / "person.yaml") == card
    before = (tmp_path / "person.yaml").read_bytes()
    write_card(tmp_path / "person.yaml", again.model_copy(update={"set_aside": card.set_aside}))
    assert (tmp_path / "person.yaml").read_bytes() == before


def test_twenty_points_double_the_odds_and_six_hundred_are_fifty_to_one() -> None:
    scaling = DRAFT.scaling
    assert round(scaling.factor, 4) == 28.8539 and round(scaling.offset, 4) == 487.1229
    for score, odds in ((600, 50), (620, 100), (580, 25), (487.1229, 1)):
        assert math.exp((score - scaling.offset) / scaling.factor) == pytest.approx(odds, rel=1e-5)


def test_a_test_that_begins_before_the_training_has_ended_is_refused() -> None:
    check_dates([date(2025, 1, 1)], [date(2025, 6, 30)], 180)
    with pytest.raises(InputError, match="outcomes of 2025-01-01 are known on 2025-06-30"):
        check_dates([date(2025, 1, 1)], [date(2025, 6, 29)], 180)
