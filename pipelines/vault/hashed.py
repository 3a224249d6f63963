"""Phone numbers that a partner hands over as hashes, resolved inside the vault zone.

What belongs here: how a partner hashes, and which hash a known phone number has. What does not: whose number it is.
"""

from __future__ import annotations

import polars as pl

from pipelines.contracts.feed import Hashing
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256


def resolve_hashed(phones: pl.Series, how: Hashing, ring: KeyRing, partner: str) -> pl.DataFrame:
    """The hash under which `partner` (the source of a feed) hands over each of `phones`, which are normal forms.

    Columns: phone, phone_hash. Distinct, sorted by phone.
    """
    phone = pl.col("phone")
    # Lower-case hex is the normal form of a hash.
    made = phone.chash.sha2_256() if how == "sha256" else hmac_sha256(phone, ring.partner_key(partner))
    return phones.drop_nulls().unique().sort().alias("phone").to_frame().with_columns(phone_hash=made)
