"""How long files and Rust's functions are."""
import re
from imports import end_of_item, quiet

FILE_LINES, FUNCTION_LINES, REASON_WITHIN, REASON = 400, 70, 15, "Long because"
FOLDERS = "anvil benches contracts onnx scripts src tests .ci".split()
SUFFIXES = ".js .mjs .py .rs .sh .sol .ts .tsx".split()


def sources(root):
    """Every file of code: by its suffix, or by its first line where it has none."""
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")):
        if "node_modules" in path.parts or not path.is_file() or path.is_symlink():
            continue
        if path.suffix in SUFFIXES or not path.suffix and path.read_bytes()[:2] == b"#!":
            yield path


def functions(text):
    """Each function of Rust code with its first line and how many it has. Not seen: those that macros write."""
    code = quiet(text)
    for found in re.finditer(r"\bfn (\w+)", code):
        end = end_of_item(code, found.start())
        yield found[1], code.count("\n", 0, found.start()) + 1, code.count("\n", found.start(), end) + 1


def long(root):
    """What is too long and gives no reason, a line for each."""
    for path in sources(root):
        lines = (text := path.read_text()).splitlines()
        name = path.relative_to(root)
        if len(lines) > FILE_LINES and not any(REASON in line for line in lines[:REASON_WITHIN]):
            yield f"long: {name} has {len(lines)} lines, and none of the first {REASON_WITHIN} says '{REASON}'"
        if path.suffix == ".rs":
            for function, line, count in functions(text):
                if count > FUNCTION_LINES:
                    yield f"long: {name}:{line}: fn {function} has {count} lines, over {FUNCTION_LINES}"
