"""Tests of the audit: candidates are built, spoiled and audited for real."""
