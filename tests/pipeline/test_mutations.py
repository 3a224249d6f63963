"""A spoiled delivery is refused or its bad rows are set apart; nothing wrong is landed, and a corrected one repairs all.

Belongs here: what is checked after each case. The cases are in `mutations`.
"""

from __future__ import annotations

import copy
import csv
import hashlib
import io
import json
import os
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from mutations import BEFORE, DISTRICT, HARMLESS, NIGHT, ACCOUNT, QUARANTINED, REFUSED, Case, Deliveries, _FILES, plain

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.ingest import ledger
from pipelines.ingest.batch import Desk
from pipelines.ingest.faults import IngestError
from pipelines.ingest.night import Outcome, ingest, open_desk
from pipelines.settings import PROJECT, Settings
from pipelines.vault import originals

XIAOCHENG = PROJECT / "tests" / "fixtures" / "xiaocheng"
VAULT_KEY = "5a" * 32


def test_the_table_is_long_enough():
    assert len(REFUSED) + len(QUARANTINED) >= 30
