"""Faults that scripts/rooms must find, each planted in a copy of the source: a check that can't fail is none."""
import shutil, tempfile
from pathlib import Path

# What must be found, alone, once these lines stand in the parts a and b of cipher.
PLANTS = {
    "circle of 2 files: cipher/a.rs cipher/b.rs":
        ("pub struct A;\nfn f() { super::b::B; }", "use super::A as Other;\npub struct B;"),
    "against the table: cipher/a.rs (cipher) imports storage/":
        ("use crate::{chain as c, storage::{self as s}};\nfn f(_: s::Cid) {}", ""),
    "no room of the table: attic":
        ("", ""),
    "not pure: cipher/a.rs names std::time::SystemTime::now":
        ("use std::{io, time};\nfn f() { time::SystemTime::now(); }", ""),
    "not pure: cipher/a.rs imports clock.rs":
        ("fn f() { crate::clock::now(); }", ""),
    "long: src/cipher/a.rs:2: fn f has 71 lines":
        ("\nfn f(a: [u8; 2]) {" + "\n" * 70 + "}\nfn g() {" + "\n" * 69 + "}", ""),
    "long: src/cipher/a.rs has 401 lines":
        ("\n" * 401, "// Long because\n" + "\n" * 401),
    "nothing":
        ("// use crate::cli;\nconst A: &str = \"crate::chain::Registry\";",
         "#[cfg(test)]\nmod tests {\n use crate::cli::run;\n}"),
}


def wrong_plants(root, known, faults):
    """The plants that a copy of the source is not found to hold, or not them alone."""
    for wanted, parts in PLANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            shutil.copytree(root / "src", copy / "src")
            with open(copy / "src/cipher/mod.rs", "a") as file:
                file.write("\nmod a;\nmod b;\npub use a::A;\n")
            for name, text in zip("ab", parts):
                (copy / f"src/cipher/{name}.rs").write_text(text)
            if wanted.endswith("attic"):
                (copy / "src/attic.rs").write_text("pub struct Attic;")
                with open(copy / "src/lib.rs", "a") as file:
                    file.write("mod attic;\n")
            found = set(faults(copy)) - set(known)
            if len(found) != (wanted != "nothing") or not all(line.startswith(wanted) for line in found):
                yield f"planted, and found otherwise: {wanted}: {found}"
