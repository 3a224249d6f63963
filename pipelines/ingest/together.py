"""Feeds two at a time: which of them have to wait for which, and who goes first.

A feed reads of the lake what it refers to. One after the other, as the bank lists them, is therefore how two feeds are
landed where they have one contract, or that of either refers to that of the other; the rest does not meet, so that
what is written is the same in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from pipelines.contracts.feed import Feed
from pipelines.ingest.batch import Desk
from pipelines.ingest.places import place_of

# Each has its delivery in memory. More would not make two cores faster: the engine has threads of its own.
_AT_A_TIME = 2


def together(desk: Desk, feeds: Sequence[Feed], work: Callable[[int], None]) -> None:
    """Call `work` with the place of each feed in `feeds`. What it raises ends the run once those begun have ended."""
    workers = min(_AT_A_TIME, desk.settings.threads)
    if workers == 1:
        for number in range(len(feeds)):
            work(number)
        return
    earlier = _earlier(desk, feeds)
    left, done, running = _longest_way_first(desk, feeds, earlier), set[int](), dict[Future[None], int]()
    with ThreadPoolExecutor(workers, "feed") as pool:
        while left or running:
            ready = [number for number in left if earlier[number] <= done]
            for number in ready[: workers - len(running)]:
                left.remove(number)
                running[pool.submit(work, number)] = number
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done.add(running.pop(future))
                future.result()


def _earlier(desk: Desk, feeds: Sequence[Feed]) -> list[set[int]]:
    """For each feed, those before it that it has to wait for."""
    parents = [
        {column.references[0] for column in desk.catalog.contract(feed.contract).columns if column.references}
        for feed in feeds
    ]
    return [
        {
            other for other in range(number)
            if feeds[other].contract in {feed.contract, *parents[number]} or feed.contract in parents[other]
        }
        for number, feed in enumerate(feeds)
    ]  # fmt: skip


def _longest_way_first(desk: Desk, feeds: Sequence[Feed], earlier: Sequence[set[int]]) -> list[int]:
    """The feeds by how much there is to read, one after the other, from each on: no long one is to come last."""
    ways = [_size(desk, feed) for feed in feeds]
    for number in reversed(range(len(feeds))):
        behind = [ways[other] for other in range(number + 1, len(feeds)) if number in earlier[other]]
        ways[number] += max(behind, default=0)
    return sorted(range(len(feeds)), key=lambda number: -ways[number])


def _size(desk: Desk, feed: Feed) -> int:
    """Bytes of the history of a feed, which tells its days too; 0 where it lies elsewhere or has none."""
    place = place_of(feed, desk.bank, desk.settings)
    try:
        return (place / feed.history.path).stat().st_size if feed.history and isinstance(place, Path) else 0
    except OSError:
        return 0
