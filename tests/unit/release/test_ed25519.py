"""The verifier's own Ed25519: the vectors of RFC 8032, and agreement with the library that signs."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pipelines.release.verifier.ed25519 import ORDER, PRIME, is_signed
from pipelines.vault.signing import fits

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = {
    "TEST 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}
SECRETS = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_standard(name: str) -> None:
    secret, public_key, message, signature = map(bytes.fromhex, VECTORS[name])
    private = Ed25519PrivateKey.from_private_bytes(secret)
    assert (private.public_key().public_bytes_raw(), private.sign(message)) == (public_key, signature)
    assert is_signed(public_key, signature, message)
    assert not is_signed(public_key, signature, message + b"\0")


@given(SECRETS, st.binary(max_size=300))
def test_what_the_library_signs_is_signed(secret: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    assert is_signed(private.public_key().public_bytes_raw(), private.sign(message), message)


@given(SECRETS, st.binary(max_size=100), st.integers(0, 8 * (32 + 64) - 1))
def test_one_bit_of_key_or_signature_changed(secret: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    both = bytearray(private.public_key().public_bytes_raw() + private.sign(message))
    both[bit // 8] ^= 1 << bit % 8
    key, signature = bytes(both[:32]), bytes(both[32:])
    assert not is_signed(key, signature, message)
    assert not fits(key, signature, message)


@given(st.binary(max_size=40), st.binary(max_size=80), st.binary(max_size=20))
def test_whatever_bytes_are_given_both_say_the_same(key: bytes, signature: bytes, message: bytes) -> None:
    assert is_signed(key, signature, message) is fits(key, signature, message) is False


@given(SECRETS, SECRETS, st.binary(max_size=100))
def test_another_key_has_not_signed(secret: bytes, other: bytes, message: bytes) -> None:
    signature = Ed25519PrivateKey.from_private_bytes(secret).sign(message)
    public_key = Ed25519PrivateKey.from_private_bytes(other).public_key().public_bytes_raw()
    assert is_signed(public_key, signature, message) is (secret == other)


@given(SECRETS, st.binary(max_size=100))
def test_a_signature_has_one_form(secret: bytes, message: bytes) -> None:
    """The scalar of another signature that would satisfy the equation is out of bounds."""
    private = Ed25519PrivateKey.from_private_bytes(secret)
    signature = private.sign(message)
    larger = int.from_bytes(signature[32:], "little") + ORDER
    again = signature[:32] + larger.to_bytes(32, "little")
    assert not is_signed(private.public_key().public_bytes_raw(), again, message)


@pytest.mark.parametrize("number", [PRIME, PRIME + 1, 2**255 - 1, 1 | 1 << 255, 2])
def test_a_key_that_is_no_point_or_not_its_one_form(number: int) -> None:
    assert not is_signed(number.to_bytes(32, "little"), b"\0" * 64, b"")
