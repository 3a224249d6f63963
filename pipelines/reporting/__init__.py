"""What came of a run, and who is told: gathered from Dagster's events, whoever started it."""
