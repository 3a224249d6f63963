"""A release made again in an empty home, from its deliveries, its keys and who was who before: the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.release.catalogue import current
from pipelines.settings import Home

DELIVERIES = Path(__file__).parents[1] / "fixtures" / "xiaocheng" / "deliveries"
pytestmark = pytest.mark.slow


def assert_rebuilt(zhongtai, home: Path, into: Path) -> None:
    release = current(Home(home))
    before = sorted(path.name for path in (home / "releases").iterdir())
    call = zhongtai("releases", "rebuild", release.id, "--into", str(into), "--json", home=home)
    assert call.code == 0, call.err
    told = call.json
    assert told["identical"], told["differing"]
    assert (told["content_hash"], told["made_otherwise"], told["refused"]) == (release.content_hash, {}, None)
    assert current(Home(into)).content_hash == release.content_hash
    assert sorted(path.name for path in (home / "releases").iterdir()) == before


def test_the_invented_bank(xiaocheng, zhongtai, tmp_path) -> None:
    assert_rebuilt(zhongtai, xiaocheng.home, tmp_path / "into")


def test_a_release_that_a_rollback_made(xiaocheng, zhongtai, tmp_path) -> None:
    home = Path(shutil.copytree(xiaocheng.home, tmp_path / "home", symlinks=True))
    back = zhongtai("releases", "rollback", xiaocheng.runs["backfill"]["release"], "--reason", "why", home=home)
    assert back.code == 0, back.err
    release = current(Home(home))
    call = zhongtai("releases", "rebuild", release.id, "--into", str(tmp_path / "into"), "--json", home=home)
    assert call.code == 0, call.err
    told = call.json
    assert told["identical"] and told["content_hash"] == release.content_hash, told
    assert (told["release"], told["taken_over"]) == (release.id, ["proof/supersedes.json"])


def test_pkdd99(pkdd99_home, zhongtai, tmp_path) -> None:
    assert_rebuilt(zhongtai, pkdd99_home, tmp_path / "into")


def test_the_simulated_bank_after_late_and_corrected_deliveries(simbank, zhongtai, tmp_path) -> None:
    assert_rebuilt(zhongtai, simbank.home, tmp_path / "into")


def test_another_delivery_is_named_with_the_files_that_differ_for_it(xiaocheng, zhongtai, tmp_path) -> None:
    deliveries = Path(shutil.copytree(DELIVERIES, tmp_path / "deliveries"))
    path = deliveries / "privacy/consent_20251231.csv"
    path.write_bytes(path.read_bytes().replace(b",0,automated_marketing", b",1,automated_marketing"))
    call = zhongtai("releases", "rebuild", "2025-12-31", "--into", str(tmp_path / "into"), "--json",
                    home=xiaocheng.home, ZHONGTAI_DELIVERIES=str(deliveries))  # fmt: skip
    assert call.code == 3, call.err
    told = call.json
    assert not told["identical"]
    (changed,) = told["made_otherwise"]["deliveries"]
    assert (changed["contract"], changed["change"]) == ("consent.event", "corrected")
    assert {"proof/marketing.parquet", "proof/risk.parquet"} <= set(told["differing"])
    assert "core.transaction" not in call.err
    for words in (*told["differing"], "these files differ", "made otherwise: consent.event"):
        assert words in call.err
