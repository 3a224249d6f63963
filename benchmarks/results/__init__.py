"""What the platform's judgements are worth on the simulated bank and on a real one: docs/results.md by one command."""
