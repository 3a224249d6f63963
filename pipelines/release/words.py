"""What codes of lawful use are called in plain English and Chinese, for answers and pages that people read.

Belongs here: names of consumers, purposes, classes of data, legal bases and refusals. Does not belong here: whole
sentences of one page or command, and articles, which the policy states.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    zh: str


CONSUMERS = {"marketing": Words("Marketing", "营销部门"), "risk": Words("Risk management", "风险管理部门")}

PURPOSES = {
    "marketing": Words("offering you products and services", "向您推介产品和服务"),
    "risk_management": Words("judging and managing the bank's risk", "评估和管理银行风险"),
}

CLASSES = {
    "basic": Words("who you are and how to reach you", "身份与联系信息"),
    "transaction": Words("accounts, cards, savings and loans with us", "在本行的账户、银行卡、理财和贷款信息"),
    "partner": Words("data that partners of the bank shared", "合作机构共享的信息"),
    "bureau": Words("credit report", "征信信息"),
    "medical": Words("medical data", "医疗健康信息"),
    "public": Words("published registers, courts and authorities", "工商、司法和行政机关公开的信息"),
    "automated": Words("automated decisions", "自动化决策"),
}

BASES = {
    "consent": Words("your consent", "您的同意"),
    "contract_necessity": Words("needed for the contract with you", "订立、履行合同所必需"),
    "legal_obligation": Words("required by law", "履行法定职责或法定义务所必需"),
    "organisation": Words("data of an organisation, not of a person", "组织信息，不属于个人信息"),
    "published": Words("lawfully published", "依法公开的信息"),
    "sharing_consent": Words("your consent that the partner shares it", "您对合作机构共享信息的同意"),
    "bureau_authorisation": Words("your authorisation to ask the bureau", "您的征信查询授权"),
    "separate_consent": Words("your separate consent", "您的单独同意"),
}

REFUSALS = {
    "no_basis": Words("the bank states no legal basis for this purpose", "本行未就该目的声明合法性基础"),
    "no_consent": Words("no consent was given", "未取得同意"),
    "withdrawn": Words("consent was withdrawn", "同意已撤回"),
    "consent_unknown": Words("consents are not known to the bank", "本行未掌握同意记录"),
    "no_authorisation": Words("the credit bureau may not be asked", "未取得征信查询授权"),
    "not_authorised_for_purpose": Words("the bureau was authorised for another purpose", "征信授权不包括该目的"),
    "no_separate_consent": Words("no separate consent was given", "未取得单独同意"),
    "minor": Words("the person is a minor", "未成年人"),
    "refused": Words("the law does not allow it at all", "法律不允许该用途"),
    "basic": Words("not even basic data may be used", "基本信息亦不得使用"),
}
