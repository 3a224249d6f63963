"""The history of marts as intervals: which row held from when to when, and which release said so.

Belongs here: what a release changed in the belief about past and present, and answers for any past business date.
Not here: building marts (dbt), and what a release is (`pipelines.release`, which calls this package).
"""

from pipelines.history.reading import as_of

__all__ = ["as_of"]
