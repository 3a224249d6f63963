"""Ed25519 signatures as RFC 8032, section 5.1, defines them: verification, for where no library is at hand.

Belongs here: points of the curve, and whether a signature fits. Does not belong here: signing, which handles a secret
and has to take the same time whatever that is (`pipelines.vault.signing`).
"""

from __future__ import annotations

import hashlib

PRIME, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
_CURVE = -121665 * pow(121666, -1, PRIME) % PRIME
_NEUTRAL = (0, 1, 1, 0)


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is the one of `message` by the owner of `public_key`."""
    owner = _point(public_key) if len(public_key) == 32 and len(signature) == 64 else None
    scalar = int.from_bytes(signature[32:], "little")
    if owner is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    return _encoded(_add(_times(scalar, _BASE), _times(challenge, _negative(owner)))) == signature[:32]


def _add(p: Point, q: Point) -> Point:
    """One formula for all cases, also where both are the same."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % PRIME, (p[1] + p[0]) * (q[1] + q[0]) % PRIME
    c, d = 2 * p[3] * q[3] * _CURVE % PRIME, 2 * p[2] * q[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME


def _negative(p: Point) -> Point:
    return -p[0] % PRIME, p[1], p[2], -p[3] % PRIME


def _times(scalar: int, p: Point) -> Point:
    total = _NEUTRAL
    while scalar:
        if scalar & 1:
            total = _add(total, p)
        p, scalar = _add(p, p), scalar >> 1
    return total


def _point(encoded: bytes) -> Point | None:
    """The point that 32 bytes stand for; None where they stand for none."""
    number = int.from_bytes(encoded, "little")
    y, odd = number & (2**255 - 1), number >> 255
    if y >= PRIME:
        return None
    square = (y * y - 1) * pow(_CURVE * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if x * x % PRIME != square or (x == 0 and odd):
        return None
    x = PRIME - x if x % 2 != odd else x
    return x, y, 1, x * y % PRIME


def _encoded(p: Point) -> bytes:
    inverse = pow(p[2], -1, PRIME)
    x, y = p[0] * inverse % PRIME, p[1] * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


_FOUND = _point((4 * pow(5, -1, PRIME) % PRIME).to_bytes(32, "little"))  # y = 4/5 and x even
_BASE = _FOUND or _NEUTRAL
