"""Tests of what is gathered from a run, and of who is told."""
