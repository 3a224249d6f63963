"""Tests that hold the shape of the code and of the repository."""
