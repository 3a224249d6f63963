"""The vault zone: the only place where raw identifiers and keys may be.

`keys` derives every key from the secrets that `key_file` reads; `normal` gives identifiers one form and checks it;
`tokens` replaces them by keyed tokens; `store` keeps what the tokens stand for, `originals` the quarantined rows, both
encrypted (`sealed`); `hashed` resolves what partners hash; `access` logs who was shown what; `signing` keeps the
keys that sign releases. Beyond this package and the ingest batch in memory, data holds tokens only.
"""
