"""What a purpose needs before it may use data of a class, and which records count only with a consent to share them.

What belongs here: the section `lawful_use` of the policy, its shape, and which records of which contract it holds back.
What does not: what a party has consented to, and the verdict on a party, which models give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import StringConstraints

from pipelines.contracts.document import Strict, suggestion
from pipelines.contracts.model import DATA_CLASSES, ContractError

if TYPE_CHECKING:
    from pipelines.contracts.model import Contract
    from pipelines.contracts.policy import Policy

#: What may be needed: see the comments of `lawful_use` in policy.yaml.
NEEDS = ("bank_basis", "published", "sharing_consent", "bureau_authorisation", "separate_consent", "refused")
#: Purposes that judge or approach a party, and so are decided party by party.
DECIDED = ("marketing", "risk_management")
#: Legal bases of a contract under which its records count only for those who consented.
BY_CONSENT = ("consent", "separate_consent")
CONSENTS = "consent.event"

Words = Annotated[str, StringConstraints(min_length=1)]


class Need(Strict):
    """What a purpose needs of a person for one class of data, and the article that says so."""

    needs: Literal[NEEDS]  # type: ignore[valid-type]
    article: Words


class Sharing(Strict):
    """The purpose of the consent without which records of a class do not count."""

    consent: Words
    article: Words


class Minors(Strict):
    """Purposes that are refused for minors; their age is `consent.minor_age_years` of the thresholds."""

    refused: tuple[Literal[DECIDED], ...]  # type: ignore[valid-type]
    article: Words


class Automated(Strict):
    """Marketing by automated decision ends with the word of the person."""

    article: Words


class LawfulUse(Strict):
    """The section `lawful_use`: every class of data for every purpose that is decided party by party."""

    purposes: dict[Literal[DECIDED], dict[Literal[DATA_CLASSES], Need]]  # type: ignore[valid-type]
    sharing: dict[Literal[DATA_CLASSES], Sharing]  # type: ignore[valid-type]
    automated_marketing: Automated
    minors: Minors


@dataclass(frozen=True)
class SharingRule:
    """Records of `contract` in `role` count where their party, or that of `acts_for`, has given `consent`."""

    contract: str
    role: str
    acts_for: str | None
    data_class: str
    consent: str


def sharing_rules(sources: dict[str, Contract], lawful_use: LawfulUse) -> list[SharingRule]:
    """Of every contract that rests on consent and whose class the policy holds back, a rule for each role."""
    rules = set()
    for contract in sources.values():
        held_back = lawful_use.sharing.get(contract.data_class)
        if held_back is None or contract.legal_basis not in BY_CONSENT:
            continue
        for subject in contract.subjects:
            whom = subject.acts_for
            acts_for = whom.role if whom and whom.contract == contract.id else None
            rules.add(SharingRule(contract.id, subject.role, acts_for, contract.data_class, held_back.consent))
    return sorted(rules, key=lambda rule: (rule.contract, rule.role))


def check_lawful_use(sources: dict[str, Contract], policy: Policy) -> None:
    """Raise ContractError for a class of data that a purpose has no need for, or a consent that no event can give."""
    for purpose in DECIDED:
        for data_class in DATA_CLASSES:
            if data_class not in policy.lawful_use.purposes.get(purpose, {}):
                raise ContractError(
                    f"{policy.path}: lawful_use.purposes.{purpose}.{data_class}: missing; say what it needs"
                )
    if CONSENTS not in sources:
        return
    known = set(sources[CONSENTS].column("purpose").enum)
    for data_class, sharing in policy.lawful_use.sharing.items():
        if sharing.consent not in known:
            raise ContractError(
                f"{policy.path}: lawful_use.sharing.{data_class}.consent: {CONSENTS} knows no purpose "
                f"'{sharing.consent}'{suggestion(sharing.consent, known)}; name one of {', '.join(sorted(known))}"
            )
