"""Names of companies and of individual businesses in the invented city.

What belongs here: how a business is called in the register. What does not: how others write it (`records`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pipelines.simulation.companies import CORE, INDUSTRIES, MICRO, STALL_CATEGORIES, Companies, Stalls
from pipelines.simulation.names import Names, Words, chosen, joined, tables
from pipelines.simulation.settings import District
from pipelines.simulation.streams import Streams

#: Assumption: share of micro companies that are individual businesses (个体工商户) rather than limited companies.
INDIVIDUAL_SHARE = 0.7


def is_individual(companies: Companies, stalls: Stalls, streams: Streams) -> np.ndarray:
    """Which companies are individual businesses: most micro ones, and all that lease a stall."""
    individual = (companies.size == MICRO) & (streams.of("names.forms").random(len(companies)) < INDIVIDUAL_SHARE)
    individual[stalls.company] = True
    return individual


def company_names(
    companies: Companies, stalls: Stalls, individual: np.ndarray, owners: Names, districts: Sequence[District],
    streams: Streams,
) -> pl.Series:  # fmt: skip
    """Registered names: `澜州市鑫盛贸易有限公司`, or `江湾区王记水产店` for an individual business."""
    rng, count = streams.of("names.companies"), len(companies)
    draws = rng.random((5, count))
    characters = pl.Series(list(tables().fanciful))
    one, two = (characters.gather(np.floor(draw * len(characters)).astype(np.int64)) for draw in draws[:2])
    trade = _by_code(tables().trades, INDUSTRIES, companies.industry, draws[2])
    form = np.where(companies.size == CORE, "large", "plain")
    forms = _by_code({"plain": tables().forms, "large": tables().large_forms}, ("plain", "large"),
                     (form == "large").astype(int), draws[3])  # fmt: skip
    registered = joined(tables().city, one, two, trade, forms)
    shop = _by_code(tables().shops, INDUSTRIES, companies.industry, draws[2]).to_list()
    at_stall = _by_code(tables().stalls, STALL_CATEGORIES, stalls.category, draws[2][stalls.company]).to_list()
    for company, word in zip(stalls.company.tolist(), at_stall, strict=True):
        shop[company] = word
    district = pl.Series([district.name for district in districts]).gather(companies.district.astype(np.int64))
    surname, given = owners.surname_text(), owners.given_text()
    style = np.floor(draws[4] * 3).astype(int)  # of the owner's surname, of the given name, or of luck
    called = [joined(surname, "记"), given, joined(one, two)]
    business = joined(district, chosen(style, called), pl.Series(shop))
    return chosen(individual, [registered, business])


def _by_code(words: Mapping[str, Words], codes: Sequence[str], numbers: np.ndarray, draws: np.ndarray) -> pl.Series:
    """A word drawn from the list of each one's code."""
    counts = np.array([len(words[code]) for code in codes])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    flat = pl.Series([word for code in codes for word in words[code]])
    code = np.asarray(numbers, dtype=np.int64)
    return flat.gather(starts[code] + np.floor(draws * counts[code]).astype(np.int64))
