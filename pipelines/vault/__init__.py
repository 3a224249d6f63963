"""The vault zone: the only place where raw identifiers and keys may be.

`keys` derives every key from one master key, `tokens` replaces identifiers by keyed tokens, `originals` keeps
quarantined rows encrypted. Beyond this package and the ingest batch in memory, data holds tokens only.
"""
