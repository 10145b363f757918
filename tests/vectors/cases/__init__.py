"""What `generate` writes: each module's `files()` gives `{path below tests/vectors: bytes}`."""
