"""Section 6.1: confusion, eq. (5), and its inverse, eq. (10)."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .primitives import u64

PAGE_BYTES = 4096
BLOCKS_AT_ONCE = 512


class Stream:
    """`Stream(K, f)`: the u64 from which every random choice of a frame is drawn."""

    def __init__(self, key, frame):
        self._encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        self._frame = frame
        self._block = 0
        self._words = iter(())

    def next(self):
        """The next u64."""
        for word in self._words:
            return word
        blocks = range(self._block, self._block + BLOCKS_AT_ONCE)
        self._block += BLOCKS_AT_ONCE
        data = self._encryptor.update(b"".join(u64(self._frame) + u64(j) for j in blocks))
        self._words = iter([int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)])
        return next(self._words)

    def below(self, bound):
        """A uniform number in [0, bound)."""
        while True:
            product = self.next() * bound
            if product & ((1 << 64) - 1) >= (1 << 64) % bound:
                return product >> 64


def _one_group(stream, pages, first, end, piece, s):
    """One group of a pass: draws its turns and its lines, writes its part of `s`."""
    line = 8 * piece
    n = 32 * (end - first)
    column = n // piece
    c = [stream.below(column) for _ in range(piece)]
    lines, turn = list(range(n)), [0] * n
    for i in range(n - 1, -1, -1):
        v = stream.below(line * (i + 1))
        lines[i], lines[v // line] = lines[v // line], lines[i]
        turn[i] = v % line
    for k in range(n):
        for q in range(8):
            j = (k + q * n // 8) % n
            source = (pages[first + lines[j] // 32] * 32 + lines[j] % 32) * line
            for a in range(piece):
                target = first * 32 + a * column + (k // piece + c[a]) % column
                s[target * line + q * piece + k % piece] = source + ((q * piece + a) ^ turn[j])


def _one_pass(stream, pages_count, piece):
    """`PASS()`: the source index of every sample in whole pages."""
    groups = (pages_count + 127) // 128
    pages = list(range(pages_count))
    if groups > 1:
        for i in range(pages_count - 1, 0, -1):
            j = stream.below(i + 1)
            pages[i], pages[j] = pages[j], pages[i]
    s = [0] * (pages_count * 256 * piece)
    for g in range(groups):
        _one_group(stream, pages, g * pages_count // groups, (g + 1) * pages_count // groups, piece, s)
    return s


def permutation(key, frame, samples, width):
    """The list m of `samples` indices for samples of `width` bytes: forward `y[d] = x[m[d]]`."""
    stream = Stream(key, frame)
    m = list(range(samples))
    pages = samples * width // PAGE_BYTES
    whole = pages * PAGE_BYTES // width
    if pages > 0:
        for _ in range(3 if pages < 16 else 2):
            s = _one_pass(stream, pages, 16 // width)
            m[:whole] = [m[source] for source in s]
    for i in range(whole, samples):
        j = stream.below(i + 1)
        m[i], m[j] = m[j], m[i]
    return m


def permute(key, frame, data, width):
    """The samples in their new places, eq. (5)."""
    m = permutation(key, frame, len(data) // width, width)
    return b"".join(data[i * width : (i + 1) * width] for i in m)


def unpermute(key, frame, data, width):
    """The samples back in their old places, eq. (10)."""
    out = bytearray(len(data))
    for d, i in enumerate(permutation(key, frame, len(data) // width, width)):
        out[i * width : (i + 1) * width] = data[d * width : (d + 1) * width]
    return bytes(out)
