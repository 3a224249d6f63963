"""Audits a release candidate and writes down what was found, bound to the hash of the candidate's content.

`gates` is the registry of everything that is checked; `tables` opens a candidate; `engine` runs what the contracts
expect (the only module that knows Great Expectations); `governance`, `privacy` and `consistency` check what no
single table can show; `content` hashes, `evidence` records and verifies, `run` puts them together. Nothing here
changes a candidate, publishes one, or says whether to: it says what is true of it.
"""
