"""Tests of the warehouse package; each dbt they start works on a project of two models."""
