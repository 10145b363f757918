"""Drawn images, any number of them: heads of soft ellipses, plain shapes, single levels, and files of bytes."""

import numpy as np

from images import Image

SIDES = (8, 16, 24, 31, 48, 64, 64, 80, 96, 100, 128, 128, 160, 192, 256)
TYPES = (("u1", 8), ("u1", 8), ("u2", 12), ("u2", 16), ("i2", 16), ("i2", 12))


def _grid(height, width):
    return (2 * np.arange(width) + 1) / width - 1, ((2 * np.arange(height) + 1) / height - 1)[:, None]


def _head(random, height, width):
    """Ellipses in a skull, after Shepp and Logan (1974), 0..1; half of them with noise."""
    x, y = _grid(height, width)
    size = random.uniform(0.6, 1.0)
    a, b = size * random.uniform(0.6, 0.75), size * random.uniform(0.8, 0.95)
    ellipses = [(0, 0, a, b, 0, random.uniform(0.6, 1)), (0, 0, 0.94 * a, 0.94 * b, 0, -random.uniform(0.2, 0.5))]
    for _ in range(random.integers(1, 7)):
        ellipses.append((*random.uniform(-0.45, 0.45, 2), *random.uniform(0.04, 0.3, 2), random.uniform(0, np.pi), random.uniform(-0.25, 0.4)))
    value = np.zeros((height, width))
    for cx, cy, a, b, turn, adds in ellipses:
        u = ((x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)) / a
        v = ((y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)) / b
        value += adds * np.clip((1 - u * u - v * v) / 0.08, 0, 1)
    if random.random() < 0.5:
        value += random.uniform(0.005, 0.05) * random.standard_normal((height, width)) * (value > 0 if random.random() < 0.5 else 1)
    return np.clip(value, 0, 1)


def _plain(random, height, width):
    """A level, a ramp, a disc, stripes or a few dots, 0..1."""
    x, y = _grid(height, width)
    kind = random.integers(5)
    if kind == 0:
        return np.full((height, width), random.random())
    if kind == 1:
        return np.clip((x * random.uniform(-1, 1) + y * random.uniform(-1, 1) + 1) / 2, 0, 1)
    if kind == 2:
        return random.random() * ((x - random.uniform(-0.3, 0.3)) ** 2 + (y - random.uniform(-0.3, 0.3)) ** 2 < random.uniform(0.1, 0.8))
    if kind == 3:
        return (np.floor(8 * (x * random.uniform(-1, 1) + y * random.uniform(-1, 1))) % 2) * random.random()
    value = np.zeros((height, width))
    value[random.integers(0, height, 5), random.integers(0, width, 5)] = random.random(5)
    return value


def phantom(seed, number):
    """Returns phantom `number` of this seed: an Image, or bytes for one in sixteen."""
    random = np.random.default_rng([seed, number])
    if number % 16 == 15:
        length = int(np.exp(random.uniform(np.log(64), np.log(60_000))))
        return random.bytes(length) if random.random() < 0.5 else bytes(random.integers(32, 127, length, np.uint8))
    height, width = random.choice(SIDES, 2) if random.random() < 0.3 else [random.choice(SIDES)] * 2
    kind, bits = TYPES[random.integers(len(TYPES))]
    channels = 3 if random.random() < 0.05 else 1
    depth = int(random.integers(2, 5)) if random.random() < 0.05 else 1
    draw = _plain if number % 8 == 0 else _head
    top = 2 ** (bits - (kind[0] == "i")) - 1
    top = int(random.uniform(top / 16, top)) if bits > 8 else top
    samples = np.stack([draw(random, height, width) for _ in range(depth * channels)])
    samples = samples.reshape(depth, channels, height, width).transpose(0, 2, 3, 1)
    return Image(np.ascontiguousarray(np.round(samples * top).astype(f"<{kind}")), bits, "phantom")
