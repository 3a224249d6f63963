"""Thin Dagster wrappers around the layers below, one module per layer; no logic."""
