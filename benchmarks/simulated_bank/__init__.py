"""The page on the simulated bank: what it looks like, held against what it imitates."""
