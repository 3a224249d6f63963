"""Tests of pipelines.history."""
