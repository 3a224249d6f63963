"""The error that says: this is not published (exit code 3)."""


class Refused(Exception):
    """A gate, missing evidence or a stale mart stands against publication. Says which, and what to do."""
