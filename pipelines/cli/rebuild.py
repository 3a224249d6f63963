"""`zhongtai releases rebuild`: the night of a release once more, in an empty home, and its content compared."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from pipelines.cli.options import JsonOption, State
from pipelines.release import catalogue
from pipelines.release.catalogue import Release
from pipelines.release.refused import Refused
from pipelines.settings import Home, Settings
from pipelines.vault.keys import KeyRing

if TYPE_CHECKING:
    from pipelines.release.rebuilt import Rebuilt


def rebuild(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Release id or its beginning.")],
    into: Annotated[Path, typer.Option(help="An empty directory, or one that is not there: the home to make it in.")],
    as_json: JsonOption = False,
) -> None:
    """Make a release again from its deliveries, keys and prior state; exit 3 where a byte of content differs.

    What a superseding release says of the one that it took the place of is taken over, and said to be. For one that a
    rollback made, the night is run whose word on parties it followed, and the release that it restores restored again.
    """
    from pipelines.release.rebuilt import compare_content, made_with_others, night_of, prepare, restore_again

    state: State = context.obj
    settings, home = state.settings, Home(into.expanduser().resolve())
    release = catalogue.find(settings.home, name)
    ring = KeyRing.open(settings.home.vault, settings.vault_key)
    night = night_of(settings.home, release)
    prepare(settings.home, night, ring, home, key_file=settings.vault_key is None)
    others = made_with_others(state.catalog, release)
    if others and not as_json:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"made with others than today's: {_in_words(others)}"
        )
    said = _run(settings, state, night, home)
    found = compare_content(night, home)
    if night.id != release.id and found.identical:
        if said:
            raise Refused(f"{night.id}, whose word on parties {release.id} followed, was not published again: {said}")
        found = compare_content(release, home, restore_again(state.catalog, settings.home, release, ring, home))
        night = release
    _tell(night, found, said, as_json=as_json)


def _run(settings: Settings, state: State, release: Release, home: Home) -> str | None:
    """Run the night of a release in another home, by the same job as every night; what stood against it, or None."""
    from pipelines.cli.instance import prepare_instance
    from pipelines.ingest.places import place
    from pipelines.warehouse.manifest import begin
    from pipelines.warehouse.run import Dbt

    bank = state.catalog.bank(release.manifest["bank"])
    delivered = place(bank, settings)  # the same place, also where it lies in the home of the release
    os.environ["ZHONGTAI_HOME"] = str(home.path)
    given = {"deliveries": delivered} if isinstance(delivered, Path) else {}
    own = Settings(home_dir=home.path, bank=bank.bank, **given)
    prepare_instance(home)
    dbt = Dbt(own)
    begin(dbt)
    try:
        from pipelines.cli.execute import execute

        outcome, _ = execute(own, dbt, bank.first_date, release.business_date)
    finally:
        dbt.close()
    if outcome.error is not None and not isinstance(outcome.error, Refused):
        raise outcome.error
    return str(outcome.error) if outcome.error else None


def _tell(release: Release, found: Rebuilt, said: str | None, *, as_json: bool) -> None:
    told: dict[str, Any] = {
        "release": release.id, "rebuilt": found.release, "identical": found.identical,
        "content_hash": found.content_hash,
        "original_content_hash": found.original_hash, "differing": list(found.differing),
        "taken_over": list(found.taken_over), "made_otherwise": found.made_otherwise, "refused": said,
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(told))
    if not found.identical:
        files = "\n".join(f"  {name}" for name in found.differing)
        because = f"\nmade otherwise: {_in_words(found.made_otherwise)}" if found.made_otherwise else ""
        raise Refused(f"{found.release} is not {release.id}; these files differ:\n{files}{because}")
    if not as_json:
        files = len(release.manifest["files"]) - len(found.taken_over)
        Console(highlight=False, soft_wrap=True).print(
            f"{release.id} was made again as {found.release}: {files} files, every byte the same\n"
            f"content  {found.content_hash}{_not_made_again(found)}"
        )


def _not_made_again(found: Rebuilt) -> str:
    names = ", ".join(found.taken_over)
    return f", with {names} taken over from the original: it names the release that was superseded" if names else ""


def _in_words(changed: dict[str, Any]) -> str:
    deliveries = [f"{one['contract']} {one['delivery']} ({one['change']})" for one in changed.get("deliveries", ())]
    contracts = [f"{len(changed['contracts'])} contracts"] if changed.get("contracts") else []
    return ", ".join([*deliveries, *contracts, *changed.get("other", ())])
