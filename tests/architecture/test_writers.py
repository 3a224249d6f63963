"""Who may write where: dbt the warehouse, ingest the lake, release what consumers read. And who may read the clock.

These rules are read off the code. That they hold while it runs, the tests of whole nights show.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from .code import calls, name, python, repository, texts, tree

CODE = python("pipelines", "benchmarks")
WRITES = re.compile(
    r"(^|\.)(write\w*|sink_\w+|to_parquet|open|unlink|rename|replace|mkdir|rmtree|copy\w*|move|symlink_to|touch|chmod|"
    r"make_directory|write_private)$"
)
CLOCK = re.compile(
    r"(^|\.)(now|utcnow|today|fromtimestamp|utcfromtimestamp)$|^time\.(time|time_ns|localtime|gmtime|ctime|strftime)$"
)
CLOCK_IN_SQL = re.compile(
    r"\b(current_date|current_timestamp|current_time|localtimestamp|now\s*\(|today\s*\()", re.IGNORECASE
)
# Where time is told: when a release was published; when somebody was shown a raw value; which date a run without --date
# is about; from when a key signs; when was measured; when a delivery was looked for, and came by what its place states.
TOLD = {
    "pipelines/release/publish.py": 1,
    "pipelines/vault/access.py": 1,
    "pipelines/ingest/arrival.py": 2,
    "pipelines/cli/run.py": 1,
    "pipelines/cli/signing.py": 1,
    "pipelines/cli/execute.py": 1,  # which dates Dagster knows of: one beyond the clock is among them all the same
    "benchmarks/night.py": 1,
    "benchmarks/command.py": 1,
    "benchmarks/simulated_bank/__main__.py": 1,
    "benchmarks/identity_worlds/page.py": 1,
    "benchmarks/results/page.py": 1,
}


def below(path: Path, *folders: str) -> bool:
    return name(path).startswith(folders)


def writing(call: ast.Call, place: str) -> bool:
    """Whether a call writes to a place of a home: `home.lake` is its target or one of its arguments."""
    if not WRITES.search(ast.unparse(call.func)):
        return False
    involved = [*call.args, *(keyword.value for keyword in call.keywords)]
    involved += [call.func.value] if isinstance(call.func, ast.Attribute) else []
    return any(isinstance(node, ast.Attribute) and node.attr == place for part in involved for node in ast.walk(part))


def test_no_clock_but_where_time_is_told() -> None:
    found = Counter(name(path) for path in CODE for called, _ in calls(path) if CLOCK.search(called))
    assert found == TOLD


def test_no_clock_in_sql() -> None:
    assert [name(path) for path in CODE for text in texts(path) if CLOCK_IN_SQL.search(text)] == []
    models = [path for path in repository() if path.suffix == ".sql"]
    assert models
    assert [name(path) for path in models if CLOCK_IN_SQL.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("code", ["datetime.now(UTC)", "date.today()", "time.time()", "dt.datetime.utcnow()"])
def test_a_clock_would_be_seen(code: str) -> None:
    assert CLOCK.search(ast.unparse(ast.parse(code, mode="eval").body.func))


@pytest.mark.parametrize("code", ["time.monotonic()", "time.perf_counter()", "day.strftime('%Y')", "known()"])
def test_a_stopwatch_is_no_clock(code: str) -> None:
    assert not CLOCK.search(ast.unparse(ast.parse(code, mode="eval").body.func))


def test_only_release_knows_where_releases_lie() -> None:
    found = []
    for path in CODE:
        if below(path, "pipelines/release/", "pipelines/settings.py"):
            continue
        for node in ast.walk(tree(path)):
            by_attribute = isinstance(node, ast.Attribute) and node.attr == "releases"
            by_path = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _says(node.right, "releases")
            if by_attribute or by_path:
                found.append(f"{name(path)}:{node.lineno} {ast.unparse(node)}")
    assert found == []


def _says(node: ast.AST, word: str) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and word in node.value.split("/")


def test_a_database_file_is_opened_to_read() -> None:
    """But the file that release makes for a consumer, and the copy that the benchmark works on."""
    writers = []
    for path in CODE:
        for called, call in calls(path):
            if called.endswith("duckdb.connect") and call.args and not _says(call.args[0], ":memory:"):
                options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
                if options.get("read_only") != "True":
                    writers.append(name(path))
    assert writers == [one for one in ("benchmarks/night.py", "pipelines/release/consumer_file.py") if one in writers]


def test_the_warehouse_is_opened_by_name_only_to_read() -> None:
    found = []
    for path in CODE:
        for called, call in calls(path):
            if "warehouse" in ast.unparse(call) and called.endswith("duckdb.connect"):
                found.append((name(path), "read_only=True" in ast.unparse(call)))
            assert not writing(call, "warehouse") or below(path, "pipelines/settings.py", "benchmarks/"), name(path)
    assert found
    assert all(read_only for _, read_only in found), found


def test_sql_in_python_builds_no_relation_in_a_file() -> None:
    """Python and dbt exchange Parquet: nothing attaches a database, and nothing is copied out by SQL.

    `postgres` copies rows of a delivering bank's database in.
    """
    statement = re.compile(r"^\s*(attach|copy|export|import)\s", re.IGNORECASE)
    found = {name(path) for path in CODE for text in texts(path) if statement.search(text)}
    assert found == {"pipelines/ingest/postgres.py"}


def test_only_ingest_writes_the_lake() -> None:
    found = [
        f"{name(path)}:{call.lineno} {ast.unparse(call)}"
        for path in CODE
        if not below(path, "pipelines/ingest/", "pipelines/settings.py", "pipelines/vault/")
        for _, call in calls(path)
        if writing(call, "lake")
    ]
    assert found == []


def test_others_use_its_way_of_writing_for_their_own_places() -> None:
    """`lake.write_parquet` is how a Parquet file is replaced whole; outside ingest it goes to their own places."""
    used = 0
    for path in CODE:
        for called, call in calls(path):
            if called == "lake.write_parquet" and not below(path, "pipelines/ingest/"):
                used += 1
                target = ast.unparse(call.args[0])
                assert re.match(r"(settings\.)?home\.(control|identity|relation|history) / ", target), name(path)
    assert used


def test_a_writer_would_be_seen() -> None:
    for code in (
        "pq.write_table(table, home.lake / 'x')", "(home.lake / 'x').write_bytes(b'')", "shutil.rmtree(desk.home.lake)",
        "lake.write_parquet(home.lake / 'core.party' / 'part.parquet', table)", "path.rename(home.lake)",
    ):  # fmt: skip
        call = ast.parse(code, mode="eval").body
        assert isinstance(call, ast.Call)
        assert writing(call, "lake"), code
    reading = ast.parse("pq.read_table(home.lake / 'x')", mode="eval").body
    assert not writing(reading, "lake")
