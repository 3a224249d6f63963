"""The truth oracle of `mart.customer_360`: every column recomputed in plain Python from the lake and the crosswalk.

Belongs here: what the column descriptions of the contract say, written down a second time from those descriptions
alone, a module per block. Does not belong here: anything of the pipeline. No module imports `pipelines` or reads its
SQL; of the project they read the contract and policy.yaml. Money is Decimal, days are dates, windows end on the
business date.
"""

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.party import Party, parties
from customer_360_oracle.recompute import BLOCKS, Block, contracted_columns, recompute

__all__ = ["BLOCKS", "Bank", "Block", "Party", "Row", "contracted_columns", "parties", "recompute"]
