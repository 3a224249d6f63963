"""What people read of a release: the page on its audit, and Data Docs. They lie beside the releases, in `documents/`.

They are made once the release is published, from what it holds, and are no part of it: it is whole without them, and
they can be made again. Belongs here: where they lie, making them, removing them with their release. Does not belong
here: what is on them (`audit_page`, `pipelines.audit.data_docs`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.audit.content import PAGE
from pipelines.audit.data_docs import INDEX, is_of_today, write_data_docs
from pipelines.contracts.load import Catalog
from pipelines.release.audit_page import write_page
from pipelines.release.catalogue import Release, is_published, list_releases
from pipelines.release.examined import Examined, examined_release
from pipelines.settings import Home, make_directory

_DATA_DOCS, _UNFINISHED = "data-docs", ".unfinished-"


@dataclass(frozen=True)
class Documents:
    """The documents of one release, where they were made."""

    path: Path

    @property
    def page(self) -> Path:
        """The page on its audit."""
        return self.path / PAGE

    @property
    def data_docs(self) -> Path:
        """The first page of its Data Docs."""
        return self.path / _DATA_DOCS / INDEX

    def told(self) -> dict[str, str]:
        """Where both are, as commands print it in JSON."""
        return {"page": str(self.page), "data_docs": str(self.data_docs)}


def documents_of(home: Home, release_id: str) -> Documents | None:
    """The documents of a release; None where they were not made yet."""
    path = home.documents / release_id
    return Documents(path) if path.is_dir() else None


def documents_for(home: Home, found: Examined) -> dict[str, str]:
    """Where to look at what was examined, by what is there: the page beside a candidate, documents of a release."""
    if found.kind == "release":
        there = documents_of(home, found.name)
        return there.told() if there else {}
    page = found.path / PAGE
    return {"page": str(page)} if page.is_file() else {}


def write_documents(release: Release, catalog: Catalog, home: Home) -> Documents:
    """Make the documents of a release, all or none; those that are there stay as they are.

    Raises Refused where its evidence cannot be read, InputError where it was held to other contracts than today's.
    """
    if (there := documents_of(home, release.id)) is not None:
        return there
    made = Documents(home.documents / release.id)
    staging = Documents(make_directory(home.documents) / f"{_UNFINISHED}{os.getpid()}-{release.id}")
    shutil.rmtree(staging.path, ignore_errors=True)
    try:
        found = examined_release(release)
        make_directory(staging.path)
        write_page(found, catalog, home, staging.page)
        write_data_docs(release.path, found.evidence, catalog, staging.data_docs.parent)
        staging.path.rename(made.path)
    finally:
        shutil.rmtree(staging.path, ignore_errors=True)
    return made


def write_missing(catalog: Catalog, home: Home) -> list[str]:
    """Make the documents of each release that has none and was held to the contracts of today, as the latest was.

    Returns in words what could not be made, and what to do. What was published stays so, whatever happens here.
    """
    faults = []
    for release in list_releases(home):
        if documents_of(home, release.id) is not None:
            continue
        if damaged := release.damaged():
            faults.append(damaged)
            continue
        if not is_of_today(release.manifest["contracts"], catalog):
            continue
        try:
            write_documents(release, catalog, home)
        except Exception as error:  # the release is current by now: pages for people must not fail what published it
            faults.append(
                f"{release.id} is published, but what people read of it could not be made ({type(error).__name__}): "
                f"the next night makes it, or `zhongtai gates docs {release.id}`, which also says what is in the way"
            )
    return faults


def sweep(home: Home) -> None:
    """Remove the documents of releases that are gone, and what was never finished."""
    for path in home.documents.iterdir() if home.documents.is_dir() else ():
        if not is_published(home, path.name):
            shutil.rmtree(path)
