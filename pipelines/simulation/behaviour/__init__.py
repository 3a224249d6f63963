"""What people and companies do with accounts, loans, cards and wealth products.

What belongs here: behaviour as arrays of numbers, one module per kind. What does not: frames (emitters).
"""
