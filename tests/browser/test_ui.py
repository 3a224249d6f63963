"""The Dagster UI in headless Chromium: what a data engineer sees, and a night that is started by clicking.

Belongs here: what only a browser can show. What the assets do is tested by the suites of their layers.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from pipelines.assets.lock import holder
from pipelines.release.catalogue import current
from pipelines.settings import Home

from .conftest import OWN_KEY, Ui, until

pytestmark = pytest.mark.browser
GROUPS = (
    "lake",
    "control",
    "identity",
    "relation",
    "history",
    "staging",
    "intermediate",
    "marts",
    "release",
    "consumers",
)
LAST = "2025-12-31"
SECONDS_OF_A_RUN = 120
SECONDS_OF_A_SENSOR = 90  # the daemon looks every half minute


def test_the_asset_graph_shows_every_group(page):
    page.goto("/asset-groups")
    for group in GROUPS:
        page.get_by_text(group, exact=True).first.wait_for()


def test_a_mart_shows_its_columns_rows_owner_and_checks(page):
    page.goto("/assets/marts/customer_360")
    for text in ("One row per business date and party", "party_id", "Row count", "customer-analytics"):
        page.get_by_text(text).first.wait_for()
    page.get_by_text("Checks", exact=True).click()
    page.get_by_text("customer_360_meets_contract").first.wait_for()
    page.get_by_text("blocking").first.wait_for()


def test_a_night_that_is_clicked_is_the_night_of_the_command(page, ui, homes, zhongtai):
    page.goto("/locations/zhongtai/jobs/nightly")
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    dates = dialog.get_by_placeholder("ex: 2025-06-01")
    dates.fill(LAST)
    dates.press("Enter")
    dialog.get_by_role("button", name="Launch 1 run").click()

    run = until(lambda: ended(ui), SECONDS_OF_A_RUN, f"the run of {LAST}")
    page.goto(f"/runs/{run['id']}")
    page.get_by_text("Success", exact=True).first.wait_for()
    assert run["status"] == "SUCCESS", ui.log.read_text()[-4000:]

    clicked, commanded = homes
    by_command = zhongtai("nightly", "--date", LAST, "--json", home=commanded, **OWN_KEY)
    assert by_command.code == 0, by_command.err
    released = current(Home(clicked))
    assert released.business_date.isoformat() == by_command.json["business_date"] == LAST
    assert released.content_hash == by_command.json["content_hash"]
    told = until(ui.told, SECONDS_OF_A_SENSOR, f"an alert of the run of {LAST}")
    assert (told["business_date"], told["status"], told["release"]) == (LAST, "published", released.id)
    assert told["checks"] == by_command.json["checks"]


def ended(ui: Ui) -> dict[str, Any] | None:
    """The run of the last business date once it has ended."""
    of_the_date = f'{{tags: [{{key: "dagster/partition", value: "{LAST}"}}]}}'
    found = ui.ask(f"{{runsOrError(filter: {of_the_date}){{... on Runs{{results{{id status}}}}}}}}")
    runs = found["runsOrError"]["results"]
    return next((run for run in runs if run["status"] in ("SUCCESS", "FAILURE", "CANCELED")), None)


def test_a_run_whose_process_is_killed_has_failed_and_is_told_of(ui):
    where = '{repositoryLocationName: "zhongtai", repositoryName: "__repository__", jobName: "nightly"}'
    tags = f'{{tags: [{{key: "dagster/partition", value: "{LAST}"}}]}}'
    launched = ui.ask(
        f"mutation {{launchRun(executionParams: {{selector: {where}, executionMetadata: {tags}}})"
        "{__typename ... on LaunchRunSuccess{run{id}} ... on PythonError{message}}}"
    )["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["id"]

    def works() -> int | None:
        return holder(Home(ui.home))

    def failed() -> bool | None:
        found = ui.ask(f'{{runOrError(runId: "{run_id}"){{... on Run{{status}}}}}}')["runOrError"]["status"]
        assert found not in ("SUCCESS", "CANCELED"), found
        return True if found == "FAILURE" else None

    def trouble() -> dict[str, Any] | None:
        return told if (told := ui.told()) and told["status"] == "failed" else None

    os.kill(until(works, SECONDS_OF_A_RUN, f"a process of the run of {LAST}"), signal.SIGKILL)
    until(failed, SECONDS_OF_A_SENSOR, "an end of a run that was killed")
    said = until(trouble, SECONDS_OF_A_SENSOR, "an alert of a run that was killed")
    assert (said["business_date"], said["trouble"]) == (LAST, "failure")
