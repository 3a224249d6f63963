"""Every number the platform publishes of the PKDD'99 bank, against an independent recomputation.

Belongs here: the comparison of the marts with `oracle_pkdd99`, and what shows that the oracle itself can be
trusted. Does not belong here: how a mart is computed. The bank's files are public data beside the project;
without them the tests that need them are skipped.
"""

import ast
import csv
import hashlib
import hmac
import os
import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import oracle_pkdd99
import polars as pl
import pytest
from oracle_pkdd99 import DATES, MARTS, NOT_RECOMPUTED, recompute

PUBLIC_DATA = Path(os.environ.get("ZHONGTAI_PUBLIC_DATA") or Path(__file__).parents[3] / "shared" / "data")
RAW = PUBLIC_DATA / "pkdd99"
needs_public_data = pytest.mark.skipif(
    not (RAW / "trans.asc").is_file(),
    reason=f"the PKDD'99 files are not at {RAW}: put them there or set ZHONGTAI_PUBLIC_DATA",
)
PRODUCTS = {mart: mart for mart in MARTS} | {"low_risk_list": "low_risk_decision"}
KEYS = {"customer_360": [], "low_risk_list": ["variant"], "scenario_feature": ["feature"]}
LAST_DAY, PARTIES, SEED = date(1994, 3, 31), 50, 1999


# The platform against the oracle


def mart_rows(home: Path, mart: str, day: date, vault_key: str) -> pl.DataFrame:
    """What risk reads of one mart as of one day, keyed by client_id: all this module knows of a home."""
    from pipelines.vault.keys import KeyRing

    crosswalk = pl.read_parquet(home / "identity" / "party_crosswalk.parquet").filter(pl.col("source") == "core")
    assert crosswalk["party_id"].is_unique().all(), "the crosswalk merges clients: the oracle compares them one by one"
    ring = KeyRing.open(home / "vault", vault_key)
    key = ring.pseudonym_key("risk").encode()
    names = pl.DataFrame({
        "client_id": crosswalk["record_key"],
        "pseudonym": [hmac.new(key, party.encode(), hashlib.sha256).hexdigest() for party in crosswalk["party_id"]],
    })  # fmt: skip
    published = [path for path in (home / "releases").iterdir() if path.is_dir() and not path.is_symlink()]
    frames = [pl.read_parquet(path / "risk" / f"{PRODUCTS[mart]}.parquet") for path in published]
    frames = [frame for frame in frames if frame["business_date"].unique().to_list() == [day]]
    assert len(frames) == 1, f"{len(frames)} releases hold {mart} as of {day}, not one"
    joined = frames[0].join(names, on="pseudonym", how="left", maintain_order="left")
    assert joined["client_id"].null_count() == 0, f"{mart} has pseudonyms of no client in the crosswalk"
    return joined.select("client_id", pl.exclude("client_id", "pseudonym", *NOT_RECOMPUTED.get(mart, [])))


@pytest.fixture(scope="session")
def truth() -> dict[date, dict[str, pl.DataFrame]]:
    found: dict[date, dict[str, pl.DataFrame]] = {}
    for day in DATES:
        found[day] = recompute(RAW, day, before=list_before(found, day))
    return found


def list_before(truth: dict[date, dict[str, pl.DataFrame]], day: date) -> pl.DataFrame | None:
    """The low-risk list of the date that was published before."""
    return max(((earlier, marts["low_risk_list"]) for earlier, marts in truth.items() if earlier < day),
               key=lambda found: found[0], default=(None, None))[1]  # fmt: skip


@needs_public_data
@pytest.mark.slow
@pytest.mark.parametrize("mart", MARTS)
@pytest.mark.parametrize("day", DATES, ids=str)
def test_fifty_parties_agree_in_every_column(pkdd99_home: Path, vault_key, truth, day: date, mart: str):
    everyone = sorted(truth[day]["customer_360"]["client_id"])
    chosen = random.Random(f"{SEED} {day}").sample(everyone, PARTIES)
    actual = mart_rows(pkdd99_home, mart, day, vault_key).filter(pl.col("client_id").is_in(chosen))
    assert not (
        report := differences(recompute(RAW, day, chosen, list_before(truth, day))[mart], actual, KEYS[mart])
    ), report


@needs_public_data
@pytest.mark.slow
@pytest.mark.parametrize("mart", MARTS)
@pytest.mark.parametrize("day", DATES, ids=str)
def test_all_parties_agree_in_every_column(pkdd99_home: Path, vault_key, truth, day: date, mart: str):
    assert not (report := differences(truth[day][mart], mart_rows(pkdd99_home, mart, day, vault_key), KEYS[mart])), (
        report
    )


def differences(expected: pl.DataFrame, actual: pl.DataFrame, keys: list[str], shown: int = 5) -> str:
    """What differs, per column, with a few rows of each; empty where nothing does."""
    if expected.schema != actual.schema:
        wanted, found = ([f"{name} {kind}" for name, kind in frame.schema.items()] for frame in (expected, actual))
        odd = [f"    {column}" for column in [*wanted, *found] if (column in wanted) != (column in found)]
        return "\n".join(["columns, their order or their types differ:", *(odd or wanted)])
    keys = ["client_id", *keys]
    lines = [f"{actual.height} rows, the oracle has {expected.height}"] if actual.height != expected.height else []
    for what, rows in (
        ("missing", expected.join(actual, on=keys, how="anti")),
        ("unexpected", actual.join(expected, on=keys, how="anti")),
    ):
        lines += [f"{what}: {' '.join(map(str, row))}" for row in rows.select(keys).sort(keys).rows()[:shown]]
    both = expected.join(actual, on=keys, suffix=" actual").sort(keys)
    for name in (name for name in expected.columns if name not in keys):
        wrong = both.filter(pl.col(name).ne_missing(pl.col(f"{name} actual")))
        if wrong.height:
            lines.append(f"{name}: {wrong.height} of {both.height} rows differ")
        for *key, right, found in wrong.select(*keys, name, f"{name} actual").rows()[:shown]:
            lines.append(f"    client {' '.join(key)}: oracle {right}, mart {found}")
    return "\n".join(lines)


# The oracle itself


def test_the_oracle_shares_no_code_with_the_pipeline():
    nodes = list(ast.walk(ast.parse(Path(oracle_pkdd99.__file__).read_text("utf-8"))))
    modules = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    assert set(modules) == {"datetime", "decimal", "functools", "operator", "pathlib", "polars", "yaml"}


def raw_rows(name: str) -> list[dict[str, str]]:
    """A raw file, read without any data frame."""
    with (RAW / f"{name}.asc").open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@needs_public_data
def test_the_files_hold_the_totals_that_their_readme_states(truth):
    rows = raw_rows("trans")
    assert len(rows) == 49_102
    assert sum(Decimal(row["amount"]) for row in rows if row["type"] == "PRIJEM") == Decimal("177366296.30")
    assert sum(Decimal(row["amount"]) for row in rows if row["type"] != "PRIJEM") == Decimal("138120153.50")
    published = truth[LAST_DAY]["customer_360"]
    assert published["accounts_owned"].sum() == 1_229
    assert published["balance"].sum() == Decimal("177366296.30") - Decimal("138120153.50")


@needs_public_data
def test_balances_are_the_sum_of_bookings_day_by_day(truth):
    owners = {row["account_id"]: row["client_id"] for row in raw_rows("disp") if row["type"] == "OWNER"}
    net = defaultdict(lambda: defaultdict(Decimal))
    for row in raw_rows("trans"):
        booked = datetime.strptime(row["date"], "%y%m%d").date()
        net[owners[row["account_id"]]][booked] += Decimal(row["amount"]) * (1 if row["type"] == "PRIJEM" else -1)
    for day in DATES:
        for row in truth[day]["customer_360"].filter(pl.col("accounts_owned") > 0).iter_rows(named=True):
            flow = net[row["client_id"]]
            ends, total = [], sum((amount for booked, amount in flow.items() if booked <= day), Decimal(0))
            for back in range(365):
                ends.append(total)
                total -= flow.get(day - timedelta(days=back), Decimal(0))
            assert row["balance"] == ends[0]
            assert (row["balance_min_90d"], row["balance_min_365d"]) == (min(ends[:90]), min(ends))
            assert abs(row["balance_avg_90d"] - sum(ends[:90]) / 90) <= Decimal("0.005")


@needs_public_data
def test_wider_windows_hold_narrower_ones_and_parts_their_whole(truth):
    for day in DATES:
        rows = truth[day]["customer_360"]
        for kind in ("credit_amount", "debit_amount", "credit_count", "debit_count", "income_amount"):
            assert (rows[f"{kind}_30d"] <= rows[f"{kind}_90d"]).all()
            assert (rows[f"{kind}_90d"] <= rows[f"{kind}_365d"]).all()
        assert (rows["income_amount_365d"] <= rows["credit_amount_365d"]).all()
        assert (rows["cash_out_amount_90d"] + rows["card_amount_90d"] <= rows["debit_amount_90d"]).all()
        assert (rows["loans_active"] <= rows["loans_granted"]).fill_null(True).all()
        excluded = truth[day]["low_risk_list"].filter(~pl.col("included"))
        assert excluded["band"].null_count() == excluded["inclusion_reasons"].null_count() == excluded.height
        assert excluded["exclusion_reasons"].null_count() == 0


def test_a_bank_small_enough_to_reckon_by_hand(tmp_path: Path):
    def booked(account: str, day: str, amount: str, codes: str = '"PRIJEM";"VKLAD"', symbol: str = "") -> str:
        return f'1;{account};{day};{codes};{amount};0.00;"{symbol}";;'

    # Account 10: one booking just inside and just outside each window, each a power of two, and one of tomorrow.
    days = ("930331", "930401", "931231", "940101", "940301", "940302", "940331", "940401")
    powers = [booked("10", day, f"{2**n}.00") for n, day in enumerate(days)]
    # Account 12: a pension in five of six periods, on their first and last days.
    pensions = [booked("12", day, "500.00", '"PRIJEM";"PREVOD Z UCTU"', "DUCHOD")
                for day in ("931201", "931202", "940130", "940131", "940331")]  # fmt: skip
    files = {
        "account": ["account_id;district_id;frequency;date", "10;1;X;930101", "11;1;X;940401", "12;1;X;931002"],
        "client": ["client_id;birth_number;district_id", "1;705105;1", "2;760401;1", "3;600301;1", "4;600301;1"],
        "disp": ["disp_id;client_id;account_id;type", "1;1;10;OWNER", "2;2;10;DISPONENT", "3;3;11;OWNER",
                 "4;4;12;OWNER"],
        "loan": ["loan_id;account_id;date;amount;duration;payments;status", "1;10;930331;1200;12;100.00;A",
                 "2;12;931101;1200;12;100.00;D"],
        "card": ["card_id;disp_id;type;issued", "1;2;classic;940331 00:00:00", "2;1;gold;940401 00:00:00"],
        "trans": ["trans_id;account_id;date;type;operation;amount;balance;k_symbol;bank;account", *powers, *pensions],
    }  # fmt: skip
    for name, lines in files.items():
        (tmp_path / f"{name}.asc").write_text("\r\n".join([*lines, ""]), "ascii")
    marts = recompute(tmp_path, LAST_DAY)
    owner, disponent, pensioner = marts["customer_360"].sort("client_id").rows(named=True)  # client 3 is of tomorrow
    assert [owner[f"credit_amount_{n}d"] for n in (30, 90, 365)] == [96, 120, 126]
    assert [owner[f"balance{c}"] for c in ("", "_min_90d", "_min_365d")] == [127, 15, 3]
    assert owner["balance_avg_90d"] == Decimal("31.89")  # (59*15 + 31 + 29*63 + 127) / 90
    assert (owner["gender"], owner["age_years"], disponent["age_years"]) == ("female", 24, 17)
    assert (owner["loans_granted"], owner["loans_active"]) == (1, 0)  # the term ends on the business date
    assert (disponent["cards_held"], disponent["accounts_disposed"], disponent["balance"]) == (1, 1, None)
    assert (pensioner["relationship_days"], pensioner["loan_monthly_payment"]) == (180, 100)
    *others, decision = marts["low_risk_list"].sort("client_id").rows(named=True)
    assert (decision["income_periods"], decision["income_variation"]) == (5, Decimal("0.4472"))  # sqrt(6*5 - 25) / 5
    assert (decision["debt_service_ratio"], decision["band"]) == (Decimal("0.2400"), "B")  # 100 / (2500 / 6)
    assert decision["inclusion_reasons"] == "meets_requirements;stable_income"
    assert [row["exclusion_reasons"] for row in others] == [
        "regular_inflow;income_stability:not_evaluable",
        "person_of_age;account_owner;penalty_interest:not_evaluable;negative_balance:not_evaluable;"
        "regular_inflow;income_stability:not_evaluable",
    ]
