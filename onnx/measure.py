"""What the raw bits of a model are worth, measured on held-out images.

    python onnx/measure.py [FILE]      measures a model file (onnx/vit_keygen.onnx), its untrained twin and fair coins; about 2 minutes
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import dataset
import export
import fold
import network

HERE = Path(__file__).resolve().parent
ENOUGH = 346        # flipped bits of 768: 45 %
FAR = 308           # distances below this are under 40 % of 768
DISTANCE_IMAGES = 1024
ENGINE_IMAGES = 2048


class OnnxRuntime:
    """Bits of a model file in ONNX Runtime."""

    def __init__(self, model):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def logits(self, folds):
        return _batches(lambda tokens: self.session.run(None, {"tokens": tokens})[0], folds, 64)

    def bits(self, folds):
        return self.logits(folds) > 0


class FairCoins:
    """The yardstick: independent fair bits, whatever the image."""

    def __init__(self, seed=1):
        self.random = np.random.default_rng(seed)

    def bits(self, folds):
        return self.random.random((len(folds), network.LOGITS), np.float32) < 0.5


def _batches(run, folds, size):
    return np.concatenate([run(fold.tokens(folds[start : start + size])) for start in range(0, len(folds), size)])


def figures(model, images):
    """Returns the figures of a model with `bits` on these images: plain numbers by name."""
    bits = model.bits(images.folds)
    count = len(bits)
    # Every change of a real image, one of each phantom.
    real, drawn = np.flatnonzero(images.real), np.flatnonzero(~images.real)
    rows = np.concatenate([np.repeat(real, 4), drawn])
    picks = np.concatenate([np.tile(np.arange(4), len(real)), drawn % 4])
    flips = np.concatenate([
        np.count_nonzero(bits[part] != model.bits(images.changed(part, picks[start : start + 2048])), axis=1)
        for start in range(0, len(rows), 2048)
        for part in [rows[start : start + 2048]]
    ])
    centred = bits - bits.mean(axis=0, dtype=np.float64)
    spread = np.sqrt((centred**2).mean(axis=0))
    # A bit that never changes correlates with nothing; its bias tells of it.
    centred = (centred / np.where(spread > 0, spread, 1)).astype(np.float32)
    correlation = (centred.T @ centred / count)[np.triu_indices(network.LOGITS, 1)].astype(np.float64)
    chosen = np.random.default_rng(0).permutation(count)[:DISTANCE_IMAGES]
    signs = 2 * bits[chosen].astype(np.float32) - 1
    distances = ((network.LOGITS - signs @ signs.T) / 2)[np.triu_indices(len(chosen), 1)]
    places = {}
    for place, name in enumerate(dataset.PLACES):
        for kind, real_side in (("scans", True), ("phantoms", False)):
            for depth in (8, 16):
                cell = flips[(picks == place) & (images.real[rows] == real_side) & (images.bits[rows] == depth)]
                places[f"{kind}, {depth} bit, {name}"] = {"changes": len(cell), "meanFlips": float(cell.mean() / network.LOGITS)}
    return {
        "images": count,
        "scans": int(images.real.sum()),
        "changes": len(flips),
        "meanFlips": float(flips.mean() / network.LOGITS),
        "sdFlipsBits": float(flips.std()),
        "leastFlipsBits": int(flips.min()),
        "shareEnoughFlips": float((flips >= ENOUGH).mean()),
        "worstBias": float(np.abs(bits.mean(axis=0) - 0.5).max()),
        "correlationRmsTimesRootImages": float(np.sqrt((correlation**2).mean() * count)),
        "worstCorrelation": float(np.abs(correlation).max()),
        "pairs": len(distances),
        "meanDistance": float(distances.mean() / network.LOGITS),
        "sdDistanceBits": float(distances.std()),
        "leastDistanceBits": int(distances.min()),
        "pairsUnder40Percent": int((distances < FAR).sum()),
        "places": places,
    }


def engines(weights, model, images):
    """Returns the share of equal bits, and the mean and greatest difference of a logit, between three engines."""
    import jax
    import tract

    chosen = images.folds[np.random.default_rng(1).permutation(len(images.folds))[:ENGINE_IMAGES]]
    path = Path(__file__).resolve().parent.parent / "target" / "measured.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model)
    rust = tract.onnx().load(str(path)).into_model().into_runnable()
    forward = jax.jit(network.forward)
    logits = {
        "JAX": _batches(lambda tokens: np.asarray(forward(weights, tokens)), chosen, 64),
        "ONNX Runtime": OnnxRuntime(model).logits(chosen),
        "tract": _batches(lambda tokens: rust.run([tokens])[0].to_numpy(), chosen, 8),
    }
    result = {"images": len(chosen)}
    names = list(logits)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            apart = np.abs(logits[one] - logits[other])
            equal = float(((logits[one] > 0) == (logits[other] > 0)).mean())
            result[f"{one} / {other}"] = {"equalBits": equal, "meanDifference": float(apart.mean()), "greatestDifference": float(apart.max())}
    return result


def _percent(value, digits=2):
    return f"{100 * value:.{digits}f} %"


def table(coins, untrained, trained, agreement):
    """Returns the rows (figure, goal, fair coins, untrained, trained) as text, and the names of the goals that are missed."""
    def row(name, goal, text, reached=None):
        if reached is not None and not reached(trained):
            missed.append(name)
        rows.append([name, goal, text(coins), text(untrained), text(trained)])

    rows, missed = [], []
    row("one grey level in one pixel: mean flips", "50 % ± 0.5 %", lambda f: _percent(f["meanFlips"]), lambda f: abs(f["meanFlips"] - 0.5) <= 0.005)
    row("its sd, bits; least", "", lambda f: f"{f['sdFlipsBits']:.2f}; {f['leastFlipsBits']}")
    row("share of such changes that flip >= 45 % (346 bits)", ">= 99 %", lambda f: _percent(f["shareEnoughFlips"]), lambda f: f["shareEnoughFlips"] >= 0.99)
    row("bias of the worst bit", "<= 0.02", lambda f: f"{f['worstBias']:.4f}", lambda f: f["worstBias"] <= 0.02)
    row("correlation of bits, rms, times sqrt(images)", "<= 1.3", lambda f: f"{f['correlationRmsTimesRootImages']:.3f}", lambda f: f["correlationRmsTimesRootImages"] <= 1.3)
    row("correlation of the worst pair of bits", "", lambda f: f"{f['worstCorrelation']:.4f}")
    row("distance of unlike images: mean", "50 % ± 0.5 %", lambda f: _percent(f["meanDistance"]), lambda f: abs(f["meanDistance"] - 0.5) <= 0.005)
    row("its sd, bits; least", "", lambda f: f"{f['sdDistanceBits']:.2f}; {f['leastDistanceBits']}")
    row("pairs under 40 %", "0", lambda f: f"{f['pairsUnder40Percent']} of {f['pairs']:,}", lambda f: f["pairsUnder40Percent"] == 0 and f["pairs"] >= 500_000)
    for pair, found in agreement.items():
        if pair != "images":
            if found["equalBits"] < 0.9999:
                missed.append(pair)
            rows.append([f"equal bits: {pair}", ">= 99.99 %", "", "", _percent(found["equalBits"], 4)])
    return rows, missed


def markdown(rows):
    head = "| | goal | fair coins | untrained twin | trained |\n| --- | --- | --- | --- | --- |\n"
    return head + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def report(weights, seed, gain, images):
    """Returns everything that is measured of these weights, for `figures.json`, the table's rows included."""
    model = export.model(weights)
    coins = figures(FairCoins(), images)
    untrained = figures(OnnxRuntime(export.model(network.untrained(seed, gain))), images)
    trained = figures(OnnxRuntime(model), images)
    agreement = engines(weights, model, images)
    rows, missed = table(coins, untrained, trained, agreement)
    return {
        "sha256": hashlib.sha256(model).hexdigest(),
        "bytes": len(model),
        "seed": seed,
        "gain": gain,
        "table": rows,
        "goalsMissed": missed,
        "trained": trained,
        "untrained": untrained,
        "fairCoins": coins,
        "engines": agreement,
    }


def show(result):
    """Prints the report for people."""
    trained = result["trained"]
    print(f"{trained['images']:,} distinct held-out images, {trained['scans']:,} of them scans; {trained['changes']:,} changes; seed {result['seed']}, gain {result['gain']}")
    print(markdown(result["table"]))
    print("goals missed: " + (", ".join(result["goalsMissed"]) or "none"))
    print(f"{result['sha256']}  {result['bytes']:,} bytes")


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "vit_keygen.onnx"
    committed = json.loads((HERE / "figures.json").read_text())
    show(report(export.weights(path), committed["seed"], committed["gain"], dataset.held_out()))


if __name__ == "__main__":
    main()
