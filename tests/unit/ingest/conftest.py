"""Fixtures of the ingest tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from .workshop import SmallBank


@pytest.fixture(scope="package", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    # What is on disk after a power cut is not tested here, and many small files wait for the disk otherwise.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def small_bank(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., SmallBank]:
    """Makes banks, each in a place of its own."""
    root, numbers = tmp_path_factory.mktemp("banks"), count()

    def make(**given: Any) -> SmallBank:
        place = root / str(next(numbers))
        place.mkdir()
        return SmallBank(place, **given)

    return make


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory to write deliveries to."""
    return tmp_path_factory.mktemp("deliveries")
