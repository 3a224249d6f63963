"""Tests of what the command does beside calling others."""
