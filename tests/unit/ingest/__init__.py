"""Tests of ingest: deliveries of a small invented bank are written, spoiled, corrected and landed for real."""
