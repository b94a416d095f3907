"""python tests/architecture/report.py: circles, arrows upwards, long files and functions, inner imports."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from architecture.floors import FLOORS, upward
from architecture.source import FOLDERS, circles, functions, imports, imports_inside_functions, modules


def main() -> None:
    """Print what is left to do."""
    for package in FOLDERS:
        names = modules(package)
        print(f"== {package}: {imports_inside_functions(package)} imports inside functions")
        edges = {name: {one.imported for one in imports(name)} for name in names}
        for circle in circles(edges):
            print(f"  circle of {len(circle)}: {', '.join(circle)}")
            inside = {str(one) for name in circle for one in imports(name) if one.imported in circle}
            print("   ", "\n    ".join(sorted(inside)[:60]))
        for arrow in (one for inner in FLOORS if inner.startswith(package) for one in upward(inner)):
            print(f"  upward: {arrow}")
        for name, path in names.items():
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > 320:
                print(f"  {name}: {lines} lines")
            for function, length in functions(path):
                if length > 60:
                    print(f"  {name}.{function}: {length} lines")


if __name__ == "__main__":
    main()
