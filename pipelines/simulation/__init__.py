"""A simulated city bank and its partners, at any size, with the truth known.

What belongs here: the world (people, companies, products, behaviour), how each system knows it, and how it delivers.
What does not: anything the pipeline may read. Only the command `simulate` imports this package.
"""
