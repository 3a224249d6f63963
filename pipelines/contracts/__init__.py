"""Contracts: the only place that knows columns, types, keys and rules.

`model` is their shape, `load` reads and checks the YAML, and each further module derives one thing from them
(Arrow schemas, ingest checks, dbt sources, expectations, pages, differences) as plain data. Nothing here reads
a delivery or touches a home.
"""
