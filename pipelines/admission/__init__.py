"""Admission of customers: what people decided of the cases that rules leave to them.

What belongs here: the decision file and the relation that dbt reads of it. What does not: the rules, which are SQL.
"""
