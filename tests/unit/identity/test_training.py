"""Training on the golden set: the same seed gives the same bytes, and what is fixed stays."""

from __future__ import annotations

import math
import os

import pytest

from pipelines.identity import golden
from pipelines.identity.model import read_model, write_model
from pipelines.identity.training import trained
from pipelines.settings import InputError, Settings

from .landed import RING
from .people import DAY, credit_code, models, records, resident


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A home whose golden set has two records of each of 300 people and 60 firms, some of them with slips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        settings = Settings(home_dir=tmp_path_factory.mktemp("home"), bank="simbank", threads=1)
        settings.home.prepare("simbank")
        said = []
        given = "伟芳娜敏静丽强磊洋艳勇军杰娟涛超明刚平辉"
        for n in range(300):
            name = "王李张刘陈"[n % 5] + given[n % 20] + given[n // 20 % 20]
            one = {
                "name": name, "national_id": resident(n, f"19{70 + n % 30}0101"), "phone": f"138{n:08d}",
                "address": f"澜州市江湾区文昌路{n}号锦绣花园{n}栋1单元101室", "email": f"{n}@b.cn",
            }  # fmt: skip
            slip = {"phone": f"139{n:08d}"} if n % 6 == 0 else {"email": f"x{n}@b.cn"} if n % 7 == 0 else {}
            said += [{"record_ref": f"{n} core", **one}, {"record_ref": f"{n} crm", **one, **slip}]
            if n % 30 == 0:  # somebody else of the family, or with a number that was typed wrong
                for what in ({"phone": one["phone"]}, {"national_id": one["national_id"]}):
                    said.append({"record_ref": f"{n} {what}", "name": f"赵{given[n % 20]}", **what})
        for n in range(60):
            firm = {
                "entity_kind": "organisation",
                "name": f"澜州市{given[n % 20]}{given[n // 20]}科技有限公司",
                "uscc": credit_code(n),
            }
            said += [{"record_ref": f"firm {n} {place}", **firm} for place in ("core", "registry")]
        made = records(*said)
        golden.write(settings.home, RING, DAY, made.clear(), made)
        finished = settings.home.identity / "state" / DAY.isoformat() / "finished.json"
        finished.parent.mkdir(parents=True)
        finished.write_text("{}")
    return settings


@pytest.mark.parametrize("kind, size", [("person", 620), ("organisation", 120)])
def test_the_same_records_and_seed_give_the_same_bytes(settings, kind, size, tmp_path):
    before = models()[kind]
    once, twice = (trained(settings, RING, before, seed=3) for _ in range(2))
    assert once == twice
    for name, model in (("once", once), ("twice", twice)):
        write_model(tmp_path / name, model)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "twice").read_bytes()
    assert read_model(tmp_path / "once")[0] == once
    assert (once.trained.records, once.trained.source) == (size, "simbank")


@pytest.mark.parametrize("kind", ["person", "organisation"])
def test_weights_are_finite_and_what_is_fixed_stays(settings, kind):
    before = models()[kind]
    after = trained(settings, RING, before, seed=1)
    assert after.prior == before.prior and after.blocking == before.blocking and after.version == before.version
    learned = 0
    for comparison, was in zip(after.comparisons, before.comparisons, strict=True):
        for level, old in zip(comparison.levels, was.levels, strict=True):
            assert level.unknown or math.isfinite(level.weight), (comparison.name, level.level)
            assert (level.level, level.when, level.fixed) == (old.level, old.when, old.fixed)
            for parameter in ("m", "u"):
                if level.fixed in (parameter, "both"):
                    assert getattr(level, parameter) == getattr(old, parameter), (comparison.name, level.level)
            learned += (level.m, level.u) != (old.m, old.u)
    free = [level for one in before.comparisons for level in one.levels if not level.unknown and level.fixed != "both"]
    assert bool(learned) == bool(free)


def test_a_number_that_a_sixth_of_the_people_changed_is_learned(settings):
    (phone,) = (one for one in trained(settings, RING, models()["person"], seed=1).comparisons if one.name == "phone")
    same = next(level for level in phone.levels if level.level == "same")
    assert same.m == pytest.approx(5 / 6, abs=0.05)


def test_a_home_before_its_first_night_says_what_to_do(tmp_path):
    settings = Settings(home_dir=tmp_path, bank="simbank")
    with pytest.raises(InputError, match="run a night first"):
        trained(settings, RING, models()["person"], seed=1)
