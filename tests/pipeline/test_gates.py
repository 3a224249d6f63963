"""A night that its gates refuse, what people are told of it, and the same night with a waiver, by the command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from homes import copied

from pipelines.release.catalogue import current
from pipelines.settings import PROJECT, Home

pytestmark = pytest.mark.slow
LAST = "2025-12-31"
GATE = "volume.published"


@pytest.fixture
def strict(tmp_path) -> Path:
    """The contracts, with a policy by which no product may have a row more than the night before."""
    contracts = Path(shutil.copytree(PROJECT / "data_contracts", tmp_path / "data_contracts"))
    policy = contracts / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    for name, number in (
        ("volume_min_rows: 200", "volume_min_rows: 0"),
        ("volume_max_change: 0.5", "volume_max_change: 0"),
    ):
        assert name in text
        text = text.replace(name, number)
    policy.write_text(text, encoding="utf-8")
    return contracts


def test_a_refused_night_is_explained_and_a_signed_waiver_lets_it_pass(xiaocheng, zhongtai, strict, tmp_path) -> None:
    home, log = copied(xiaocheng.home, tmp_path / "home"), tmp_path / "alerts.log"
    for release in (home / "releases").glob(f"{LAST}-*"):
        shutil.rmtree(release)
    (home / "releases" / "current").unlink()
    (eve,) = (home / "releases").glob("2025-12-30-*")
    (home / "releases" / "current").symlink_to(eve.name)
    told = {"ZHONGTAI_CONTRACTS": str(strict), "ZHONGTAI_ALERT_LOG": str(log)}

    refused = zhongtai("nightly", "--date", LAST, "--json", home=home, **told)
    assert refused.code == 3, refused.err + refused.out
    assert refused.json["status"] == "refused"
    assert f"{GATE}/" in refused.err
    assert current(Home(home)).path.name == eve.name
    (line,) = map(json.loads, log.read_text().splitlines())
    assert (line["status"], line["trouble"]) == ("refused", "refused")
    assert any(name.startswith(f"{GATE}/") for name in line["concerns"])

    (candidate,) = (path.name for path in (home / "candidates").glob("[0-9a-f]*"))
    written = home / "candidates" / candidate / "audit.html"
    assert f"look: {written}, or `zhongtai gates show {candidate[:12]}`" in refused.err
    assert written.stat().st_mode & 0o777 == 0o600
    shown = zhongtai("gates", "show", candidate[:12], "--json", home=home, **told).json
    broken = [check for check in shown["checks"] if check["state"] == "failed" and check["severity"] == "block"]
    assert {check["id"].partition("/")[0] for check in broken} == {GATE}
    came = [check["upstream"] for check in broken if check["upstream"]]
    assert came and all(one["delivery"] and one["business_date"] <= LAST for one in came)
    page = tmp_path / "page.html"
    assert zhongtai("gates", "page", candidate[:12], "--out", str(page), home=home, **told).code == 0
    assert f"{len(broken)} checks stand against publishing it" in page.read_text()
    assert page.read_text() == written.read_text()

    waiver = {
        "gate": GATE, "reason": "The bank opened its first branch on this day, and customers came.",
        "scope": {"bank": "xiaocheng", "of": [check["id"].partition("/")[2] for check in broken],
                  "business_dates": {"first": LAST, "last": LAST}},
        "requested_by": "risk-policy", "requested_on": LAST, "expires": LAST,
        "approved_by": ["chief-risk-officer", "data-protection-officer"],
    }  # fmt: skip
    (strict / "waivers").mkdir()
    (strict / "waivers" / "opening.yaml").write_text(yaml.safe_dump(waiver))
    passed = zhongtai("nightly", "--date", LAST, "--json", home=home, **told)
    assert passed.code == 0, passed.err
    assert passed.json["checks"]["warned"] >= 1
    (record,) = current(Home(home)).manifest["waivers"]
    assert (record["name"], record["checks"]) == ("opening", [check["id"] for check in broken])
    assert "waiver   opening" in zhongtai("releases", "show", home=home, **told).out
    assert zhongtai("releases", "verify", home=home, **told).code == 0
    look = zhongtai("gates", "show", "--json", home=home, **told).json["documents"]
    assert "waived by opening" in Path(look["page"]).read_text() and Path(look["data_docs"]).is_file()
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == ["refused", "published"]
