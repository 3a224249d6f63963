"""Every fault that `zhongtai simulate --fault` knows: which delivery it spoils, how, and what a night must do with it.

Belongs here: the table. Does not belong here: how a delivery is edited (`edits`, `spoiled`).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from pipelines.simulation.faults import edits
from pipelines.simulation.faults.edits import Edit

REFUSED, QUARANTINED, PUBLISHED = "refused", "quarantined", "published"
_LATER = "20991231"


@dataclass(frozen=True)
class Fault:
    """One fault. `rule` is that of ingest; `bad` rows are set apart, or all is refused where they are too many."""

    name: str
    description: str
    contract: str
    source: str
    edit: Edit
    verdict: str
    rule: str = ""
    bad: int = 0


def _refused(name: str, place: str, edit: Edit, rule: str, description: str) -> Fault:
    source, contract = place.split("/")
    return Fault(name, description, contract, source, edit, REFUSED, rule)


def _quarantined(name: str, place: str, edit: Edit, rule: str, description: str, bad: int = 1) -> Fault:
    source, contract = place.split("/")
    return Fault(name, description, contract, source, edit, QUARANTINED, rule, bad)


def _published(name: str, place: str, edit: Edit, description: str) -> Fault:
    source, contract = place.split("/")
    return Fault(name, description, contract, source, edit, PUBLISHED)


_PARTY, _BOOKING, _HOLDER = "core/core.party", "core/core.transaction", "core/core.account_holder"
_ORDER, _CARD, _LEDGER = "core/core.standing_order", "cards/card.account", "ledger/core.ledger_control"
_LOAN, _GUARANTEE = "lending/loan.contract", "lending/loan.guarantee"
_CRM, _CONTACT, _TILL = "crm/crm.customer", "campaigns/crm.contact", "market_east/market.daily_turnover"
_APP, _LOG, _INSURED = "app/channel.app_event", "ops/ops.audit_log", "social_security/social_security.contribution"
_WEALTH = "wealth/wealth.holding"
_FIRST = "ctid = (select min(ctid) from crm.customer where business_date = %(day)s)"

#: Separated by pipes, in gb18030, with a trailer and a flag.
_PIPE = (
    _refused("missing_file", _BOOKING, edits.gone, "missing_delivery", "bookings do not come"),
    _refused("missing_flag", _PARTY, edits.unflagged, "missing_flag", "nothing says that customers are complete"),
    _refused("cut_off", _BOOKING, edits.raw(lambda b: b[: len(b) // 2]), "missing_trailer", "half the file is there"),
    _refused("no_trailer", _ORDER, edits.trailer(lambda _: b""), "missing_trailer", "the trailer is left out"),
    _refused("bad_trailer", _CARD, edits.trailer(lambda _: b"T|many"), "bad_trailer", "the trailer counts in words"),
    _refused("trailer_count", _PARTY, edits.trailer(lambda _: b"T|7"), "trailer_count", "the trailer counts 7 rows"),
    _refused("trailer_sum", _BOOKING, edits.trailer(edits.one_fen_more), "trailer_sum", "the sum is 0.01 too high"),
    _refused("lost_row", _ORDER, edits.text(lambda b: b.split(b"\n", 1)[1]), "trailer_count", "a row got lost"),
    _refused("other_delimiter", _CARD, edits.text(lambda b: b.replace(b"|", b";")), "missing_trailer", "; for |"),
    _refused("wrong_byte", _PARTY, edits.line(3, lambda b: b[:-1] + b"\xff"), "wrong_encoding", "a byte of no code"),
    _refused("same_file_again", _BOOKING, edits.yesterday, "duplicate_delivery", "the file of the day before"),
    _refused("all_codes_unknown", _PARTY, edits.value("SEX", "9"), "reject_limit", "a code is new in every row"),
    _refused(
        "half_vanished", _CARD, edits.rows(lambda r: r[: len(r) // 2]), "vanished_keys", "half the cards are not there"
    ),
    _quarantined("too_many_fields", _HOLDER, edits.line(5, lambda b: b + b"|1"), "malformed", "one field too many"),
    _quarantined(
        "too_few_fields", _BOOKING, edits.line(2, lambda b: b.rpartition(b"|")[0]), "malformed", "a field is missing"
    ),
    _quarantined("bad_date", _BOOKING, edits.value("TXN_DT", "20251301", 4), "unreadable", "a 13th month"),
    _quarantined("bad_number", _BOOKING, edits.value("AMT", "12,50", 2), "unreadable", "a decimal comma"),
    _quarantined("negative_amount", _BOOKING, edits.value("AMT", "-1.00", 3), "range", "an amount below zero"),
    _quarantined("unknown_code", _BOOKING, edits.value("DC_FLAG", "09", 1), "unreadable", "neither debit nor credit"),
    _quarantined("no_account", _BOOKING, edits.value("ACCT_NO", "", 2), "required", "a booking without an account"),
    _quarantined(
        "unknown_party", _HOLDER, edits.value("CUST_NO", "P999999999", 4), "broken_reference", "a holder nobody knows"
    ),
    _quarantined("row_twice", _ORDER, edits.twice(2), "duplicate_key", "a standing order stands twice", 2),
    _quarantined("not_yet", _BOOKING, edits.value("ACCT_DT", _LATER, 5), "not_yet_known", "posted in the future"),
    _refused(
        "ledger_code", _LEDGER, edits.value("ACCT_CLS", "09", 1), "reject_limit", "one bad total is one too many here"
    ),
)
#: Fixed width in bytes of gb18030, with a trailer and a flag.
_FIXED = (
    _refused("fixed_no_flag", "lending/loan.application", edits.unflagged, "missing_flag", "no flag beside the file"),
    _refused("fixed_empty", _LOAN, edits.text(lambda _: b""), "empty_file", "a file without a byte"),
    _refused("fixed_no_trailer", _GUARANTEE, edits.trailer(lambda _: b""), "missing_trailer", "cut off after a row"),
    _refused(
        "fixed_trailer_count", "lending/loan.repayment", edits.trailer(lambda b: b"T000000999999" + b[13:]),
        "trailer_count", "the trailer counts rows that are not there",
    ),
    _refused("fixed_trailer_sum", _LOAN, edits.trailer(edits.one_fen_more), "trailer_sum", "the sum is 0.01 too high"),
    _refused(
        "fixed_wider", _LOAN, edits.rows(lambda r: [row + b" " for row in r]), "reject_limit", "every row a byte longer"
    ),
    _quarantined("fixed_short_row", _LOAN, edits.line(3, lambda b: b[:-1]), "malformed", "a row a byte shorter"),
    _quarantined("fixed_bad_number", _LOAN, edits.value("PRIN", "much", 2), "unreadable", "principal in words"),
    _quarantined(
        "fixed_half_character", _GUARANTEE,
        edits.line(1, lambda b: b[:48] + b"a" + "王".encode("gb18030") * 30 + b[109:]),
        "malformed", "a name that ends within a character",
    ),
)  # fmt: skip
#: Comma-separated with a header, some with a byte order mark, some compressed.
_CSV = (
    _published("optional_missing", "survey/survey.nps", edits.gone, "an optional file does not come and is carried"),
    _published(
        "other_line_ends", "reference/reference.product", edits.text(lambda b: b.replace(b"\n", b"\r\n")),
        "line ends as another system writes them",
    ),
    _refused("csv_empty", _CRM, edits.text(lambda _: b""), "empty_file", "a file without a byte"),
    _refused("csv_no_mark", _CRM, edits.text(lambda b: b[3:]), "wrong_encoding", "the byte order mark is left out"),
    _refused(
        "csv_mark", "market_east/market.stall_lease", edits.text(lambda b: b"\xef\xbb\xbf" + b), "wrong_encoding",
        "a byte order mark that was not agreed",
    ),
    _refused("csv_renamed", _CRM, edits.header("PHONE", "MOBILE"), "wrong_header", "a column has another name"),
    _refused(
        "csv_extra", _CONTACT, edits.text(lambda b: b.replace(b"CHANNEL", b"CHANNEL,VIP")), "extra_column",
        "a column that nobody reads",
    ),
    _refused(
        "csv_delimiter", _CONTACT, edits.text(lambda b: b.replace(b",", b";")), "wrong_header", "semicolons for commas"
    ),
    _refused("csv_open_quote", _TILL, edits.line(1, lambda b: b'"' + b), "unbalanced_quote", "a quote never closed"),
    _quarantined("csv_bad_code", _CRM, edits.value("OCCUPATION", "poet", 1), "accepted_values", "no such occupation"),
    _quarantined("csv_negative", _TILL, edits.value("tickets", "-3", 1), "range", "a number of sales below zero"),
    _refused("staff_role", "hr/reference.staff", edits.value("ROLE", "", 1), "reject_limit", "one without a role"),
    _refused("gz_cut_off", _INSURED, edits.raw(lambda b: b[:-8]), "unreadable", "the compressed stream is cut off"),
    _refused("gz_plain", _INSURED, edits.raw(gzip.decompress), "unreadable", "not compressed, whatever its name says"),
)  # fmt: skip
#: JSON lines.
_JSON = (
    _refused("json_none", "taobu/ecommerce.order", edits.text(lambda _: b"orderKey\n"), "unreadable", "no JSON at all"),
    _refused(
        "json_extra", _APP, edits.line(2, lambda b: b[:-1] + b',"vip":true}'), "extra_column", "a field nobody reads"
    ),
    _quarantined("json_broken", _APP, edits.line(3, lambda b: b[:-5]), "malformed", "a line cut off"),
    _quarantined("json_bad_time", _APP, edits.value("eventTime", "noon", 1), "unreadable", "a time in words"),
    _quarantined("json_bad_type", _APP, edits.value("eventType", "dance", 2), "accepted_values", "an event unknown"),
    _quarantined("json_unknown_staff", _LOG, edits.value("staffKey", "S0", 1), "broken_reference", "staff unknown"),
    _refused(
        "consent_of_nobody", "consent/consent.event", edits.value("partyKey", None, 1), "reject_limit",
        "a consent of nobody is one too many",
    ),
)  # fmt: skip
#: Parquet.
_PARQUET = (
    _refused("parquet_cut_off", _WEALTH, edits.raw(lambda b: b[:-100]), "unreadable", "the footer is not there"),
    _refused("parquet_none", "supply_chain/supply_chain.shipment", edits.raw(lambda _: b"shipment_key\n"), "unreadable",
             "no Parquet at all"),
    _refused(
        "parquet_no_column", "bureau/bureau.credit_report", edits.table(lambda t: t.drop_columns(["loan_balance"])),
        "wrong_header", "a column is missing",
    ),
    _quarantined("parquet_text", "supply_chain/supply_chain.invoice", edits.cells("amount", "about 5,000", 1),
                 "unreadable", "an amount in words"),
    _quarantined("parquet_unknown_party", _WEALTH, edits.cells("party_key", "P999999999", 1), "broken_reference",
                 "a position of nobody"),
)  # fmt: skip
#: The CRM as a database (`--crm postgres`).
_POSTGRES = (
    _refused(
        "database_not_ready", _CRM, edits.sql("delete from crm.delivered where business_date = %(day)s"),
        "missing_flag", "the extract of the date is not complete",
    ),
    _quarantined("database_bad_code", _CRM, edits.sql(f"update crm.customer set education = 'some' where {_FIRST}"),
                 "accepted_values", "an education unknown"),
    _quarantined(
        "database_row_twice", _CRM, edits.sql(f"insert into crm.customer select * from crm.customer where {_FIRST}"),
        "duplicate_key", "a record stands twice", 2,
    ),
    _quarantined("database_not_yet", _CRM, edits.sql(f"update crm.customer set updated_on = %(next)s where {_FIRST}"),
                 "not_yet_known", "changed tomorrow"),
)  # fmt: skip

FAULTS = {fault.name: fault for fault in (*_PIPE, *_FIXED, *_CSV, *_JSON, *_PARQUET, *_POSTGRES)}
IN_DATABASE = frozenset(fault.name for fault in _POSTGRES)
