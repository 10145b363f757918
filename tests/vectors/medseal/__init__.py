"""MedSeal's formats in Python, written from `src/envelope/FORMAT.md` alone.

One module for each part of that page; section numbers in the docstrings are its own.

    primitives    1     integers, LP, HKDF, keccak256, the errors
    permutation   6.1   confusion
    substitution  6.2   the keyed S-box
    fold          4.1   samples -> 64 x 64 words
    keys          4.3   image key, context, subkeys, key commitment (5)
    description   3     frame 0, Padme, cutting into frames
    sealed        2     header, sealing, reading and opening; diffusion (6.3)
    hpke          7     RFC 9180, single shot, with a given ephemeral key
    capsules      7     key capsules
    requests      8     EIP-712 digests

It is a reference for tests: slow, not constant-time, and it does not wipe keys.
"""
