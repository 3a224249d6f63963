"""Tests of candidates, publication and what was published; a package, so that they share one warehouse."""
