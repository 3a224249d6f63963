"""Where every published column comes from, and what follows from that for who may use it and of whom.

Belongs here: tracing the SQL that dbt compiled to contracts, and the purposes and classes of data that travel along.
Does not belong here: what may be given to a consumer of a single party (`mart.lawful_use`), and the projection itself.
"""
