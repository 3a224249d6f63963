"""Sections of docs/identity.md that are measured: how they are replaced, and where they were measured.

What belongs here: text. What does not: measuring.
"""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

_TITLE = "# Who is who\n"
_WIDTH, _HEIGHT = 460, 220
_CAPTION = "Recall of our parties, of rules alone and of the ceiling, and our precision, under harder noise."
_HEAD = "precision | recall | rules: precision | rules: recall | ceiling: recall"


def replaced(path: Path, heading: str, text: str) -> None:
    """Write `text` as the section `heading` of a Markdown file, in place of the one there or else at its end."""
    page = path.read_text("utf-8") if path.exists() else _TITLE
    section = f"## {heading}\n\n{text.strip()}\n"
    found = re.search(rf"^## {re.escape(heading)}\n.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if found:
        rest = page[found.end() :]
        page = page[: found.start()] + section + (f"\n{rest}" if rest else "")
    else:
        page = f"{page.rstrip()}\n\n{section}"
    path.write_text(page, encoding="utf-8")


def machine() -> str:
    """When and on what, for a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"measured on {datetime.now(UTC):%Y-%m-%d} with {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}"
    )


def right(results: dict[str, Any]) -> str:
    """The section on how right identity resolution is."""
    worlds, noise, febrl = (results[name]["found"] for name in ("worlds", "noise", "febrl"))
    text = Path(__file__).with_name("right.md").read_text("utf-8")
    by_seed = [f"| {one['seed']} | {one['records']:,} | {one['pairs']:,} | {_shares(one)} |" for one in worlds]
    by_noise = [f"| × {one['factor']:g} | {_shares(one)} |" for one in noise]
    lost = sum(one["pairs"] * (1 - one["recall"]) for one in worlds)
    return text.format(
        unlinkable=sum(one["pairs"] * (1 - one["ceiling_recall"]) for one in worlds) / lost,
        customers=worlds[0]["customers"], measured=results["worlds"]["measured"],
        worlds="\n".join([f"| seed | records | pairs | {_HEAD} |", f"|---:|{'---:|' * 7}", *by_seed]),
        noise_customers=noise[0]["customers"], noise_seed=noise[0]["seed"],
        noise="\n".join([f"| noise | {_HEAD} |", f"|---:|{'---:|' * 5}", *by_noise]),
        caption=_CAPTION, best=febrl["best"], published=febrl["published"],
        fixed=", ".join(f"{value:.4f} at {name}" for name, value in febrl["fixed"].items()),
    )  # fmt: skip


def _shares(found: dict[str, float]) -> str:
    names = ("precision", "recall", "rules_precision", "rules_recall", "ceiling_recall")
    return " | ".join(f"{found[name]:.5f}" for name in names)


def draw(found: list[dict[str, float]], folder: Path) -> None:
    """Recall under harder noise, as SVG in `folder`."""
    lines = {"parties": "recall", "rules alone": "rules_recall", "ceiling": "ceiling_recall", "precision": "precision"}
    frame = pl.DataFrame(
        [{"noise": one["factor"], "share": one[name], "of": line} for line, name in lines.items() for one in found]
    )
    folder.mkdir(parents=True, exist_ok=True)
    chart = alt.Chart(frame).mark_line(point=True).encode(
        alt.X("noise:Q", title="odds of errors, times those of noise.yaml").scale(type="log", base=2),
        alt.Y("share:Q", title=None).axis(format=".2f").scale(zero=False),
        alt.Color("of:N", title=None, sort=list(lines)),
    )  # fmt: skip
    chart = chart.properties(width=_WIDTH, height=_HEIGHT)
    chart.configure_axis(grid=False).configure_view(stroke=None).save(folder / "noise.svg")
