"""The warehouse file: what dbt is told, how it is run, how its models become assets, and what the file says of itself.

Belongs here: everything that knows dbt. SQL lives in `dbt_project/`; nothing here writes the file, only dbt does.
"""
