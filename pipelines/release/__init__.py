"""From marts to consumers: project a candidate, publish it once audited, read what was published.

Only this package writes under `releases/`. Publishing trusts the evidence beside a candidate and nothing else.
"""
