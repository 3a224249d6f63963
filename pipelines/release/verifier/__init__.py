"""The verifier that every pack carries: a release is held against its signature with Python's standard library alone.

Belongs here: the form of archives, Ed25519, what must hold of a signed release and of a pack. Imports within it are
relative and nothing of the platform is imported, so that it runs as it is in an unpacked pack. Does not belong here:
whose key may be trusted. Nobody but the bank can say that, by telling its fingerprint on another way than with a pack.
"""
