"""Spoiled deliveries with a known verdict: what a night must refuse, set apart, or take as it is."""
