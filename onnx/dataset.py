"""Folds of many images, and for each some changes of one sample by one level, as they act on the fold."""

from dataclasses import dataclass

import numpy as np

import fold
from images import HELD_OUT, TRAINING, Image, load
from phantoms import phantom

PLACES = ("random", "corner", "centre", "background")


@dataclass
class Images:
    """Folds u16 (N, 64, 64). A change adds `deltas` u16 (N, K) to cell number `cells` (N, K): change k of an image is at place k mod 4."""

    folds: np.ndarray
    cells: np.ndarray
    deltas: np.ndarray
    real: np.ndarray
    bits: np.ndarray

    def changed(self, rows, picks):
        """Returns the folds of these rows, each with its change `picks[row]` made."""
        folds = self.folds[rows].reshape(len(rows), -1).copy()
        every = np.arange(len(rows))
        folds[every, self.cells[rows, picks]] += self.deltas[rows, picks]
        return folds.reshape(-1, 64, 64)


def changes(random, image, count):
    """Returns `count` changes (index of the sample, +1 or -1), at the places of `PLACES` in turn, within the bits stored."""
    depth, height, width, channels = image.samples.shape
    flat = image.samples.reshape(-1)
    signed = image.samples.dtype.kind == "i"
    low = -(2 ** (image.bits_stored - 1)) if signed else 0
    high = low + 2**image.bits_stored - 1
    darkest = np.flatnonzero(flat == flat.min())
    result = []
    for number in range(count):
        place = PLACES[number % 4]
        if place == "random":
            index = random.integers(flat.size)
        elif place == "background":
            index = random.choice(darkest)
        else:
            corner = (0 if random.random() < 0.5 else height - 1, 0 if random.random() < 0.5 else width - 1)
            y, x = corner if place == "corner" else (height // 2, width // 2)
            index = ((random.integers(depth) * height + y) * width + x) * channels + random.integers(channels)
        step = 1 if random.random() < 0.5 else -1
        if not low <= int(flat[index]) + step <= high:
            step = -step
        result.append((int(index), step))
    return result


def _byte_view(data):
    samples = np.frombuffer(data, np.uint8)
    width = min(samples.size, fold.ROW_BYTES)
    rows = samples.size // width
    return Image(samples[: rows * width].reshape(1, rows, width, 1), 8, "bytes")


def fold_all(sources, count, seed):
    """Returns the distinct ones of these images (or bytes) as `Images` with `count` changes each."""
    random = np.random.default_rng(seed)
    folds, cells, deltas, real, bits, seen = [], [], [], [], [], set()
    for source in sources:
        plain = isinstance(source, bytes)
        words = fold.fold_bytes(source) if plain else fold.fold_image(source.samples, source.bits_stored)
        if words.tobytes() in seen:
            continue
        seen.add(words.tobytes())
        image = _byte_view(source) if plain else source
        picked = changes(random, image, count)
        index = np.array([index for index, _ in picked])
        if plain:
            rows = -(-len(source) // fold.ROW_BYTES)
            cells.append(fold.cells((1, rows, fold.ROW_BYTES, 1))[index])
        else:
            cells.append(fold.cells(source.samples.shape)[index])
        steps = np.array([step for _, step in picked])
        deltas.append((fold.multipliers(index).astype(np.int64) * steps % 65536).astype(np.uint16))
        folds.append(words)
        real.append(not plain and source.subject != "phantom")
        bits.append(8 * image.samples.dtype.itemsize)
    return Images(np.stack(folds), np.stack(cells), np.stack(deltas), np.array(real), np.array(bits))


def training(phantoms=6000, seed=1):
    """Returns the training images: every slice of the training subjects, 8-bit ones in 16 bits too, and phantoms."""
    real = load(TRAINING)
    wide = [Image(image.samples.astype("<u2") * np.uint16(257), 16, image.subject) for image in real if image.bits_stored == 8]
    return fold_all([*real, *wide, *(phantom(seed, number) for number in range(phantoms))], 32, seed)


def held_out(phantoms=15_600, seed=2):
    """Returns the images that figures are measured on: every slice of the held-out subjects, and phantoms of another seed."""
    return fold_all([*load(HELD_OUT), *(phantom(seed, number) for number in range(phantoms))], 4, seed)
