"""Derives the model card of each scorecard, in Markdown: what it is for, on what it rests, how good it is, its limits.

What belongs here: the text of the pages. What does not: any figure, which the card holds.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.contracts.load import Catalog
from pipelines.contracts.scorecards import Sample, Scorecard, points_text, range_text

_MARK = "<!-- Written by `zhongtai score pages`; change the card, not this page. -->"
_FAIR = (
    "No card looks at gender, age, marital status, ethnicity, religion, health or place: a card that names such a "
    "column does not load, and a test follows every column of a card back to its sources, none of them medical. "
    "Columns that are used may still differ between groups; nobody has measured that on real customers."
)
_LEAKAGE = (
    "Columns are read as they were published on the observation date, by a release made before the rest was delivered; "
    "defaults count from the day after; the test is observed once every outcome of the training is known. What the "
    "simulated bank knows of itself is not read."
)


def model_cards(catalog: Catalog, directory: Path) -> dict[Path, str]:
    """Every page below `directory` with its text."""
    return {directory / f"{card.name}.md": page(card) for card in catalog.scorecards.values()}


def write_model_cards(catalog: Catalog, directory: Path) -> list[Path]:
    """Write every page; returns the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    pages = model_cards(catalog, directory)
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return sorted(pages)


def page(card: Scorecard) -> str:
    """The page of one card."""
    spoken = [f"`{name}` is {' or '.join(values)}" for name, values in card.population.items()]
    known = [f"`{name}` is at least {least}" for name, least in card.requires.items()]
    lines = [
        f"# {card.title.en} ({card.title.zh})", "", _MARK, "", card.purpose, "",
        "| | |", "|---|---|",
        f"| Card | `{card.name}` {card.version}, {card.method} |",
        f"| Owner | {card.owner} |",
        f"| Approved by | {', '.join(card.approved_by)} |",
        f"| Banks | {', '.join(card.banks)}: elsewhere nobody has a score |",
        f"| Speaks of | {' and '.join(spoken)} |",
        f"| Asks for | {' and '.join(known) or 'nothing'} |",
        f"| Scale | {card.scaling.points} points at {card.scaling.odds} to 1, {card.scaling.pdo} points double the "
        f"odds: factor {card.scaling.factor:.4f}, offset {card.scaling.offset:.4f} |",
        "", "## What is predicted", "", card.target, "", *_trained(card), *_points(card),
        "## Limits", "", *[f"- {limit}" for limit in card.limits], "", "## Fairness", "", _FAIR, "",
    ]  # fmt: skip
    return "\n".join(lines)


def _trained(card: Scorecard) -> list[str]:
    if card.training is None:
        return []
    told, calibration = card.training, card.calibration
    lines = [
        "## Data", "",
        f"{told.world}, {told.customers:,} parties, seed {told.seed}. {_LEAKAGE}", "",
        "| sample | observed on | rows | defaults | AUC | 95 % interval | KS |", "|---|---|---|---|---|---|---|",
        _sample("training", told.train), _sample("out of time", told.test), "",
        "Arguments: " + ", ".join(f"{name} {value:g}" for name, value in told.arguments.items()) + ".", "",
        "## Calibration", "",
        f"Log odds of staying good within {calibration.performance_days} days are {calibration.intercept} + "
        f"{calibration.slope} (score - offset) / factor, fitted on the training sample; the year's probability is at "
        f"least {calibration.pd_floor} (Basel III, CRE32). Out of time, by decile from the lowest score:", "",
        "| decile | rows | defaults | expected | observed |", "|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {one.decile} | {one.rows:,} | {one.defaults} | {one.expected:.2%} | {one.observed:.2%} |"
        for one in told.calibration
    ]
    return [*lines, ""]


def _sample(name: str, sample: Sample) -> str:
    dates = ", ".join(map(str, sample.observed))
    interval = f"{sample.auc_from} to {sample.auc_to}"
    return f"| {name} | {dates} | {sample.rows:,} | {sample.defaults} | {sample.auc} | {interval} | {sample.ks} |"


def _points(card: Scorecard) -> list[str]:
    lines = [
        "## Points", "", f"Everybody has {card.base_points} points.", "",
        "| characteristic | value | points | when it costs points, the customer is told |", "|---|---|---|---|",
    ]  # fmt: skip
    for one in card.characteristics:
        for place, each in enumerate(one.bins):
            told = f"{one.reason.code}: {one.reason.en} ({one.reason.zh})" if place == 0 else ""
            name = f"`{one.column}`" if place == 0 else ""
            lines.append(f"| {name} | {range_text(one, place)} | {points_text(each)} | {told} |")
    aside = [f"- `{one.column}`: {one.why}" for one in card.set_aside]
    return [*lines, "", *(["Considered and not used:", "", *aside, ""] if aside else [])]
