"""Checks that no value of a candidate has the shape of an identifier: in products, in proofs, in what people wrote.

Identifiers are found by their shape (`pipelines.vault.shapes`), in every column of every file but dates and truth
values, whatever a column is called and whether or not its contract knows it; and in the words of the proofs and of
waivers, which the release tells. The ledgers of usage are not read here: `privacy.data_usage` computes each line of
them anew. What does not belong here: internal ids and pseudonyms (`privacy`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.content import PROOF, RULES, SUPERSEDES
from pipelines.audit.gates import Verdict
from pipelines.audit.lawful import PURPOSES
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import exact_path, literal
from pipelines.contracts.expectations import party_column
from pipelines.vault.shapes import Shape, any_of, recognised, shapes_of, with_article

_LEAST = 10**10  # as long as a mobile number, the shortest identifier that is looked for in numbers


def no_raw_identifier(subject: Subject) -> Verdict:
    """No column is named as an identifier of a source contract, and no value has the shape of one."""
    shapes = shapes_of(subject.catalog.bank(subject.content.bank).jurisdiction)
    identifiers = {
        name
        for contract in subject.catalog.sources.values()
        for column in contract.columns
        if column.identifier
        for name in (column.name, column.lake_name)
    }
    faults, scanned = [], 0
    for product_id in subject.tables.by_product:
        table = subject.tables.need(product_id)  # what cannot be read cannot be called free of identifiers
        faults += [f"{product_id} has a column {name}" for name in table.columns if name in identifiers]
        if table.schema is not None:
            faults += _in_file(subject, product_id, table.path, shapes)
            scanned += len(table.schema)
    for consumer in PURPOSES:
        path = subject.directory / PROOF / f"{consumer}.parquet"
        if path.is_file():
            faults += _in_file(subject, f"{PROOF}/{path.name}", path, shapes)
    for place, texts in _written(subject):
        # Of six digits in a rule or a file name nobody can say whether they are a birth number without its suffix.
        faults += [f"{place}: {count} {_look_like(name)}" for name, count in recognised(texts, shapes_of()).items()]
    return verdict(faults, f"{scanned} columns, and the words of proofs and waivers")


def _written(subject: Subject) -> Iterator[tuple[str, list[str]]]:
    """What is told in words beside the products, by its place."""
    for name in (RULES, SUPERSEDES):
        path = subject.directory / PROOF / name
        if path.is_file():
            yield f"{PROOF}/{name}", list(_texts(json.loads(path.read_bytes())))
    for name, waiver in sorted(subject.catalog.waivers.items()):
        if waiver.bank == subject.content.bank:
            yield f"waiver {name}", [waiver.reason]


def _texts(said: Any) -> Iterator[str]:
    """Every text of a JSON document, names of fields too, and numbers as long as an identifier."""
    if isinstance(said, dict):
        yield from said
        said = said.values()
    if isinstance(said, str):
        yield said
    elif isinstance(said, Iterable):
        for one in said:
            yield from _texts(one)
    elif isinstance(said, int | float) and abs(said) >= _LEAST and said == int(said):
        yield str(int(said))


def _in_file(subject: Subject, place: str, path: Path, shapes: Sequence[Shape]) -> list[str]:
    """What is found in the columns of a file. Pseudonyms are left out: their contract holds them to their shape."""
    metadata = pq.read_metadata(path)
    source, schema, faults = f"read_parquet('{exact_path(path)}')", metadata.schema.to_arrow_schema(), []
    of_people = any(party_column(name) for name in schema.names)
    places = {metadata.schema.column(n).path: n for n in range(metadata.num_columns)}
    for field in schema:
        column, looked_for = f'"{field.name}"', shapes
        if _is_number(field.type):
            if not _long_ones(metadata, places[field.name]):
                continue
            looked_for = _in_numbers(subject, source, field, shapes, of_people=of_people)
            values = f"cast(cast({column} as hugeint) as varchar) as value from {source} where {_whole(field)}"
        elif _says_nothing(field.type):
            continue
        else:
            text = column if _is_text(field.type) else f"cast({column} as varchar)"
            where = f"where length({text}) <> 64" if party_column(field.name) else ""
            values = f"{text} as value from {source} {where}"
        faults += _found(subject, f"{place}.{field.name}", f"select distinct {values}", looked_for)
    return faults


def _long_ones(metadata: pq.FileMetaData, position: int) -> bool:
    """Whether a column of numbers may have one as long as an identifier, by what its file says of each row group."""
    told = [metadata.row_group(n).column(position).statistics for n in range(metadata.num_row_groups)]
    return any(one is None or not one.has_min_max or not one.max < _LEAST for one in told)


def _in_numbers(
    subject: Subject, source: str, field: pa.Field, shapes: Sequence[Shape], *, of_people: bool
) -> Sequence[Shape]:
    """The shapes to look for in a column of numbers.

    Some of many amounts are whole and as long as a phone number: what no check confirms counts only where most are.
    """
    if pa.types.is_integer(field.type):
        return shapes
    counted = f'select count(*) filter ({_whole(field)}), count("{field.name}") from {source}'
    ((whole, filled),) = subject.tables.rows(counted)
    looked_for = [shape for shape in shapes if shape.check or (of_people and 2 * whole > filled)]
    if pa.types.is_floating(field.type):
        # Of 18 digits a double keeps 15 or 16: the last ones confirm nothing.
        return [replace(shape, check=None) if shape.kind == "national_id" else shape for shape in looked_for]
    return looked_for


def _found(subject: Subject, place: str, values: str, shapes: Sequence[Shape]) -> list[str]:
    """What is found in distinct values: codes repeat, and a regular expression costs more than a grouping."""
    looking = subject.tables.rows(
        f"select value from ({values}) where regexp_matches(value, {literal(any_of(shapes))})"
    )
    found = recognised((value for (value,) in looking), shapes)
    return [f"{place}: {count} distinct values {_look_like(name)}" for name, count in found.items()]


def _look_like(name: str) -> str:
    return f"look like {with_article(name)}"


def _whole(field: pa.Field) -> str:
    long = f'"{field.name}" >= {_LEAST}'
    if pa.types.is_integer(field.type):
        return long
    # Beyond 38 digits a double is no number of anything; what is not a number is beyond.
    return f'{long} and "{field.name}" < 1e38 and "{field.name}" = trunc("{field.name}")'


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_decimal(type_) or pa.types.is_floating(type_)


def _says_nothing(type_: pa.DataType) -> bool:
    return pa.types.is_temporal(type_) or pa.types.is_boolean(type_) or pa.types.is_null(type_)


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)
