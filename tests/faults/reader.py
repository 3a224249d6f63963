"""An analyst's program: reads what is current, over and over, until its standard input ends, and holds it against the
manifest of the release that it says it is.

    python reader.py RELEASES CONSUMER      # prints {"reads", "torn", "releases"} as JSON at its end
"""

from __future__ import annotations

import json
import os
import select
import sys
from contextlib import closing
from pathlib import Path

import duckdb

PAUSE = 0.2  # seconds


def main() -> None:
    """Read until nobody listens any more."""
    os.nice(19)  # fifty of these share the machine with the one who publishes
    releases, consumer = Path(sys.argv[1]), sys.argv[2]
    seen, torn, reads = set(), [], 0
    while not select.select([sys.stdin], [], [], PAUSE if reads else 0)[0]:
        name, amiss = from_database(releases, consumer) if reads % 2 else from_files(releases)
        reads += 1
        seen.add(name)
        torn += [f"{name}: {one}" for one in amiss]
    sys.stdout.write(json.dumps({"reads": reads, "torn": torn, "releases": sorted(seen)}))


def from_database(releases: Path, consumer: str) -> tuple[str, list[str]]:
    """Read the consumer's DuckDB file by the path that is in everybody's programs."""
    with closing(duckdb.connect(str(releases / "current" / consumer / f"{consumer}.duckdb"), read_only=True)) as con:
        name = con.execute("select release_id from release").fetchall()[0][0]
        rows = stated(releases / name, consumer)
        counts = {p: con.execute(f'select count(*) from "{p}"').fetchall()[0][0] for p in rows}
    return name, differing(rows, counts)


def from_files(releases: Path) -> tuple[str, list[str]]:
    """Read the Parquet files of every consumer in the release that the pointer names as this begins."""
    place = (releases / "current").resolve(strict=True)
    amiss = []
    with closing(duckdb.connect()) as con:
        for consumer in sorted(path.parent.name for path in place.glob("*/*.duckdb")):
            rows = stated(place, consumer)
            files = {product: place / consumer / f"{product}.parquet" for product in rows}
            counts = {p: con.execute(f"select count(*) from '{path}'").fetchall()[0][0] for p, path in files.items()}
            amiss += differing(rows, counts)
    return place.name, amiss


def stated(release: Path, consumer: str) -> dict[str, int]:
    """Rows of each product of a consumer, as the manifest says."""
    rows = json.loads((release / "manifest.json").read_bytes())["rows"]
    return {name.partition(".")[2]: count for name, count in rows.items() if name.startswith(f"{consumer}.")}


def differing(stated: dict[str, int], counts: dict[str, int]) -> list[str]:
    """What is not as it is stated."""
    return [f"{p} has {counts[p]} rows, not {rows}" for p, rows in stated.items() if counts[p] != rows]


if __name__ == "__main__":
    main()
