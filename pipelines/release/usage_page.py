"""The page on data usage that a bank can hand to its customer: one HTML file in Chinese and English, for print too.

Belongs here: the page. Does not belong here: what was used (`usage_history`), and what codes are called (`words`).

It names nobody: neither an identifier nor a pseudonym of the customer is on it, and whoever hands it over writes the
name by hand. It fetches nothing: no font, no script, no picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from pipelines.audit.lawful import PURPOSES
from pipelines.contracts.load import Catalog
from pipelines.release import words
from pipelines.release.usage_history import Consent, Interval, UsageHistory
from pipelines.release.words import Words

_STYLE = """
:root { --ink: #22282d; --soft: #68727a; --line: #d9dee1; --tint: #f5f7f6; --mark: #2f5d57; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 15px/1.55 "PingFang SC", "Noto Sans CJK SC",
  "Microsoft YaHei", "Helvetica Neue", Helvetica, Arial, sans-serif; }
main { max-width: 880px; margin: 0 auto; padding: 56px 32px 72px; }
header { border-bottom: 2px solid var(--mark); padding-bottom: 20px; margin-bottom: 28px; }
h1, h2 { font-family: "Songti SC", "Noto Serif CJK SC", Georgia, "Times New Roman", serif; font-weight: 600;
  margin: 0; }
h1 { font-size: 30px; line-height: 1.25; }
h2 { font-size: 20px; margin: 40px 0 4px; }
h3 { font-size: 16px; font-weight: 600; margin: 26px 0 0; }
h3 .small { font-weight: 400; margin-left: 8px; }
h1 small, h2 small { display: block; font-size: 0.68em; font-weight: 400; color: var(--soft); }
p { margin: 10px 0; max-width: 68ch; }
.en { color: var(--soft); font-size: 0.9em; display: block; }
.who { display: flex; gap: 40px; flex-wrap: wrap; margin-top: 18px; }
.blank { display: inline-block; min-width: 200px; border-bottom: 1px solid var(--soft); }
table { width: 100%; table-layout: fixed; border-collapse: collapse; margin: 10px 0 0; }
th:first-child { width: 46%; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 0.85em; line-height: 1.35; }
th, td { padding: 9px 14px 9px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 1px solid var(--soft); }
td.when { font-variant-numeric: tabular-nums; }
.article, .small { color: var(--soft); font-size: 0.82em; line-height: 1.4; }
td .small, .article { display: block; margin-top: 3px; }
.rights { background: var(--tint); border-left: 3px solid var(--mark); padding: 6px 22px; margin-top: 14px; }
footer { margin-top: 44px; border-top: 1px solid var(--line); padding-top: 12px; }
@page { size: A4; margin: 16mm; }
@media print { main { padding: 0; max-width: none; } body { font-size: 11pt; } tr, .rights { break-inside: avoid; }
  h2 { break-after: avoid; } }
"""

_CONSENTS = {
    "marketing": Words("Marketing", "营销"),
    "risk_management": Words("Judging risk", "风险管理"),
    "bureau_query": Words("Asking the credit bureau", "征信查询"),
    "sensitive_processing": Words("Use of sensitive data", "处理敏感个人信息"),
    "automated_marketing": Words("Marketing by automated decision", "自动化营销"),
    "data_sharing": Words("Sharing of data by partners", "合作机构信息共享"),
}
_GIVEN = {"given": Words("given", "已同意"), "withdrawn": Words("withdrawn", "已撤回")}
_RIGHTS = (
    Words(
        "You may take a consent back at any time. What was used of you before stays lawful; from the bank's next "
        "nightly release on, what rests on that consent is used no more.",
        "您可以随时撤回同意。撤回不影响此前处理的效力；自本行下一次夜间发布起，不再使用以该同意为基础的信息。",
    ),
    Words(
        "You may refuse marketing by automated decision, and ask for an explanation of a decision about you.",
        "您可以拒绝以自动化决策方式进行的营销，并有权要求本行对有关您的决定作出说明。",
    ),
    Words(
        "You may ask for a copy of your data, and for their correction or deletion (articles to be confirmed).",
        "您可以查阅、复制您的个人信息，并请求更正或删除（具体条款待确认）。",
    ),
)
_ASK = Words(
    "Say so at any branch, in the bank's app, or to its data-protection office (contact to be confirmed by the bank).",
    "请向本行任一网点、手机银行或本行个人信息保护部门提出（联系方式待本行确认）。",
)


def page(history: UsageHistory, catalog: Catalog, bank: str) -> str:
    """The whole page, ready to be written to a file."""
    of = catalog.bank(bank)
    ask = Words(of.objections.en, of.objections.zh) if of.objections else _ASK
    title = Words("How your data were used", "个人信息使用情况")
    parts = [
        f"<header><h1>{title.zh}<small>{title.en}</small></h1>",
        f"<p>{escape(of.name)} · {history.first} – {history.last}</p>",
        '<div class="who"><span>姓名 <span class="small">Name</span> <span class="blank">&nbsp;</span></span>',
        '<span>编号 <span class="small">Reference</span> <span class="blank">&nbsp;</span></span></div></header>',
        _said(
            f"The bank prepares its data once a night. This page says which of your data were used in the "
            f"releases of these dates ({len(history.published)}), for what, by whom, and on which legal basis.",
            f"本行每夜整理一次数据。本页说明在上述期间的 {len(history.published)} 次发布中，您的哪些信息被使用、"
            f"用于何种目的、由谁使用以及依据何种合法性基础。",
        ),
        _heading("使用了什么", "What was used"),
        *(_by(consumer, history, catalog) for consumer in words.CONSUMERS),
        _heading("没有使用什么，为什么", "What was withheld, and why"),
        _table(("信息", "原因", "期间"), ("Which data, from whom", "Why", "When"),
               [_withheld(one) for one in history.withheld],
               Words("Nothing was withheld.", "没有需要保留不用的信息。")),
        _heading("您的同意", "Your consents"),
        _table(("事项", "信息", "状态"), ("For what", "Which data", "State"),
               [_consent(one) for one in history.consents],
               Words("The bank holds no consent of yours.", "本行没有您的同意记录。")),
        _heading("您的权利", "Your rights"),
        '<div class="rights">', *(_said(one.en, one.zh) for one in _RIGHTS), _said(ask.en, ask.zh), "</div>",
        _footer(history),
    ]  # fmt: skip
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{title.zh} · {title.en}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def _by(consumer: str, history: UsageHistory, catalog: Catalog) -> str:
    who = words.CONSUMERS[consumer]
    uses = [one for one in history.used if one.consumer == consumer]
    what = words.PURPOSES[PURPOSES[consumer]]
    heading = f'<h3>{who.zh} {who.en}<span class="small">{what.zh} · {what.en}</span></h3>'
    return heading + _table(
        ("信息", "依据", "期间"), ("Which data", "Legal basis", "When"),
        [_used(one, catalog) for one in uses],
        Words("No data of yours were used.", "未使用您的任何信息。"),
    )  # fmt: skip


def _used(one: Interval, catalog: Catalog) -> list[str]:
    names = ", ".join(catalog.products[name].name if name in catalog.products else name for name in one.products)
    return [
        f'{_both(words.CLASSES[one.what[0]])}<span class="small">{escape(names)}</span>',
        f'{_both(words.BASES.get(str(one.basis), Words(str(one.basis), str(one.basis))))}'
        f'<span class="article">{escape(one.article)}</span>',
        _when(one),
    ]  # fmt: skip


def _withheld(one: Interval) -> list[str]:
    name, code = one.what
    return [
        _both(words.CLASSES[name]) + f'<span class="small">{" ".join(words.CONSUMERS[one.consumer][::-1])}</span>',
        f'{_both(words.REFUSALS[code])}<span class="article">{escape(one.article)}</span>',
        _when(one),
    ]


def _consent(one: Consent) -> list[str]:
    what = _both(words.CLASSES[one.data_class]) if one.data_class in words.CLASSES else _both(Words("all", "全部"))
    partner = f'<span class="small">{escape(one.partner)}</span>' if one.partner else ""
    return [_both(_CONSENTS.get(one.purpose, Words(one.purpose, one.purpose))), what + partner, _both(_GIVEN[one.word])]


def _when(one: Interval) -> str:
    if one.until is None:
        return f'{one.since} 起<span class="en">since then</span>'
    return f'{one.since} – {one.until}<span class="en">ended</span>'


def _both(text: Words) -> str:
    return f'{escape(text.zh)}<span class="en">{escape(text.en)}</span>'


def _said(en: str, zh: str) -> str:
    return f'<p>{escape(zh)}<span class="en" lang="en">{escape(en)}</span></p>'


def _heading(zh: str, en: str) -> str:
    return f'<h2>{zh}<small lang="en">{en}</small></h2>'


def _table(zh: Sequence[str], en: Sequence[str], rows: Iterable[Sequence[str]], nothing: Words) -> str:
    head = "".join(f"<th>{one}<br>{other}</th>" for one, other in zip(zh, en, strict=True))
    body = "".join(f"<tr>{''.join(_cell(cell, n, zh) for n, cell in enumerate(row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else _said(*nothing)


def _cell(text: str, n: int, headings: Sequence[str]) -> str:
    return f'<td class="when">{text}</td>' if headings[n] == "期间" else f"<td>{text}</td>"


def _footer(history: UsageHistory) -> str:
    before = Words("", "")
    if history.silent:
        count = len(history.silent)
        before = Words(
            f" {count} releases of these dates were published before the bank kept this record.",
            f"其中 {count} 次发布早于本记录的建立。",
        )
    said = Words(
        f"From the bank's own record of releases {history.published[0]} to {history.published[-1]}.{before.en} Classes "
        f"are told by where a figure can come from, so rather too many than too few. Articles are to be confirmed.",
        f"根据本行发布记录 {history.published[0]} 至 {history.published[-1]}。{before.zh}信息类别按数据来源判断，"
        f"宁多勿少。所引条款待确认。",
    )
    return f'<footer class="small">{_said(said.en, said.zh)}</footer>'
