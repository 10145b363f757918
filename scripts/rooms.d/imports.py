"""The imports of Rust source files, read without a compiler: which file names something that another defines."""
import re

NOISE = re.compile(r"""//[^\n]*|/\*.*?\*/|\bb?r(#*)".*?"\1|"(\\.|[^"\\])*"|'(\\[^']+|[^\\'])'""", re.S)
USE = re.compile(r"(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);")
DEFINED = re.compile(r"\b(?:fn|struct|enum|union|trait|type|const|static|macro_rules!)\s+(\w+)")
PATH = re.compile(r"(?<![\w:.$])\w+(?:::\w+)+")


def quiet(text):
    """The code without comments and with every string empty, each on its line."""
    return NOISE.sub(lambda found: "\n" * found[0].count("\n") or '""', text)


def end_of_item(code, start):
    """The place behind the item that begins at `start`: behind its `;`, or the brace that closes its body."""
    depth = 0
    for place in range(start, len(code)):
        depth += (code[place] in "{([") - (code[place] in "])}")
        if depth == 0 and code[place] in ";}" and not (code[place] == "}" and code[place + 1 : place + 2] == ";"):
            return place + 1
    return len(code)


def leaves(tree, before=()):
    """The names that a `use` brings in: (its path, the name here)."""
    path, brace, inner = tree.strip().partition("{")
    path, _, alias = path.strip().partition(" as ")
    segments = before + tuple(part.strip() for part in path.split("::") if part.strip())
    if not brace:
        segments = segments[:-1] if segments[-1] == "self" and len(segments) > 1 else segments
        return [(segments, alias.strip() or segments[-1])]
    found, depth, start, inner = [], 0, 0, inner.rstrip()[:-1] + ","
    for place, letter in enumerate(inner):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            found += leaves(inner[start:place], segments) if inner[start:place].strip() else []
            start = place + 1
    return found


class File:
    """A file's module, without its tests: what it defines, imports and says."""

    def __init__(self, source, path):
        self.name = path.relative_to(source).as_posix()
        parts = path.relative_to(source).with_suffix("").parts
        self.module = () if parts in (("lib",), ("main",)) else parts[:-1] if parts[-1] == "mod" else parts
        code = quiet(path.read_text())
        while test := re.search(r"#\[cfg\((all\()?test\b[^\]]*\]", code):
            code = code[: test.start()] + code[end_of_item(code, test.end()) :]
        self.children = set(re.findall(r"\bmod (\w+);", code))
        self.uses = [(bool(public), leaf) for public, tree in USE.findall(code) for leaf in leaves(tree)]
        self.imports = {name: path for _, (path, name) in self.uses}
        self.code = USE.sub("", code)
        depth = 0
        self.top = "".join(letter for letter in self.code if (depth := depth + (letter == "{") - (letter == "}")) == 0)
        self.defined = set(DEFINED.findall(self.top))

    def said(self):
        """Every path in the code, with what its first name stands for written out."""
        paths = {path for _, (path, name) in self.uses}
        for path in (path.split("::") for path in PATH.findall(self.code)):
            paths.add((*self.imports.get(path[0], path[:1]), *path[1:]))
        return {"::".join(path) for path in paths}


    def is_within(self, other):
        """Whether this is a part, or a part of a part, of the other's module."""
        return len(self.module) > len(other.module) and self.module[: len(other.module)] == other.module


class House:
    """Every file that is compiled into the program, and what each imports."""

    def __init__(self, source):
        files = [File(source, path) for path in sorted(source.rglob("*.rs"))]
        self.main = [file for file in files if file.name == "main.rs"]
        self.modules = {file.module: file for file in files if file.name != "main.rs"}
        live = [()]
        for module in live:
            children = [(*module, child) for child in sorted(self.modules[module].children)]
            live += [child for child in children if child in self.modules]
        self.files = self.main + [self.modules[module] for module in live]

    def find(self, file, path, seen=()):
        """The file that defines what this path says in this file; its module itself, if that is all that it says."""
        at = {"crate": (), "medseal": (), "self": file.module, "super": file.module[:-1]}.get(path[0])
        if at is not None:
            while path[1:2] == ("super",):
                at, path = at[:-1], path[1:]
            return self.within(self.modules[at], path[1:], seen) if at in self.modules else None
        known = path[0] in file.children or path[0] in file.imports or path[0] in file.defined
        return self.within(file, path, seen) if known else None

    def within(self, file, path, seen=()):
        if not path:
            return file.module
        if (file.name, path) in seen:
            return None
        seen, name = (*seen, (file.name, path)), path[0]
        if name in file.defined:
            return file
        if name in file.children and (*file.module, name) in self.modules:
            return self.within(self.modules[*file.module, name], path[1:], seen)
        if name in file.imports:
            return self.find(file, (*file.imports[name], *path[1:]), seen)
        for whole in (path for _, (path, name) in file.uses if name == "*"):
            found = self.find(file, (*whole[:-1], *path), seen)
            if isinstance(found, File) and name in found.defined:
                return found
        return file

    def arrows(self):
        """Every pair of files of which one names something that the other defines."""
        found = set()
        for file in self.files:
            paths = [path for public, (path, name) in file.uses if not public and name != "*"]
            paths += [tuple(path.split("::")) for path in PATH.findall(file.code)]
            said = set(re.findall(r"\w+", file.code))
            paths += [path for public, (path, name) in file.uses if public and name in said]
            to = {self.find(file, path) for path in paths}
            found |= {(file, other) for other in to if isinstance(other, File) and other is not file}
        return found
