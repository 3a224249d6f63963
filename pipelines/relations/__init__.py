"""Who belongs to whom: typed edges between parties with their evidence, and what the graph of them measures."""
