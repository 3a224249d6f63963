"""The page on one audit: what was checked of a release or candidate, what failed, where it came from, who waived it.

Belongs here: the page, one HTML file that fetches nothing, with charts as SVG in it. Does not belong here: what was
found (`pipelines.audit`). It shows no value of the data but the keys that evidence names: pseudonyms and codes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from pipelines.audit.evidence import CheckResult, Evidence
from pipelines.audit.gates import REGISTRY
from pipelines.audit.waivers import WaiverRecord
from pipelines.contracts.load import Catalog
from pipelines.release.examined import Examined, rows_and_usual
from pipelines.settings import Home, write_private

_COLOURS = {"passed": "#3f7d6e", "failed": "#b3402e", "not_audited": "#b9892b"}
_STYLE = """
:root { --ink: #22282d; --soft: #68727a; --line: #d9dee1; --tint: #f5f7f6; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 44px 28px 64px; }
h1 { font-size: 25px; margin: 0 0 6px; }
h2 { font-size: 18px; margin: 36px 0 8px; }
h3 { font-size: 15px; margin: 0 0 4px; overflow-wrap: anywhere; }
p { margin: 6px 0; }
.soft { color: var(--soft); font-size: 0.88em; overflow-wrap: anywhere; }
.verdict { font-size: 17px; padding: 10px 14px; border-left: 4px solid; background: var(--tint); margin: 16px 0; }
.check { border-top: 1px solid var(--line); padding: 14px 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.86em; }
th { text-align: left; font-weight: 500; color: var(--soft); }
th, td { padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: var(--ink); }
@media print { main { padding: 0; max-width: none; } .check { break-inside: avoid; } }
"""


def write_page(found: Examined, catalog: Catalog, home: Home, out: Path) -> Path:
    """Write the page on what was audited to `out`, and return that."""
    write_private(out, page(found, rows_and_usual(found, catalog, home)).encode())
    return out


def where_to_look(page: Path) -> str:
    """The page beside a candidate, and the command that says the same, for whoever is told that it was refused."""
    return f"look: {page}, or `zhongtai gates show {page.parent.name[:12]}`"


def page(found: Examined, rows: Mapping[str, tuple[int, float | None]]) -> str:
    """The whole page. `rows` are, for each product, its rows and how many are usual, None where nothing is known."""
    evidence = found.evidence
    refusals, warnings = evidence.refusals(), evidence.warnings()
    colour = _COLOURS["failed"] if refusals else _COLOURS["not_audited"] if warnings else _COLOURS["passed"]
    title = f"{found.kind.capitalize()} {found.name}"
    stands = (
        f"{len(refusals)} checks stand against publishing it" if refusals else "Nothing stands against publishing it"
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(evidence.bank)}, business date {found.business_date}; content '
        f"{escape(evidence.candidate_hash)}; policy {escape(evidence.policy.version)}</p>",
        f'<p class="verdict" style="border-color: {colour}">{stands}; {len(warnings)} warnings, '
        f"{evidence.count('passed')} of {len(evidence.checks)} checks passed.</p>",
        _section("What stands against it", (_check(evidence, one) for one in refusals)),
        _section("What was let pass", (_check(evidence, one) for one in warnings)),
        _section("Waivers", map(_waiver, evidence.waivers)),
        "<h2>Checks of each gate</h2>",
        _gates_chart(evidence),
        "<h2>Rows against what is usual</h2>",
        _rows_chart(rows),
        "<h2>Gates</h2>",
        _table(
            ("Gate", "Severity", "Owner", "BCBS 239", "Protects"),
            ((g.id, g.severity, g.owner, str(g.principle), g.protects) for g in REGISTRY.values()),
        ),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><main>\n{chr(10).join(filter(None, parts))}\n</main></body></html>\n"
    )


def _section(title: str, entries: Iterable[str]) -> str:
    body = "".join(entries)
    return f"<h2>{title}</h2>{body}" if body else ""


def _check(evidence: Evidence, check: CheckResult) -> str:
    gate = REGISTRY.get(check.id.partition("/")[0])
    state = check.state.replace("_", " ") + (f", waived by {check.waiver}" if check.waiver else "")
    owner = f"; {gate.owner} answers for it" if gate else ""
    lines = [
        f"<h3>{escape(check.id)}</h3>",
        f'<p class="soft">{escape(state)} ({escape(check.severity)}){escape(owner)}</p>',
        f"<p>{escape(check.description)}</p><p>Seen: {escape(check.observed)}</p>",
    ]
    if said := evidence.rows_of(check):
        lines.append(f'<p class="soft">Rows: {escape(said)}</p>')
    if check.failing_keys:
        names = list(check.failing_keys[0])
        lines.append(_table(names, ([str(key.get(name) or "") for name in names] for key in check.failing_keys)))
    if check.upstream:
        lines.append(f'<p class="soft">From {escape(str(check.upstream))}</p>')
        if check.upstream.way:
            lines.append(f'<p class="soft">Way: {escape(" ← ".join(check.upstream.way))}</p>')
    return f'<div class="check">{"".join(lines)}</div>'


def _waiver(waiver: WaiverRecord) -> str:
    what = f"lets pass {', '.join(waiver.checks)}" if waiver.checks else f"does nothing: {waiver.idle}"
    who = f"Requested by {waiver.requested_by}, approved by {', '.join(waiver.approved_by) or 'nobody'}, until "
    return (
        f'<div class="check"><h3>{escape(waiver.name)}</h3><p>{escape(what)}</p><p>{escape(waiver.reason)}</p>'
        f'<p class="soft">{escape(who)}{escape(waiver.expires)}</p></div>'
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _gates_chart(evidence: Evidence) -> str:
    """A bar for each gate: the shares of its checks that passed, failed, and were not audited."""
    counts = Counter((check.id.partition("/")[0], check.state) for check in evidence.checks)
    rows = []
    for n, gate in enumerate(sorted({name for name, _ in counts})):
        total, x, y = sum(counts[gate, state] for state in _COLOURS), 240.0, 18 * n
        rows.append(f'<text x="232" y="{y + 12}" text-anchor="end">{escape(gate)}</text>')
        for state, colour in _COLOURS.items():
            width = 560 * counts[gate, state] / total
            # What did not pass is seen however many did.
            width = max(width, 3.0) if counts[gate, state] else 0.0
            if width:
                rows.append(f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="11" fill="{colour}"/>')
            x += width
        rows.append(f'<text x="{x + 6:.1f}" y="{y + 12}">{_counted(counts, gate)}</text>')
    height = 18 * len({name for name, _ in counts}) + 6
    return f'<svg viewBox="0 0 900 {height}" role="img" aria-label="Checks of each gate">{"".join(rows)}</svg>'


def _counted(counts: Counter[tuple[str, str]], gate: str) -> str:
    told = [f"{counts[gate, s]} {s.replace('_', ' ')}" for s in _COLOURS if counts[gate, s] and s != "passed"]
    return escape(", ".join([str(counts[gate, "passed"]), *told]))


def _rows_chart(rows: Mapping[str, tuple[int, float | None]]) -> str:
    """A point for each product: its rows as a share of what is usual, from none to twice as many."""
    known = {name: (now, usual) for name, (now, usual) in sorted(rows.items()) if usual}
    if not known:
        return '<p class="soft">No earlier release to compare with.</p>'
    marks = ['<line x1="520" y1="0" x2="520" y2="100%" stroke="#d9dee1"/>']
    for n, (name, (now, usual)) in enumerate(known.items()):
        share, y = min(now / usual, 2.0), 18 * n
        x = 240 + 280 * share
        marks.append(f'<text x="232" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        marks.append(f'<line x1="520" y1="{y + 8}" x2="{x:.1f}" y2="{y + 8}" stroke="#68727a"/>')
        marks.append(f'<circle cx="{x:.1f}" cy="{y + 8}" r="4" fill="#3f7d6e"/>')
        marks.append(f'<text x="812" y="{y + 12}">{now:,} of {usual:,.0f}</text>')
    return (
        f'<svg viewBox="0 0 960 {18 * len(known) + 6}" role="img" aria-label="Rows of each product as a share of what '
        f'is usual">{"".join(marks)}</svg><p class="soft">Left none, in the middle as many as usual, right twice as '
        f"many or more; usual is the median of the releases before.</p>"
    )
