"""Which gate and which file of a pack answers which principle of BCBS 239 (risk data aggregation and reporting, 2013).

Belongs here: the fourteen principles, what of each is the bank's or its supervisor's, and files. The gates come from
the registry. Does not belong here: whether the files are in a pack (`verifier.pack`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.audit.evidence import Evidence
from pipelines.audit.gates import REGISTRY, gate_of

_CONTRACTS = "record/data_contracts/"


@dataclass(frozen=True)
class Principle:
    """`shown` says what the files show, `others` what somebody else has to answer and who that is.

    A file that ends with a slash stands for all below it.
    """

    title: str
    shown: str = ""
    files: tuple[str, ...] = ()
    others: str = ""


PRINCIPLES: dict[int, Principle] = {
    1: Principle(
        "Governance",
        "Every contract, gate and tag names an owner; a threshold counts only as signed by two people.",
        (f"{_CONTRACTS}policy.yaml", f"{_CONTRACTS}sources/", "evidence.json"),
        "The bank: approval by board and senior management, independent validation, service levels.",
    ),
    2: Principle(
        "Data architecture and IT infrastructure",
        "One contract per table, with types, keys and owners; which columns each published column descends from.",
        (f"{_CONTRACTS}sources/", f"{_CONTRACTS}marts/", "record/lineage.json", "manifest.json"),
        "The bank: business continuity, and resources in times of stress.",
    ),
    3: Principle(
        "Accuracy and integrity",
        "Counts and sums agree from delivery to mart, each check with what it found; every file by its hash, signed.",
        ("evidence.json", "shared/reconciliation.parquet", "manifest.json", "statement.json", "signature.json"),
        "The bank: reconciliation of what it delivers with its own books.",
    ),
    4: Principle(
        "Completeness",
        "What was delivered of what, and what was missing, carried or withheld.",
        ("shared/coverage.parquet", "shared/reconciliation.parquet", "manifest.json", "proof/rules.json"),
    ),
    5: Principle(
        "Timeliness",
        "The business date, from which days the deliveries were, and when it was published.",
        ("manifest.json", "run.json", "shared/coverage.parquet"),
        "The bank: how soon figures are needed in a crisis.",
    ),
    6: Principle(
        "Adaptability",
        "A new source, product or threshold is a file; these are the ones of the day.",
        (f"{_CONTRACTS}products/", f"{_CONTRACTS}feeds/", f"{_CONTRACTS}policy.yaml"),
        "The bank: requests of the day, which it makes of a release with SQL.",
    ),
    7: Principle(
        "Accuracy of reports",
        "Consumers have the same parties and decisions; what computed the figures is there as SQL.",
        ("evidence.json", "record/sql/", "statement.json"),
        "The bank: reports that are made from a release.",
    ),
    8: Principle(
        "Comprehensiveness",
        "All that is handed over, by consumer.",
        (f"{_CONTRACTS}products/", "manifest.json"),
        "The bank: whether its reports cover all material risks.",
    ),
    9: Principle(
        "Clarity and usefulness",
        "What each published table and column means, and what each rule of it means with its limits.",
        (f"{_CONTRACTS}products/", f"{_CONTRACTS}marts/", "proof/rules.json"),
        "The bank: what its recipients need and understand.",
    ),
    10: Principle(
        "Frequency",
        "The days on which the bank books, and one release for each of them.",
        (f"{_CONTRACTS}feeds/", "statement.json", "run.json"),
        "The bank: how often which report is needed.",
    ),
    11: Principle(
        "Distribution",
        "Who is given what, for which purpose and on which legal basis, and what is withheld.",
        ("proof/rules.json", f"{_CONTRACTS}policy_map.yaml", f"{_CONTRACTS}refusals.yaml", "evidence.json"),
        "The bank: who of its staff belongs to which group of recipients.",
    ),
    12: Principle(
        "Review",
        "What a supervisor needs to look at a release without the bank.",
        ("README.md", "verify.py", "record.tar"),
        "The supervisor: reviews of the bank's compliance.",
    ),
    13: Principle("Remedial actions and supervisory measures", others="The supervisor and the bank."),
    14: Principle("Home/host cooperation", others="The supervisors of the jurisdictions in which the bank works."),
}


def index(evidence: Evidence) -> dict[str, Any]:
    """The answer to each principle, as plain JSON values: gates with counts of their checks by state, and files."""
    counts: dict[str, Counter[str]] = {gate: Counter() for gate in REGISTRY}
    for check in evidence.checks:
        counts[gate_of(check.id).id][check.state] += 1
    return {
        "standard": "BCBS 239",
        "principles": {
            str(number): {
                **asdict(principle),
                "gates": [
                    {"id": gate.id, "severity": gate.severity, "owner": gate.owner, "protects": gate.protects,
                     "checks": dict(sorted(counts[gate.id].items()))}
                    for gate in REGISTRY.values() if gate.principle == number
                ],
            }
            for number, principle in PRINCIPLES.items()
        },
    }  # fmt: skip


def index_page(told: dict[str, Any]) -> str:
    """The index for people, as Markdown."""
    lines = ["# BCBS 239: what answers which principle", "", "Files under `record/` are in `record.tar`.", ""]
    for number, answer in told["principles"].items():
        lines += [f"## {number}. {answer['title']}", ""]
        lines += [answer["shown"], ""] if answer["shown"] else []
        lines += [f"- file `{file}`" for file in answer["files"]]
        for gate in answer["gates"]:
            found = ", ".join(f"{count} {state}" for state, count in gate["checks"].items()) or "no checks"
            lines.append(f"- gate `{gate['id']}` ({gate['severity']}, {gate['owner']}): {gate['protects']}; {found}")
        lines += [f"- others: {answer['others']}"] if answer["others"] else []
        lines.append("")
    return "\n".join(lines)
