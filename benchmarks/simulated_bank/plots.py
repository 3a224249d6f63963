"""The plots of docs/simulated-bank.md, as SVG."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import polars as pl

from benchmarks.simulated_bank import credit, effects
from benchmarks.simulated_bank.figures import daily_volume
from benchmarks.simulated_bank.observe import WEEK, Observed
from pipelines.simulation.accounts import CORPORATE
from pipelines.simulation.campaigns import CONTACT_CHANNELS
from pipelines.simulation.records import records_of

_WIDTH, _HEIGHT = 460, 220
_INK = "#2b5c8a"


def draw(observed: Observed, folder: Path) -> dict[str, str]:
    """Write every plot into `folder`; returns caption by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name, caption, chart in _charts(observed):
        chart.properties(width=_WIDTH, height=_HEIGHT).configure_axis(grid=False).configure_view(stroke=None).save(
            folder / f"{name}.svg"
        )
        captions[f"{name}.svg"] = caption
    return captions


def _charts(observed: Observed) -> list[tuple[str, str, alt.Chart]]:
    return [
        ("age", "Age of customers when the world begins.", _age(observed)),
        ("income", "Monthly net income of customers who have one.", _income(observed)),
        ("balance", "Balance of people's accounts on the last day.", _balance(observed)),
        ("volume", "Purchases per day: the week, Spring Festival, Labour Day, National Day.", _volume(observed)),
        ("npl", "NPL ratio of loans at the end of each month.", _npl(observed)),
        ("rolls", "Where loans are a month later, by days past due.", _rolls(observed)),
        ("response", "Responses per contact and effect found by the hold-out, by channel.", _response(observed)),
        ("overlap", "People known to each partner: customers and others.", _overlap(observed)),
        ("noise", "Records that lack an identifier, by system.", _noise(observed)),
        ("signals", "What precedes a default: wages, purchases and logins, against half a year before.",
         _signals(observed)),
    ]  # fmt: skip


def _histogram(values: np.ndarray, edges: np.ndarray, title: str) -> alt.Chart:
    counts, _ = np.histogram(values, edges)
    frame = pl.DataFrame({"from": edges[:-1], "to": edges[1:], "share": counts / max(len(values), 1)})
    x = alt.X("from:Q", title=title).bin("binned")
    return alt.Chart(frame).mark_bar(color=_INK).encode(x, alt.X2("to:Q"), alt.Y("share:Q").axis(format="%"))


def _age(observed: Observed) -> alt.Chart:
    people = observed.world.people
    return _histogram(people.age(0)[people.join <= 0], np.arange(15, 101, 5), "age in years")


def _income(observed: Observed) -> alt.Chart:
    people = observed.world.people
    earners = (people.join <= 0) & (people.income > 0)
    return _histogram(people.income[earners] / 100, np.arange(0, 25_001, 1_000), "yuan a month")


def _balance(observed: Observed) -> alt.Chart:
    world = observed.world
    own = (world.accounts.cls != CORPORATE) & (world.accounts.opened < observed.days)
    return _histogram(observed.balance[own] / 100, np.arange(-10_000, 150_001, 5_000), "yuan")


def _volume(observed: Observed) -> alt.Chart:
    days = [observed.world.calendar.date(day) for day in range(observed.days)]
    frame = pl.DataFrame({"date": days, "purchases": daily_volume(observed)})
    return alt.Chart(frame).mark_line(color=_INK, strokeWidth=1).encode(alt.X("date:T"), alt.Y("purchases:Q"))


def _npl(observed: Observed) -> alt.Chart:
    days = list(range(100, observed.days, 30))
    frame = pl.DataFrame(
        {"date": [observed.world.calendar.date(day) for day in days],
         "NPL ratio": [credit.npl_ratio(observed, day) for day in days]}
    )  # fmt: skip
    y = alt.Y("NPL ratio:Q").axis(format=".1%")
    return alt.Chart(frame).mark_line(color=_INK, point=True).encode(alt.X("date:T"), y)


def _rolls(observed: Observed) -> alt.Chart:
    last = observed.days - 1
    rates = credit.roll_rates(observed, list(range(last - 180, last + 1, 30)))
    frame = pl.DataFrame(
        [{"from": a, "to": b, "share": float(rates[i, j])} for i, a in enumerate(credit.NAMES)
         for j, b in enumerate(credit.NAMES)]
    )  # fmt: skip
    order = list(credit.NAMES)
    base = alt.Chart(frame).encode(alt.X("to:N").sort(order), alt.Y("from:N").sort(order))
    cells = base.mark_rect().encode(alt.Color("share:Q").scale(scheme="blues").legend(None))
    return cells + base.mark_text().encode(alt.Text("share:Q").format(".0%"))


def _response(observed: Observed) -> alt.Chart:
    rows = []
    for each in effects.effects(observed):
        channel = CONTACT_CHANNELS[each.channel]
        rows.append({"channel": channel, "what": "responses", "share": each.responses / each.contacted})
        rows.append({"channel": channel, "what": "effect found", "share": each.estimate})
        rows.append({"channel": channel, "what": "true effect", "share": each.truth})
    frame = pl.DataFrame(rows).group_by("channel", "what").agg(pl.col("share").mean()).sort("channel", "what")
    y = alt.Y("share:Q").axis(format="%")
    return alt.Chart(frame).mark_bar().encode(alt.X("channel:N"), y, alt.Color("what:N"), alt.XOffset("what:N"))


def _overlap(observed: Observed) -> alt.Chart:
    world, rows = observed.world, []
    for system in ("app", "taobu", "pinhao", "hospital"):
        person = np.unique(records_of(world, system)["person"].to_numpy())
        customers = int((world.people.join[person] <= 0).sum())
        rows.append({"system": system, "who": "customers", "people": customers})
        rows.append({"system": system, "who": "others", "people": len(person) - customers})
    return alt.Chart(pl.DataFrame(rows)).mark_bar().encode(
        alt.X("system:N"), alt.Y("people:Q"), alt.Color("who:N").title(None)
    )  # fmt: skip


def _noise(observed: Observed) -> alt.Chart:
    rows = []
    for system in ("core", "crm", "app", "pinhao", "hospital"):
        records = records_of(observed.world, system).filter(pl.col("person") >= 0)
        for name in ("national_id", "phone", "full_name"):
            if name in records.columns:
                rows.append({"system": system, "identifier": name, "share": records[name].null_count() / len(records)})
    frame = pl.DataFrame(rows)
    y = alt.Y("share:Q").title("missing").axis(format="%")
    x = alt.X("system:N").sort(["core", "crm", "app"])
    return alt.Chart(frame).mark_bar().encode(x, y, alt.Color("identifier:N"), alt.XOffset("identifier:N"))


def _signals(observed: Observed) -> alt.Chart:
    """Averages of four weeks around the default of those who default, each against its level half a year before."""
    people, main = observed.world.people, observed.world.accounts.of_person
    failed = np.flatnonzero((people.default < observed.days) & (people.default > 28 * WEEK) & (main >= 0))
    series = {"wages": observed.wages[:, main[failed]], "purchases": observed.purchases[:, main[failed]],
              "logins": observed.logins[:, failed]}  # fmt: skip
    rows = []
    for name, table in series.items():
        at = {}
        for step in range(-7, 2):
            weeks = people.default[failed] // WEEK + 4 * step + np.arange(4)[:, None]
            seen = (weeks >= 0) & (weeks < len(table))
            at[step] = table[np.where(seen, weeks, 0), np.arange(len(failed))][seen].mean()
        level = (at[-7] + at[-6]) / 2
        rows += [{"weeks": 4 * step, "signal": name, "index": value / level} for step, value in at.items()]
    x = alt.X("weeks:Q").title("weeks to default").axis(values=list(range(-28, 5, 4)))
    return alt.Chart(pl.DataFrame(rows)).mark_line(point=True).encode(
        x, alt.Y("index:Q"), alt.Color("signal:N").title(None)
    )  # fmt: skip
