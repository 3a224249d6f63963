"""Tests of what the assets add to the layers below: dates, schedule, and what the catalogue shows."""
