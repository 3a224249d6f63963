"""The columns of a mart in its history: what tells rows apart, what they say, and what only counts days.

Days that are counted up from some day are kept as that day, and what moves for everybody at once as a group (`groups`):
a row does not change because a day has passed. Belongs here: the way there and back. Not here: files and questions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.history.groups import NUMBER
from pipelines.history.intervals import FOREVER

ON_CHANGE, COUNTED, SHARED, LEFT_OUT = "on_change", "counted", "shared", "left_out"
DATE = "business_date"
_COUNTED_FROM = "_from_{}"


@dataclass(frozen=True)
class Shape:
    """The history of one mart: `key` without the business date, and `columns`, by name with their contract type."""

    table: str
    version: str
    key: dict[str, str]
    columns: dict[str, str]
    counted: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def stored(self) -> dict[str, str]:
        """Columns beside the key as they lie in a file, by name with their contract type."""
        return dict(self._stored(name, type_) for name, type_ in self.columns.items())

    @property
    def names(self) -> list[str]:
        """Names of the columns of a row that is given back: key, business date, the others."""
        return [*self.key, DATE, *self.columns]

    def encoded(self) -> str:
        """Select list from the columns of the mart to those of a file; zero days are counted from nowhere."""
        return ", ".join([*self.key, DATE, *(self._encoded(name) for name in self.columns)])

    def decoded(self, day: str) -> str:
        """Select list back, for the row as of the SQL date `day`, from `held` joined by `groups_joined`."""
        return ", ".join([*self.key, f"{day} as {DATE}", *(self._decoded(name, day) for name in self.columns)])

    def groups_joined(self, groups: str) -> str:
        """Joins of `held` with what its groups are worth; `groups` is a relation of one date."""
        return " ".join(
            f"left join (select number as _number, value as _value from {groups} where name = '{name}') as _of_{name} "
            f"on _of_{name}._number = held.{NUMBER.format(name)}"
            for name in self.shared
        )

    def as_json(self) -> dict[str, Any]:
        """As a statement says it."""
        return {
            "version": self.version,
            "key": [[name, type_] for name, type_ in self.key.items()],
            "columns": [[name, type_] for name, type_ in self.columns.items()],
            "counted": list(self.counted),
            "shared": list(self.shared),
        }

    def _stored(self, name: str, type_: str) -> tuple[str, str]:
        if name in self.counted:
            return _COUNTED_FROM.format(name), "date"
        return (NUMBER.format(name), "bigint") if name in self.shared else (name, type_)

    def _encoded(self, name: str) -> str:
        if name not in self.counted:
            return name
        days = f"cast({DATE} - cast({name} as integer) as date)"
        return f"case when {name} = 0 then date '{FOREVER}' else {days} end as {_COUNTED_FROM.format(name)}"

    def _decoded(self, name: str, day: str) -> str:
        if name in self.shared:
            return f"cast(_of_{name}._value as {_sql_type(self.columns[name])}) as {name}"
        if name not in self.counted:
            return f"cast({name} as {_sql_type(self.columns[name])}) as {name}"
        start = _COUNTED_FROM.format(name)
        return f"case when {start} = date '{FOREVER}' then 0 else date_diff('day', {start}, {day}) end as {name}"


def shapes(catalog: Catalog) -> Iterable[Shape]:
    """Of every mart whose contract asks for a history."""
    return [_shape(mart) for mart in catalog.marts.values() if mart.history == ON_CHANGE]


def read_shape(table: str, told: dict[str, Any]) -> Shape:
    """The shape that `as_json` told."""
    key, columns = ({name: type_ for name, type_ in told[part]} for part in ("key", "columns"))
    return Shape(table, told["version"], key, columns, tuple(told["counted"]), tuple(told["shared"]))


def _shape(mart: Contract) -> Shape:
    kept = [column for column in mart.columns if not column.key and column.history != LEFT_OUT]
    return Shape(
        mart.table,
        mart.version,
        {column.name: column.type for column in mart.columns if column.key and column.name != DATE},
        {column.name: column.type for column in kept if column.name != DATE},
        tuple(column.name for column in kept if column.history == COUNTED),
        tuple(column.name for column in kept if column.history == SHARED),
    )


def _sql_type(type_: str) -> str:
    return "varchar" if type_ == "string" else type_
