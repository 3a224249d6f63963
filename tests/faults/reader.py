"""An analyst's program: reads what is current, over and over, until its standard input ends, and holds it against the
manifest of the release that it says it is.

    python reader.py RELEASES CONSUMER      # prints {"reads", "torn", "releases"} as JSON at its end
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

PAUSE = 0.2  # seconds
CONTENT = "select count(*), bit_xor(hash(held)) from {} as held"


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
    """Read the consumer's DuckDB file by the path that is in everybody's programs: each table holds the rows of its
    file in the release that the database says it is."""
    amiss = []
    with closing(duckdb.connect(str(releases / "current" / consumer / f"{consumer}.duckdb"), read_only=True)) as con:
        name = con.execute("select release_id from release").fetchall()[0][0]
        for product in manifest(releases / name)["rows"]:
            owner, _, table = product.partition(".")
            if owner in (consumer, "shared"):
                schema = "main" if owner == consumer else owner
                places = f'{schema}."{table}"', f"read_parquet('{releases / name / owner / table}.parquet')"
                held, filed = (con.execute(CONTENT.format(place)).fetchall()[0] for place in places)
                amiss += [f"table {product} has {held[0]} rows, its file {filed[0]}"] if held != filed else []
    return name, amiss


def from_files(releases: Path) -> tuple[str, list[str]]:
    """Read every file of the release that the pointer names as this begins: they are what its manifest says."""
    place = (releases / "current").resolve(strict=True)
    files = manifest(place)["files"].items()
    hashes = {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name, _ in files}
    return place.name, [f"{name} is another file" for name, told in files if hashes[name] != told["sha256"]]


def manifest(release: Path) -> dict[str, Any]:
    """What a release says of itself."""
    return json.loads((release / "manifest.json").read_bytes())


if __name__ == "__main__":
    main()
