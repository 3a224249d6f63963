"""Scorecards: from observed defaults to a points table. A night reads the table alone, by SQL, and nothing here."""
