"""Tests of the vault: keys, tokens and sealed originals."""
