"""Tests that hold the project's own contracts, dbt models and policy against each other."""
