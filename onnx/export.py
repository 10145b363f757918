"""Writes weights as an ONNX file: a graph by hand, of the few operations that every engine runs, always with the same bytes.

    python onnx/export.py FILE [--seed N] [--gain G]      the network before any training; prints the SHA-256
"""

import argparse
import hashlib
import math
import struct
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, load, numpy_helper

import network
from network import HEAD, HEADS, INPUTS, LAYERS, LOGITS, TOKEN_CODE, TOKENS, WIDTH


def _scale(name):
    """The gain that the graph takes from the weight instead of a node of its own: a power of two, so nothing is rounded."""
    return network.SCORE_SCALE if name.endswith("query.weight") else network.ATTENTION_GAIN if name.endswith("output.weight") else 1.0


class Graph:
    """Collects nodes and weights; each method returns the name of its output."""

    def __init__(self, weights):
        self.values, self.nodes, self.tensors = weights, [], []

    def weight(self, name):
        """A weight with its constant gain. Little-endian bytes, as ONNX wants them on every machine."""
        value = self.values[name] * np.float32(_scale(name))
        self.tensors.append(helper.make_tensor(name, TensorProto.FLOAT, value.shape, value.astype("<f4").tobytes(), raw=True))
        return name

    def shape(self, name, *sizes):
        data = struct.pack(f"<{len(sizes)}q", *sizes)
        self.tensors.append(helper.make_tensor(name, TensorProto.INT64, [len(sizes)], data, raw=True))
        return name

    def node(self, operation, output, *inputs, **attributes):
        self.nodes.append(helper.make_node(operation, list(inputs), [output], name=output, **attributes))
        return output


def _embed(g):
    """Eq. (1), (2): sin(2 pi frac(tokens We + pos))."""
    g.tensors.append(helper.make_tensor("two_pi", TensorProto.FLOAT, [1], struct.pack("<f", 2 * math.pi), raw=True))
    product = g.node("MatMul", "embed.product", "tokens", g.weight("embed.weight"))
    turns = g.node("Add", "embed.turns", product, g.weight("embed.position"))
    fraction = g.node("Sub", "embed.fraction", turns, g.node("Floor", "embed.floor", turns))
    return g.node("Sin", "embed.out", g.node("Mul", "embed.radians", fraction, "two_pi"))


def _attend(g, layer, h):
    """Eq. (3): h + 4 MHSA(h) Wo."""

    def heads(part, order):
        flat = g.node("MatMul", f"{layer}.{part}.product", h, g.weight(f"{layer}.{part}.weight"))
        split = g.node("Reshape", f"{layer}.{part}.split", flat, "shape.heads")
        return g.node("Transpose", f"{layer}.{part}.out", split, perm=order)

    query, key = heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1])
    value = heads("value", [0, 2, 1, 3])
    attention = g.node("Softmax", f"{layer}.attention", g.node("MatMul", f"{layer}.scores", query, key), axis=-1)
    mixed = g.node("Transpose", f"{layer}.mixed", g.node("MatMul", f"{layer}.heads", attention, value), perm=[0, 2, 1, 3])
    joined = g.node("Reshape", f"{layer}.joined", mixed, "shape.tokens")
    out = g.node("MatMul", f"{layer}.output.product", joined, g.weight(f"{layer}.output.weight"))
    return g.node("Add", f"{layer}.attended", h, out)


def _sine(g, name, x, output):
    """sin(x W + b)."""
    product = g.node("MatMul", f"{name}.product", x, g.weight(f"{name}.weight"))
    return g.node("Sin", output, g.node("Add", f"{name}.radians", product, g.weight(f"{name}.bias")))


def _mlp(g, layer, h):
    """h + sin(h W1 + b1) W2."""
    inner = _sine(g, f"{layer}.mlp.in", h, f"{layer}.mlp.in.out")
    return g.node("Add", f"{layer}.out", h, g.node("MatMul", f"{layer}.mlp.out.product", inner, g.weight(f"{layer}.mlp.out.weight")))


def model(weights):
    """Returns the bytes of the ONNX file for these weights, and only for these: they must stand on their grids."""
    for name, shape in network.shapes().items():
        if weights[name].shape != shape or not np.isfinite(weights[name]).all():
            raise ValueError(f"{name}: expected finite numbers of shape {shape}, found shape {weights[name].shape}")
        if not np.array_equal(network.rounded({name: weights[name]})[name], weights[name]):
            raise ValueError(f"{name}: not on its grid")
    g = Graph(weights)
    g.shape("shape.heads", -1, TOKENS, HEADS, HEAD)
    g.shape("shape.tokens", -1, TOKENS, WIDTH)
    g.shape("shape.flat", -1, TOKENS * TOKEN_CODE)
    h = _embed(g)
    for number in range(LAYERS):
        h = _mlp(g, f"layer{number}", _attend(g, f"layer{number}", h))
    # Eq. (4): 12 numbers a token, 768 in all, and a sine for each bit.
    code = g.node("MatMul", "decoder.token.product", h, g.weight("decoder.token.weight"))
    _sine(g, "decoder.in", g.node("Reshape", "decoder.flat", code, "shape.flat"), "logits")
    graph = helper.make_graph(
        g.nodes, "vit_keygen",
        [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["N", TOKENS, INPUTS])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", LOGITS])],
        g.tensors,
    )
    result = helper.make_model(graph, producer_name="medseal", ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    checker.check_model(result, full_check=True)
    return result.SerializeToString(deterministic=True)


def weights(path):
    """Returns the weights that stand in a file of this graph."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in load(path).graph.initializer}
    result = {name: stored[name].copy() for name in network.shapes()}
    for name in result:
        result[name] /= np.float32(_scale(name))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gain", type=float, default=1.0)
    options = parser.parse_args()
    data = model(network.untrained(options.seed, options.gain))
    options.file.write_bytes(data)
    print(f"{hashlib.sha256(data).hexdigest()}  {options.file}  {len(data)} bytes")


if __name__ == "__main__":
    main()
