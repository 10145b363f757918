"""Section 6.2: the keyed S-box, eq. (6), and its inverse, eq. (9)."""

from .permutation import Stream


def _multiply(x, y):
    """The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while y:
        if y & 1:
            product ^= x
        x = (x << 1) ^ (0x11B if x & 0x80 else 0)
        y >>= 1
    return product


def _aes_box():
    """The S-box of FIPS 197, 5.1.1: inverse, then the affine map with its constant 63."""
    box = []
    for v in range(256):
        inverse = next((i for i in range(256) if _multiply(v, i) == 1), 0)
        value = 0x63
        for shift in range(5):
            value ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        box.append(value)
    return box


AES_BOX = _aes_box()


def apply_matrix(rows, v):
    """`M * v`: bit r is the parity of row r AND v."""
    return sum(((row & v).bit_count() & 1) << r for r, row in enumerate(rows))


def is_invertible(rows):
    """Whether the 8 x 8 matrix over GF(2) has full rank."""
    rows = list(rows)
    for bit in range(8):
        pivot = next((r for r in range(bit, 8) if rows[r] >> bit & 1), None)
        if pivot is None:
            return False
        rows[bit], rows[pivot] = rows[pivot], rows[bit]
        for r in range(8):
            if r != bit and rows[r] >> bit & 1:
                rows[r] ^= rows[bit]
    return True


def _draw_matrix(stream):
    """The next invertible matrix of the stream, and how many singular ones were passed over."""
    redrawn = 0
    while True:
        rows = stream.next().to_bytes(8, "little")
        if is_invertible(rows):
            return rows, redrawn
        redrawn += 1


class SBox:
    """The S-box of one image: `table`, `inverse`, and the drawn `A`, `B` (8 rows each), `a`, `b`."""

    def __init__(self, key):
        stream = Stream(key, 0)
        self.A, self.redrawn_a = _draw_matrix(stream)
        self.B, self.redrawn_b = _draw_matrix(stream)
        constants = stream.next().to_bytes(8, "little")
        self.a, self.b = constants[0], constants[1]
        self.table = bytes(
            apply_matrix(self.B, AES_BOX[apply_matrix(self.A, v) ^ self.a]) ^ self.b for v in range(256)
        )
        self.inverse = bytes(self.table.index(v) for v in range(256))
