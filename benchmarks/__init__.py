"""Measurements and pages made from them; nothing here is part of a run."""
