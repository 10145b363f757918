"""The transformer of the image key, eq. (1)-(4): its sizes, its weights before training, and its forward pass in JAX.

Weights are a dict of float32 arrays by name. `onnx/export.py` writes the same arithmetic as an ONNX graph.
"""

import math

import numpy as np

TOKENS, INPUTS, WIDTH, HEADS, LAYERS, HIDDEN, LOGITS = 64, 128, 64, 4, 2, 128, 768
HEAD = WIDTH // HEADS
TOKEN_CODE = LOGITS // TOKENS  # numbers that a token hands to the decoder
TURN = 256                     # the embedding's weights are multiples of 1/256 of a turn
GRID = 1 << 16                 # all others are multiples of 2^-16
ATTENTION_GAIN = 4.0           # of the residual branch
SCORE_SCALE = HEAD ** -0.5     # 1/4: a power of two like the gain, so folding both into the weights is exact


def shapes():
    """Returns the shape of each weight, by name."""
    named = {"embed.weight": (INPUTS, WIDTH), "embed.position": (TOKENS, WIDTH)}
    for layer in range(LAYERS):
        named |= {f"layer{layer}.{part}.weight": (WIDTH, WIDTH) for part in ("query", "key", "value", "output")}
        named |= {f"layer{layer}.mlp.in.weight": (WIDTH, HIDDEN), f"layer{layer}.mlp.in.bias": (HIDDEN,)}
        named |= {f"layer{layer}.mlp.out.weight": (HIDDEN, WIDTH)}
    flat = TOKENS * TOKEN_CODE
    named |= {"decoder.token.weight": (WIDTH, TOKEN_CODE)}
    named |= {"decoder.in.weight": (flat, LOGITS), "decoder.in.bias": (LOGITS,)}
    return named


def _orthonormal(random, rows, columns):
    """Returns a (rows, columns) matrix whose columns have length 1 and are orthogonal within each block of `rows` columns."""
    blocks = [np.linalg.qr(random.standard_normal((rows, rows)))[0] for _ in range(-(-columns // rows))]
    return np.concatenate(blocks, axis=1)[:, :columns]


def untrained(seed, gain):
    """Returns the weights before any training; `gain` is that of every sine behind the embedding's."""
    weights = {}
    for index, (name, shape) in enumerate(shapes().items()):
        random = np.random.default_rng([seed, index])
        if name == "embed.weight":
            value = random.integers(-TURN // 2, TURN // 2, shape) / TURN
        elif name == "embed.position":
            value = random.integers(0, TURN, shape) / TURN
        elif name.endswith(".bias"):
            value = random.uniform(-math.pi, math.pi, shape)
        elif name.endswith("mlp.out.weight"):
            value = random.standard_normal(shape) / math.sqrt(WIDTH)
        else:
            value = _orthonormal(random, *shape) * (gain if name.endswith(".in.weight") else 1.0)
        weights[name] = value.astype(np.float32)
    return rounded(weights)


def rounded(weights):
    """Returns the weights on their grids, as the file holds them: exact as float32."""
    step = {name: TURN if name.startswith("embed.") else GRID for name in weights}
    return {name: (np.round(np.asarray(value, np.float64) * step[name]) / step[name]).astype(np.float32) for name, value in weights.items()}


def _on_grid(value):
    """Rounds to 1/256 turn; the gradient passes straight through."""
    import jax

    return value + jax.lax.stop_gradient(jax.numpy.round(value * TURN) / TURN - value)


def forward(weights, tokens):
    """Returns logits (N, 768) of tokens (N, 64, 128)."""
    import jax
    import jax.numpy as jnp

    # Eq. (1) and (2): patches (the fold's tokens), linear embedding, positional encoding as a phase; in turns.
    # |sums| < 2^24 steps of 1/256, so float32 holds them exactly, whatever the order of adding.
    turns = tokens @ _on_grid(weights["embed.weight"]) + _on_grid(weights["embed.position"])
    h = jnp.sin(2 * jnp.pi * (turns - jax.lax.stop_gradient(jnp.floor(turns))))
    for layer in range(LAYERS):
        part = lambda name: weights[f"layer{layer}.{name}"]  # noqa: E731
        heads = lambda name: (h @ part(f"{name}.weight")).reshape(-1, TOKENS, HEADS, HEAD)  # noqa: E731
        # Eq. (3): multi-head self-attention.
        scores = jnp.einsum("nqhc,nkhc->nhqk", heads("query") * SCORE_SCALE, heads("key"))
        mixed = jnp.einsum("nhqk,nkhc->nqhc", jax.nn.softmax(scores), heads("value"))
        h = h + ATTENTION_GAIN * (mixed.reshape(-1, TOKENS, WIDTH) @ part("output.weight"))
        h = h + jnp.sin(h @ part("mlp.in.weight") + part("mlp.in.bias")) @ part("mlp.out.weight")
    # Eq. (4): the decoder.
    code = (h @ weights["decoder.token.weight"]).reshape(-1, TOKENS * TOKEN_CODE)
    return jnp.sin(code @ weights["decoder.in.weight"] + weights["decoder.in.bias"])
