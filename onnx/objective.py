"""What the network is trained for, without labels: one-level changes that flip half of the bits, and bits like fair independent coins."""

import jax
import jax.numpy as jnp

from network import forward

SHARPNESS = 2.0


def soft_signs(weights, tokens):
    """Returns tanh(2 logits), a smooth stand-in for the signs, scaled so that its mean square is 1."""
    signs = jnp.tanh(SHARPNESS * forward(weights, tokens))
    return signs / jnp.sqrt(jnp.mean(signs**2))


def loss(weights, tokens, changed, emphasis):
    """Returns the loss of a batch and of its changed copies, each (B, 64, 128), and its parts.

    s, s' are the soft signs (B, 768) of the images and of their changed copies; all means are 0 for independent fair coins,
    up to what a batch of this size shows by chance:
    - avalanche: the mean over images of (s . s' / 768)^2: each change flips half of the bits, no more and no less;
    - every bit: the mean over bits of (mean over images of s s')^2: each bit flips in half of the changes;
    - balance: the mean over bits of (mean over images of s)^2;
    - decorrelation: the mean over pairs of bits of (mean over images of s_i s_j)^2. Its sum over pairs of bits is that of
      (s . t)^2 over pairs of unlike images, so the same term drives unlike images apart.
    """
    both = soft_signs(weights, jnp.concatenate([tokens, changed]))
    signs, others = both[: len(tokens)], both[len(tokens) :]
    product = signs * others
    gram = jnp.stack([signs.T @ signs, others.T @ others]) / len(tokens)
    pairs = gram.shape[1] * (gram.shape[1] - 1)
    parts = {
        "avalanche": jnp.mean(jnp.mean(product, axis=1) ** 2),
        "every_bit": jnp.mean(jnp.mean(product, axis=0) ** 2),
        "balance": jnp.mean(jnp.mean(both, axis=0) ** 2),
        "decorrelation": jnp.mean((jnp.sum(gram**2, axis=(1, 2)) - jnp.sum(jnp.diagonal(gram, axis1=1, axis2=2) ** 2, axis=1)) / pairs),
    }
    return sum(emphasis[name] * part for name, part in parts.items()), parts


def jitted_gradient():
    """Returns the compiled gradient of `loss`: ((loss, parts), gradient by weight)."""
    return jax.jit(jax.value_and_grad(loss, has_aux=True))
