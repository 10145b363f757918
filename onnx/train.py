#!/usr/bin/env python3
"""Trains the transformer of the image key without labels, measures it beside its untrained twin, and writes its file.

    python3 -m venv target/onnx
    target/onnx/bin/pip install -r onnx/requirements.txt          # about 1 GB
    target/onnx/bin/python onnx/train.py --seed 1                  # 10 minutes on two cores; prints the table of onnx/README.md

It writes vit_keygen.onnx and figures.json to target/onnx-model, or with --ship to onnx/, where the README's table and digest are
renewed as well. The same seed gives the same images, batches and start. Floating-point sums differ between machines in
their last bits, so the trained weights do too, and the figures agree within their spread, not to the last digit.
"""

import argparse
import json
import re
import textwrap
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import dataset
import export
import fold
import measure
import network
from objective import jitted_gradient

HERE = Path(__file__).resolve().parent
EMPHASIS = {"avalanche": 4.0, "every_bit": 2.0, "balance": 1.0, "decorrelation": 1.0}
GAIN, STEPS, BATCH, RATE = 1.0, 600, 128, 1e-3


def train(images, seed, gain, steps):
    """Returns the weights after `steps` steps of Adam from `network.untrained(seed, gain)`, on their grids."""
    schedule = optax.cosine_decay_schedule(RATE, steps, alpha=0.02)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
    gradient = jitted_gradient()

    @jax.jit
    def update(grads, state, weights):
        updates, state = optimizer.update(grads, state, weights)
        return optax.apply_updates(weights, updates), state

    random = np.random.default_rng(seed)
    weights = jax.tree.map(jnp.asarray, network.untrained(seed, gain))
    state = optimizer.init(weights)
    start = time.monotonic()
    for step in range(steps):
        rows = random.choice(len(images.folds), BATCH, replace=False)
        picks = random.integers(0, images.cells.shape[1], BATCH)
        batch, changed = fold.tokens(images.folds[rows]), fold.tokens(images.changed(rows, picks))
        (_, parts), grads = gradient(weights, batch, changed, EMPHASIS)
        weights, state = update(grads, state, weights)
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step:4} {time.monotonic() - start:5.0f} s  " + "  ".join(f"{name} {float(part):.5f}" for name, part in parts.items()), flush=True)
    return network.rounded(jax.tree.map(np.asarray, weights))


def renewed(card, result):
    """Returns the model card with this model's digest, size, counts and table in it."""
    trained = result["trained"]
    counts = (
        f"{trained['images']:,} distinct held-out images, {trained['scans']:,} of them scans; {trained['changes']:,} changes of one sample by one level; "
        f"{trained['pairs']:,} pairs of images; seed {result['seed']}, gain {result['gain']:g}, {result['steps']} steps."
    )
    figures = f"<!-- figures -->\n{textwrap.fill(counts, 100)}\n\n{measure.markdown(result['table'])}\n<!-- end -->"
    file = f"<!-- file -->\n| | |\n| --- | --- |\n| file | `vit_keygen.onnx`, {result['bytes']:,} bytes |\n| SHA-256 | `{result['sha256']}` |\n<!-- end -->"
    for name, text in (("figures", figures), ("file", file)):
        card, found = re.subn(rf"<!-- {name} -->.*?<!-- end -->", lambda _: text, card, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"error: onnx/README.md has {found} parts '{name}', one is wanted")
    return card


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gain", type=float, default=GAIN, help="of every sine behind the embedding's, before training (default %(default)s)")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--ship", action="store_true", help="write to onnx/ and renew its README.md")
    options = parser.parse_args()
    start = time.monotonic()
    print(f"fold.py agrees with {fold.check()} folds of an independent program")
    images, held_out = dataset.training(), dataset.held_out()
    print(f"{len(images.folds):,} training images, {images.real.sum():,} of them scans; {time.monotonic() - start:.0f} s", flush=True)
    weights = train(images, options.seed, options.gain, options.steps)
    result = {"steps": options.steps, **measure.report(weights, options.seed, options.gain, held_out)}
    folder = HERE if options.ship else HERE.parent / "target" / "onnx-model"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vit_keygen.onnx").write_bytes(export.model(weights))
    (folder / "figures.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    if options.ship:
        (HERE / "README.md").write_text(renewed((HERE / "README.md").read_text(), result))
    measure.show(result)
    print(f"written to {folder}; {(time.monotonic() - start) / 60:.1f} minutes in all")


if __name__ == "__main__":
    main()
