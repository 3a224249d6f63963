"""Derives a page per contract, in Markdown, with its feeds: what people read instead of YAML."""

from __future__ import annotations

from pathlib import Path

from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract

_TITLES = {"source": "Sources", "derived": "Derived", "mart": "Marts", "product": "Products"}
_MARK = "<!-- Written by `zhongtai contracts docs`; change the contract, not this page. -->"


def write_pages(catalog: Catalog, directory: Path) -> list[Path]:
    """Write every page and an index into `directory`, remove pages of contracts that are gone; returns the paths."""
    directory.mkdir(parents=True, exist_ok=True)
    pages = {directory / "index.md": _index(catalog)}
    # A bank that extends another has its feeds too: each is named once.
    feeds = list({feed.path: feed for bank in catalog.banks for feed in catalog.feeds(bank)}.values())
    for contract in catalog.all().values():
        pages[directory / f"{contract.id}.md"] = page(contract, [f for f in feeds if f.contract == contract.id])
    for stale in {path for path in directory.glob("*.md") if _written_here(path)} - pages.keys():
        stale.unlink()
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    return sorted(pages)


def _written_here(path: Path) -> bool:
    return _MARK in path.read_text(encoding="utf-8")


def page(contract: Contract, feeds: list[Feed]) -> str:
    """The page of one contract."""
    facts = {
        "Version": contract.version,
        "Owner": contract.owner,
        "Grain": contract.grain,
        "Key": ", ".join(contract.key),
        "Purposes": ", ".join(contract.purposes),
        "Legal basis": contract.legal_basis,
    }
    if contract.kind == "source":
        facts["Class of data"] = contract.data_class
        carried = f", carried forward for {contract.carry_forward_days} days" if contract.carry_forward_days else ""
        facts |= {
            "Delivery": f"{contract.delivery}, {contract.criticality}{carried}",
            "Due": contract.due,
            "Rows": _expected_rows(contract),
            "Reject limit": f"{contract.reject_limit:.1%} of the rows of a delivery",
            "Control sums": ", ".join(contract.control_sums) or "rows only",
        }
    if contract.kind == "product":
        facts |= {
            "Consumer": str(contract.consumer),
            "Mart": str(contract.mart),
            "Rows": f"where {contract.filter}" if contract.filter else "all",
            "On the list": f"where {contract.member}" if contract.member else "no list",
            "Release point": contract.release_point or "none: no purpose is widened",
        }
    lines = [f"# {contract.name} (`{contract.id}`)", "", _MARK, "", contract.purpose]
    lines += [contract.limitations] if contract.limitations else []
    lines += ["", "| | |", "|---|---|", *(_row(name, value) for name, value in facts.items())]
    lines += [
        "",
        "## Columns",
        "",
        "| column | type | required | class | meaning | rules |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_column(column) for column in contract.columns]
    if contract.rules:
        lines += ["", "## Rules", "", "| rule | meaning | predicate |", "|---|---|---|"]
        lines += [_row(rule.name, rule.description, f"`{rule.predicate}`") for rule in contract.rules]
    if feeds:
        lines += ["", "## Feeds", "", "| bank | source | history | daily | known from |", "|---|---|---|---|---|"]
        lines += [_feed(feed) for feed in feeds]
    return "\n".join(lines) + "\n"


def _expected_rows(contract: Contract) -> str:
    if contract.row_count is None:
        return "as many as usual"
    least, most = contract.row_count
    return f"at least {least:,}" if most is None else f"{least:,} to {most:,}"


def _column(column: Column) -> str:
    rules = []
    if column.key:
        rules.append("key")
    if column.enum:
        rules.append("one of " + ", ".join(column.enum))
    if column.minimum is not None:
        rules.append(f"at least {column.minimum}")
    if column.maximum is not None:
        rules.append(f"at most {column.maximum}")
    if column.references:
        rules.append(f"refers to {column.references[0]}.{column.references[1]}")
    if column.inputs:
        rules.append(f"made from {', '.join(column.inputs)}")
    if column.identifier:
        rules.append(f"identifier: only its {column.identifier} token leaves ingest")
    level = f"L{column.security_level}" + (f"/{column.personal_class}" if column.personal_class else "")
    required = "yes" if column.required or column.key else "no"
    return _row(column.name, column.type, required, level, column.description, "; ".join(rules))


def _feed(feed: Feed) -> str:
    history, daily = (f"`{entry.name}`" if entry else "none" for entry in (feed.history, feed.daily))
    known = feed.known_from if isinstance(feed.known_from, str) else f"`{feed.known_from.sql}`"
    return _row(feed.bank, feed.source, history, daily, known)


def _row(*cells: str) -> str:
    """A row of a table. A bar, as in the SQL of a rule, would end its cell; a line break its row."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _index(catalog: Catalog) -> str:
    lines = ["# Contracts", "", _MARK, ""]
    groups = {"source": catalog.sources, "derived": catalog.derived, "mart": catalog.marts, "product": catalog.products}
    for kind, contracts in groups.items():
        lines += [f"## {_TITLES[kind]}", "", "| contract | version | owner | what it is |", "|---|---|---|---|"]
        lines += [_row(f"[{c.id}]({c.id}.md)", c.version, c.owner, c.purpose) for c in contracts.values()]
        lines += [""]
    return "\n".join(lines)
