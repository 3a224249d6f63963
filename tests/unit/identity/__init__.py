"""Tests of who is who: parties, their ids, events and decisions."""
