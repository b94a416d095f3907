"""The product's source as data: modules, what they import where, how long files and functions are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import fechner.database
import fechner.server
import fechner.strategies
import fechner_client

#: The packages and their folders.
FOLDERS = {
    name: Path(str(package.__file__)).parent
    for name, package in {
        "fechner.server": fechner.server,
        "fechner.strategies": fechner.strategies,
        "fechner.database": fechner.database,
        "fechner_client": fechner_client,
    }.items()
}


@dataclass(frozen=True)
class Import:
    """One module names another.

    Attributes:
        importer, imported: the modules.
        line: of the importer's file.
        inside: within a function, so at any time.
    """

    importer: str
    imported: str
    line: int
    inside: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} -> {self.imported}"


@cache
def modules(package: str) -> dict[str, Path]:
    """The modules of a package, or of a package in it, by name; frozen migrations are left out."""
    root = next(name for name in FOLDERS if package == name or package.startswith(f"{name}."))
    found = {}
    for path in sorted(FOLDERS[root].rglob("*.py")):
        parts = path.relative_to(FOLDERS[root]).with_suffix("").parts
        name = ".".join([root, *(parts[:-1] if parts[-1] == "__init__" else parts)])
        if "versions" not in parts and (name == package or name.startswith(f"{package}.")):
            found[name] = path
    return found


def everywhere() -> dict[str, Path]:
    """The modules of all packages."""
    return {name: path for package in FOLDERS for name, path in modules(package).items()}


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[Import]:
    """What a module imports of ours: at once, for types only, in functions, or lazily by name."""
    known = everywhere()

    def walk(node: ast.AST, inside: bool) -> Iterator[tuple[str, int, bool]]:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in known else str(node.module)), node.lineno, inside
        elif isinstance(node, ast.Call) and _called(node) in ("Lazy", "import_module"):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, node.lineno, False
        deeper = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, deeper)

    for imported, line, inside in walk(tree(known[name]), False):
        if imported in known and imported != name:
            yield Import(name, imported, line, inside)


def _called(node: ast.Call) -> str:
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def imports_inside_functions(package: str) -> int:
    """How many import statements stand in functions, whatever they import."""
    count = 0
    for path in modules(package).values():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count += sum(
                    isinstance(one, ast.Import | ast.ImportFrom) and _nearest(node, one)
                    for one in ast.walk(node)
                )
    return count


def _nearest(function: ast.AST, statement: ast.AST) -> bool:
    """Whether a statement stands in this function and in none inside of it."""
    inner = (
        one
        for one in ast.walk(function)
        if one is not function and isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return not any(one is statement for function in inner for one in ast.walk(function))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """The functions of a file, each with its lines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = []
            while not component or component[-1] != node:
                component.append(stack.pop())
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found
