"""What the mobile app delivers: sessions of its users, with the phone and device it knows them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import WEEK, codes, cumulated, mood, picks, recent, seconds, strain, within_day
from pipelines.simulation.frames import delivers, pick, times
from pipelines.simulation.keys import event_key
from pipelines.simulation.known import known, whose
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract channel.app_event lists them.
EVENTS = (
    "login", "view_product", "transfer", "repay", "apply_loan", "open_push", "change_phone", "reset_password",
)  # fmt: skip
LOGIN, VIEW, TRANSFER, REPAY, APPLY, PUSH, PHONE, PASSWORD = range(len(EVENTS))
_SEEN = ("deposit", "wealth", "loan", "card")
_PERSONAL_LOANS = ("LON01", "LON02", "LON03")


@delivers("channel.app_event", "app")
def app_events(world: World, day: int, source: str) -> pl.DataFrame:
    """Sessions of a day in the order they began: a login, then what the user did."""
    settings = load_scenarios().app
    users = known(world, source)
    rng = world.streams.of("app.events", day)
    ends = recent(world, "app.rates", day // WEEK, lambda week: _rates(world, week * WEEK))
    session = picks(rng, ends, settings.weekday[world.calendar.weekday(day)])
    start = seconds(rng, settings.hours, len(session), in_order=True)
    length = 1 + rng.poisson(settings.extra_events, len(session))
    of = np.repeat(np.arange(len(session)), length)
    first = np.zeros(len(of), dtype=bool)
    first[np.cumsum(length) - length] = True
    waited = np.cumsum(np.where(first, 0, rng.exponential(settings.busy_seconds, len(of)).astype(np.int64)))
    moment = within_day(start[of] + waited - waited[first][of])
    user = session[of]
    event, product = _events(world, day, rng, whose(world, source)[user], first)
    return pl.DataFrame({
        "event_key": event_key("AE", day, len(of)),
        "app_user_key": users["key"].gather(user),
        "phone": users["phone"].gather(user),
        "device_id": users["device"].gather(user),
        "event_time": times(world, day, moment),
        "event_type": pick(EVENTS, event),
        "product_key": pick([product.key for product in world.products], product),
    })  # fmt: skip


def _rates(world: World, day: int) -> np.ndarray:
    """Running sum of sessions a day of every user in the week from `day`."""
    settings, people = load_scenarios().app, world.people
    person = whose(world, "app")
    taste = people.digital[person] / people.digital[person].mean()
    rate = settings.sessions * taste * mood(world, world.calendar.month(day))[person]
    rate *= 1 - settings.fall * strain(world, day)[person]
    rate *= np.where(people.flight[person] <= day, settings.after_flight, 1.0)
    return cumulated(np.where((people.join[person] <= day) & (people.dormant[person] > day), rate, 0.0))


def _events(
    world: World, day: int, rng: np.random.Generator, person: np.ndarray, first: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Kind of each event, and number of the product that it is about (-1 for none)."""
    settings, count = load_scenarios().app, len(person)
    event = np.where(first, LOGIN, codes(rng, [settings.mix[name] for name in EVENTS[1:]], count) + 1)
    indebted = world.cached("app.indebted", lambda: _indebted(world))
    event = np.where((event == REPAY) & ~indebted[person], TRANSFER, event)
    seeks = rng.random(count) < settings.loan_seeking * strain(world, day)[person]
    event = np.where((event == VIEW) & seeks, APPLY, event)
    # A ring shares one device: whoever holds it takes accounts over, which shows as changed phones and passwords.
    takes = (world.people.ring[person] >= 0) & ~first & (rng.random(count) < settings.ring_takeover)
    event = np.where(takes, np.where(rng.random(count) < 0.5, PHONE, PASSWORD), event)
    seen = np.array([n for n, product in enumerate(world.products) if product.family in _SEEN])
    wanted = np.array([n for n, product in enumerate(world.products) if product.key in _PERSONAL_LOANS])
    product = np.where(event == VIEW, seen[rng.integers(0, len(seen), count)], -1)
    return event, np.where(event == APPLY, wanted[rng.integers(0, len(wanted), count)], product)


def _indebted(world: World) -> np.ndarray:
    """Who has a loan or a credit card at any time."""
    indebted = world.cards.of_person >= 0
    indebted[world.loans.borrower[~world.loans.is_company]] = True
    return indebted
