"""From a delivery to the lake: find, read, map, check, tokenise, reduce to changes, land.

`batch` is one pass of one feed; `night` decides which feeds and dates need one. Raw values exist only in the
batch's own in-memory database and its temporary files inside the vault zone.
"""
