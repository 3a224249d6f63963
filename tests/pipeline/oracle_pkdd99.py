"""The truth oracle: the marts of the PKDD'99 bank recomputed from its raw files in plain Polars.

Belongs here: what the column descriptions in data_contracts/marts say, written down a second time from
those descriptions alone. Does not belong here: anything of the pipeline. This module imports neither
`pipelines` nor its SQL; of the project it reads the contracts' column lists, policy.yaml and bank.yaml.
Rows are keyed by the raw `client_id`; whoever compares translates party ids first.

Money is counted in whole hellers (integers), so every sum is exact, and becomes a decimal at the end.
Ratios are doubles over exact sums, rounded half away from zero; rules compare the rounded value.
"""

from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from operator import add
from pathlib import Path

import polars as pl
import yaml
from polars import col, lit, when

CONTRACTS = Path(__file__).parents[2] / "data_contracts"
# The first holds no loan yet, the next two bring the first loan and card, the fourth completes 365 days of flows.
DATES = (date(1993, 6, 30), date(1993, 7, 5), date(1993, 11, 7), date(1993, 12, 31), date(1994, 3, 31))
MARTS = {"customer_360": "customer", "low_risk_list": "risk", "scenario_feature": "risk"}
READ = {"low_risk_list": "low_risk_decision"}  # products of risk that are not called like their mart
POLICY = yaml.safe_load((CONTRACTS / "policy.yaml").read_text("utf-8"))
BANK = yaml.safe_load((CONTRACTS / "feeds/pkdd99/bank.yaml").read_text("utf-8"))
LIFECYCLE, LIMIT, VALUE = ({name: Decimal(str(value)) for name, value in POLICY["thresholds"][group].items()}
                           for group in ("lifecycle", "low_risk", "value"))  # fmt: skip
BY_BAND = {
    "product_families": {"A": "deposit;wealth;card;loan", "B": "deposit;wealth;card", "C": "deposit;wealth"},
    "inclusion_reasons": {"A": "meets_requirements;stable_income;light_commitments",
                          "B": "meets_requirements;stable_income", "C": "meets_requirements"},
}  # fmt: skip
# Not recomputed here: the flows of a party against those of all its peers; at this bank it decides on nothing.
NOT_RECOMPUTED = {"low_risk_list": ["warning_severity"]}
PERIODS = range(6)  # the last six 30-day periods; period 0 ends on the business date
MONEY, SHARE = pl.Decimal(18, 2), pl.Decimal(9, 4)
Known = dict[str, pl.DataFrame]


def recompute(
    raw: Path, as_of: date, client_ids: list[str] | None = None, before: pl.DataFrame | None = None
) -> dict[str, pl.DataFrame]:
    """Every mart row as of one business date, for all clients known by then or for those named.

    `before` is the low-risk list of the last date that was published before.
    """
    known = read_known(raw, as_of)
    parties = identity(known, as_of)
    for facts in (holdings(known), balances(known, as_of), flows(known), loans(known, as_of)):
        parties = parties.join(facts, on="client_id", how="left")
    if client_ids is not None:
        parties = parties.filter(col("client_id").is_in(client_ids))
    decided = low_risk(customer_360(parties, known, as_of), as_of, before)
    rows = {"customer_360": decided, "low_risk_list": decided, "scenario_feature": scenario_feature(decided)}
    return {mart: as_contracted(frame, mart) for mart, frame in rows.items()}


def as_contracted(frame: pl.DataFrame, mart: str) -> pl.DataFrame:
    """The columns of the contract that risk reads, in its order; hellers become money."""
    types = contracted(f"marts/{MARTS[mart]}/{mart}")
    read = contracted(f"products/risk/{READ.get(mart, mart)}").keys()
    counted = [name for name, kind in types.items() if kind == "decimal(18,2)" and frame.schema[name].is_integer()]
    frame = frame.with_columns((col(counted).cast(pl.Decimal(38, 2)) / 100).cast(MONEY))
    left_out = NOT_RECOMPUTED.get(mart, [])
    return frame.select("client_id", *(name for name in types if name in read and name not in left_out))


def contracted(path: str) -> dict[str, str | None]:
    """Columns of a contract with their types, which a product does not repeat."""
    contract = yaml.safe_load((CONTRACTS / f"{path}.odcs.yaml").read_text("utf-8"))
    return {column["name"]: column.get("physicalType") for column in contract["schema"][0]["properties"]}


def read_known(raw: Path, as_of: date) -> Known:
    """The raw files, without any row that was not known by the date."""
    files = {name: pl.read_csv(raw / f"{name}.asc", separator=";", infer_schema=False)
             for name in ("account", "client", "disp", "loan", "card", "trans")}  # fmt: skip
    day = col("date").str.to_date("%y%m%d")
    account = files["account"].select("account_id", opened_on=day).filter(col("opened_on") <= as_of)
    disp = files["disp"].join(account, on="account_id")
    trans = files["trans"].select(
        "account_id", booked_on=day, age=(lit(as_of) - day).dt.total_days(), hellers=hellers("amount"),
        credit=col("type").replace_strict({"PRIJEM": True, "VYDAJ": False, "VYBER": False}),
        channel=col("operation").fill_null(""), purpose=col("k_symbol").fill_null("").str.strip_chars(),
    )  # fmt: skip
    loan = files["loan"].select(
        "account_id", granted_on=day, term=col("duration").cast(pl.Int64),
        principal=hellers("amount"), payment=hellers("payments"),
    )  # fmt: skip
    return {
        "client": files["client"].join(disp, on="client_id", how="semi"), "disp": disp,
        "owned": disp.filter(col("type") == "OWNER").select("client_id", "account_id", "opened_on"),
        "trans": trans.filter(col("booked_on") <= as_of),
        "loan": loan.filter(col("granted_on") <= as_of),
        "card": files["card"].filter(col("issued").str.to_datetime("%y%m%d %H:%M:%S").dt.date() <= as_of),
    }  # fmt: skip


def identity(known: Known, as_of: date) -> pl.DataFrame:
    """Who the party is; this bank registers persons only, and no phone. A birth number tells gender and month."""
    year, month = (col("birth_number").str.slice(at, 2).cast(pl.Int64) for at in (0, 2))
    months = (as_of.year - 1900 - year) * 12 + as_of.month - month % 50  # month + 50 for women
    return known["client"].select(
        "client_id", business_date=lit(as_of), party_kind=lit("person"), party_type=lit("person"),
        customer_status=lit("customer"), email_known=lit(False), address_known=lit(False),
        district_key=col("district_id"),
        gender=when(month > 50).then(lit("female")).otherwise(lit("male")), contact_known=lit(False),
        age_years=months // 12, identity_completeness=share(2 + col("district_id").is_not_null(), lit(3)),
    )  # fmt: skip


def holdings(known: Known) -> pl.DataFrame:
    cards = known["card"].group_by("disp_id").agg(cards=pl.len())
    owner = col("type") == "OWNER"
    return known["disp"].join(cards, on="disp_id", how="left").group_by("client_id").agg(
        relationship_since=col("opened_on").min(), cards_held=col("cards").sum().cast(pl.Int64),
        accounts_owned=owner.sum().cast(pl.Int64), accounts_disposed=(~owner).sum().cast(pl.Int64),
    )  # fmt: skip


def balances(known: Known, as_of: date) -> pl.DataFrame:
    """End-of-day totals of every owner for each of 365 days; a booking before them counts on the first."""
    first = as_of - timedelta(days=364)
    days = pl.select(day=pl.date_range(first, as_of, "1d"))
    day = when(col("booked_on") < first).then(lit(first)).otherwise(col("booked_on"))
    signed = when("credit").then(col("hellers")).otherwise(-col("hellers"))
    net = known["owned"].join(known["trans"], on="account_id").group_by("client_id", day=day).agg(signed=signed.sum())
    daily = known["owned"].select("client_id").unique().join(days, how="cross")
    daily = daily.join(net, on=["client_id", "day"], how="left").sort("client_id", "day")
    daily = daily.with_columns(total=col("signed").fill_null(0).cum_sum().over("client_id"))
    last_90 = col("total").filter(col("day") > as_of - timedelta(days=90))
    return daily.group_by("client_id").agg(
        balance=col("total").last(), sum_365d=col("total").sum(),
        balance_min_90d=last_90.min(), balance_min_365d=col("total").min(),
        balance_avg_90d=(last_90.sum().cast(pl.Float64) / 100 / 90).round(2, mode="half_away_from_zero").cast(MONEY),
    )  # fmt: skip


def flows(known: Known) -> pl.DataFrame:
    """Windows over bookings on accounts owned on the day of the booking."""
    booked = known["owned"].join(known["trans"], on="account_id").filter(col("booked_on") >= col("opened_on"))
    credit, debit, age, purpose, channel = col("credit"), ~col("credit"), col("age"), col("purpose"), col("channel")
    income = credit & ((purpose == "DUCHOD") | (channel == "PREVOD Z UCTU"))  # no code stands for salary
    penalty, fee = debit & (purpose == "SANKC. UROK"), debit & (purpose == "SLUZBY")
    household, insurance = debit & (purpose == "SIPO"), debit & (purpose == "POJISTNE")
    amounts = {"fee_amount_365d": (penalty | fee) & (age < 365)}
    amounts |= {f"{kind}_amount_{n}d": which & (age < n) for n in (30, 90, 365)
                for kind, which in (("credit", credit), ("debit", debit), ("income", income))}  # fmt: skip
    amounts |= {f"{kind}_amount_90d": which & (age < 90) for kind, which in (
        ("household", household), ("insurance", insurance), ("loan_payment", debit & (purpose == "UVER")),
        ("cash_out", debit & (channel == "VYBER")), ("card", debit & (channel == "VYBER KARTOU")),
    )}  # fmt: skip
    amounts |= {f"income_{k}": income & (age // 30 == k) for k in PERIODS}
    counts = {f"{kind}_count_{n}d": which & (age < n) for n in (30, 90, 365)
              for kind, which in (("credit", credit), ("debit", debit))}  # fmt: skip
    counts |= {"penalty_interest_count_365d": penalty & (age < 365), "recent": age < LIFECYCLE["dormant_days"]}
    paid = {"household_periods": household & (age < 180), "insurance_periods": insurance & (age < 180)}
    sums = booked.group_by("client_id").agg(
        **{name: col("hellers").filter(which).sum() for name, which in amounts.items()},
        **{name: which.sum().cast(pl.Int64) for name, which in counts.items()},
        days_since_booking=age.min(),
        **{name: (age // 30).filter(which).n_unique().cast(pl.Int64) for name, which in paid.items()},
    )
    idle = col("days_since_booking")
    sums = known["client"].select("client_id").join(sums, on="client_id", how="left")
    return sums.with_columns(pl.exclude("client_id", "days_since_booking").fill_null(0)).with_columns(
        days_since_booking=when(idle < max(365, LIFECYCLE["dormant_days"])).then(idle)
    )


def loans(known: Known, as_of: date) -> pl.DataFrame:
    active = col("granted_on").dt.offset_by(pl.format("{}mo", "term")) > as_of
    return known["owned"].join(known["loan"], on="account_id").group_by("client_id").agg(
        loans_granted=pl.len().cast(pl.Int64), loans_active=active.sum().cast(pl.Int64),
        loan_principal_active=col("principal").filter(active).sum(),
        loan_monthly_payment=col("payment").filter(active).sum(),
        # No interest is known of this bank's loans: the policy's margin on the principal while a loan runs.
        loan_margin=of(VALUE["loan_margin"], col("principal")).filter(active).sum(),
    )  # fmt: skip


def customer_360(parties: pl.DataFrame, known: Known, as_of: date) -> pl.DataFrame:
    delivered = {name: known[name].height > 0 for name in ("disp", "card", "loan")}
    observed = min(365, (known["trans"]["age"].max() or 0) + 1) if known["trans"].height else 0
    days = (lit(as_of) - col("relationship_since")).dt.total_days()
    stage = (
        when(days.is_null()).then(lit("prospect")).when(days < LIFECYCLE["new_days"]).then(lit("new"))
        .when(col("recent") > 0).then(lit("active")).otherwise(lit("dormant"))
    )  # fmt: skip
    lending = ["loans_granted", "loans_active", "loan_principal_active", "loan_monthly_payment"]
    parties = parties.with_columns(
        *[col(c).fill_null(0) if delivered["loan"] else lit(None, pl.Int64).alias(c) for c in lending],
        cards_held=col("cards_held") if delivered["card"] else lit(None, pl.Int64),
        standing_orders=lit(None, pl.Int64),  # the file is undated, so no date can know an order
        relationship_days=days, lifecycle_stage=stage,
        products_completeness=share(lit(sum(delivered.values())), lit(4)),
        flows_completeness=share(lit(observed), lit(365)),
        credit_completeness=share(lit(int(delivered["loan"])), lit(6)),  # of six contracts this bank has one
    )  # fmt: skip
    mean = when(col("sum_365d") > 0).then(halved(col("sum_365d"), 365)).otherwise(0).fill_null(0)
    booked, lent = known["trans"].height > 0, delivered["loan"]
    margins = {
        "value_deposit_margin_365d": of(VALUE["deposit_margin"], mean) if booked else lit(None, pl.Int64),
        "value_loan_margin_365d": col("loan_margin").fill_null(0) if lent else lit(None, pl.Int64),
    }
    parties = parties.with_columns(**margins).with_columns(
        value_income_365d=pl.sum_horizontal("fee_amount_365d", *margins) if booked else lit(None, pl.Int64),
        value_completeness=share(lit(booked + lent), lit(3)),
        lifecycle_completeness=share(lit(delivered["disp"] + booked), lit(2)),
    )
    return parties.with_columns(unknown(set(parties.columns)))


def of(rate: Decimal, hellers: pl.Expr) -> pl.Expr:
    """A share of an amount that is not negative, in whole hellers, rounded half up: exact, in millionths."""
    return halved(hellers.cast(pl.Int128) * int(rate * 1_000_000), 1_000_000)


def halved(whole: pl.Expr, parts: int) -> pl.Expr:
    """A whole number that is not negative by a number of parts, rounded half up."""
    return ((2 * whole.cast(pl.Int128) + parts) // (2 * parts)).cast(pl.Int64)


def unknown(known: set[str]) -> list[pl.Expr]:
    """What is told by contracts that this bank does not deliver: empty, with a completeness of zero.

    Whether there is a credit report is withheld: it takes an authorisation, and nobody of this bank gave one.
    """
    kinds = {"string": pl.String, "bigint": pl.Int64, "boolean": pl.Boolean, "decimal(18,2)": MONEY,
             "decimal(9,4)": SHARE}  # fmt: skip
    return [
        lit(0 if name.endswith("_completeness") and name != "bureau_completeness" else None, kinds[str(kind)]).alias(
            name
        )
        for name, kind in contracted("marts/customer/customer_360").items()
        if name not in known | {"party_id"}
    ]


def low_risk(parties: pl.DataFrame, as_of: date, before: pl.DataFrame | None) -> pl.DataFrame:
    state = {"included": pl.Boolean, "in_since": pl.Date, "last_out_on": pl.Date}
    held = pl.DataFrame(schema={"client_id": pl.String, **state}) if before is None else before
    held = held.select("client_id", *(col(name).alias(f"{name}_before") for name in state))
    income = [col(f"income_{k}").cast(pl.Int128) for k in PERIODS]
    total, squares = reduce(add, income), reduce(add, [x * x for x in income])
    payment = col("loan_monthly_payment")
    parties = parties.join(held, on="client_id", how="left").with_columns(
        variant=lit("internal"), valid_from=lit(as_of), was_included=col("included_before").fill_null(False),
        income_periods=reduce(add, [(x >= LIMIT["min_period_income"] * 100).cast(pl.Int64) for x in income]),
        income_variation=when(total > 0).then(
            share((len(PERIODS) * squares - total * total).cast(pl.Float64).sqrt(), total)),
        debt_service_ratio=when(payment == 0).then(lit(0, SHARE)).when(total > 0).then(
            share(payment, total.cast(pl.Float64) / 6)),
        valid_to=lit(as_of + timedelta(days=int(LIMIT["validity_days"]))),
    )  # fmt: skip
    entering, staying = verdicts_by(""), verdicts_by("stay_")
    stays = pl.all_horizontal(excludes(rule, verdict).is_null() for rule, verdict in staying.items())
    was_ever_in = col("was_included") | col("last_out_on_before").is_not_null()
    parties = parties.with_columns(
        **{f"rule_{rule}": when("was_included").then(staying[rule]).otherwise(entering[rule]) for rule in entering},
        last_out_on=when(was_ever_in & ~stays).then(lit(as_of)).otherwise(col("last_out_on_before")),
    )  # fmt: skip
    waits = col("last_out_on") > lit(as_of - timedelta(days=int(LIMIT["reentry_days"])))
    parties = parties.with_columns(
        rule_reentry=when((waits & ~col("was_included")).fill_null(False)).then(lit("fail")).otherwise(lit("pass"))
    )
    excluded_by = [excludes(rule, col(f"rule_{rule}")) for rule in [*entering, "reentry"]]
    included = pl.all_horizontal(reason.is_null() for reason in excluded_by)
    in_a, in_b = ((col("income_variation") <= LIMIT[f"band_{band}_max_income_variation"])
                  & (col("debt_service_ratio") <= LIMIT[f"band_{band}_max_debt_service_ratio"])
                  for band in "ab")  # fmt: skip
    band = when(in_a).then(lit("A")).when(in_b).then(lit("B")).otherwise(lit("C"))
    segment = when(col("accounts_owned") > 1).then(lit("several_accounts")).otherwise(lit("single_account"))
    decided = parties.with_columns(
        included=included, segment=when(included).then(segment), band=when(included).then(band),
        in_since=when(included).then(when("was_included").then("in_since_before").otherwise(lit(as_of))),
        exclusion_reasons=when(~included).then(pl.concat_str(excluded_by, separator=";", ignore_nulls=True)),
    )  # fmt: skip
    return decided.with_columns(
        **{name: col("band").replace_strict(values, default=None) for name, values in BY_BAND.items()},
        pd=lit(None, pl.Decimal(9, 6)), worst_class=lit(None, pl.String),
    )  # fmt: skip


def verdicts_by(which: str) -> dict[str, pl.Expr]:
    """What each rule says by the limits for entry, or for staying where there are such (`stay_`)."""
    limit = LIMIT | {name.removeprefix(which): value for name, value in LIMIT.items() if which and which in name}
    may_market = "marketing" in [basis["purpose"] for basis in BANK["legal_basis"]]
    minor = (col("age_years") < POLICY["thresholds"]["consent"]["minor_age_years"]).fill_null(False)
    owns, always, never = col("accounts_owned") > 0, lit(True), lit(False)
    settled = (col("relationship_days") >= limit["min_history_days"]).fill_null(False)
    service = (col("debt_service_ratio") <= limit["max_debt_service_ratio"]).fill_null(False)
    rules = {  # rule: (what passes, what has to hold for a verdict at all)
        "person_of_age": (col("age_years") >= limit["min_age_years"], col("age_years").is_not_null()),
        "account_owner": (owns, always),
        "history": (settled, always),
        "penalty_interest": (col("penalty_interest_count_365d") <= limit["max_penalty_interest"], owns),
        "negative_balance": (col("balance_min_365d") >= limit["min_balance"] * 100, owns),
        "regular_inflow": (col("income_periods") >= limit["min_income_periods"], settled),
        "income_stability": (col("income_variation") <= limit["max_income_variation"],
                             settled & col("income_variation").is_not_null()),
        "debt_service": (service, col("loan_monthly_payment").is_not_null()),
        # No card speaks of this bank, and it delivers neither what was paid nor who applied.
        **{rule: (never, never) for rule in ("grade", "class", "default", "warning", "refusal")},
        "lawful_use": (lit(may_market) & ~minor, always),
    }  # fmt: skip
    return {rule: when(~evaluable).then(lit("not_evaluable")).when(passes).then(lit("pass")).otherwise(lit("fail"))
            for rule, (passes, evaluable) in rules.items()}  # fmt: skip


def excludes(rule: str, verdict: pl.Expr) -> pl.Expr:
    """The reason that a verdict of a rule is; empty where it excludes nobody."""
    unknown = lit(f"{rule}:not_evaluable" if LIMIT.get(f"{rule}_not_evaluable_excludes") else None, pl.String)
    return when(verdict == "fail").then(lit(rule)).when(verdict == "not_evaluable").then(unknown)


def scenario_feature(parties: pl.DataFrame) -> pl.DataFrame:
    spent = col("debit_amount_90d")
    wide = parties.filter(col("accounts_owned") > 0).select(
        "client_id", "business_date",
        household_regularity_180d=share(col("household_periods"), lit(6)),
        insurance_regularity_180d=share(col("insurance_periods"), lit(6)),
        income_variation_180d=col("income_variation"),
        cash_share_90d=when(spent > 0).then(share(col("cash_out_amount_90d"), spent)),
        card_share_90d=when(spent > 0).then(share(col("card_amount_90d"), spent)),
    )  # fmt: skip
    long = wide.unpivot(index=["client_id", "business_date"], variable_name="feature")
    return long.with_columns(scenario=col("feature").str.split("_").list.first())


def hellers(column: str) -> pl.Expr:
    return (col(column).cast(MONEY) * 100).cast(pl.Int64)


def share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    ratio = part.cast(pl.Float64) / whole.cast(pl.Float64)
    return ratio.round(4, mode="half_away_from_zero").cast(SHARE)
