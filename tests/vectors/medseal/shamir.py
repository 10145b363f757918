"""Section 7, "Shares": Shamir's scheme over GF(2^8), byte by byte."""

POLYNOMIAL = 0x11B


def times(left, right):
    """The product in GF(2^8): shift and add, reduced at each step."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 0x100:
            left ^= POLYNOMIAL
        right >>= 1
    return product


def inverse(byte):
    """The element that times `byte` is 1."""
    return next(other for other in range(1, 256) if times(byte, other) == 1)


def split(secret, coefficients, number):
    """Shares 1..number; coefficients[k - 1][j] belongs to byte j and the power k of the index."""
    shares = []
    for index in range(1, number + 1):
        share = bytearray()
        for at, byte in enumerate(secret):
            power = 1
            for row in coefficients:
                power = times(power, index)
                byte ^= times(row[at], power)
            share.append(byte)
        shares.append(bytes(share))
    return shares


def combine(shares):
    """The secret in {index: share}: Lagrange's formula at 0."""
    secret = bytearray(len(next(iter(shares.values()))))
    for index, share in shares.items():
        weight = 1
        for other in shares:
            if other != index:
                weight = times(weight, times(other, inverse(other ^ index)))
        for at, byte in enumerate(share):
            secret[at] ^= times(weight, byte)
    return bytes(secret)
