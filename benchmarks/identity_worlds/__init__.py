"""How right identity resolution is on simulated worlds: `python -m benchmarks.identity_worlds`."""
