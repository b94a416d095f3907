"""Writes the generated parts of the documentation from the registries they document.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`. Without an argument the parts are written
anew; with `--check` nothing is written, and the exit code is 1 if a part is out of date; `--demo` also runs
the demo and keeps its figure and its output (a minute).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from parts import PARTS, ROOT

DOCS = ROOT / "docs"
PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.S)


def demo() -> str:
    """Run the demo for its figure and its table."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "examples" / "audiogram_demo.py"), "--out", "demo"]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
        (DOCS / "images" / "audiogram.png").write_bytes(
            (Path(folder) / "demo" / "audiogram.png").read_bytes()
        )
    lines = [re.sub(r"port \d+", "port 41287", line.rstrip()) for line in said.splitlines()]
    return "```text\n" + "\n".join(lines) + "\n```"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--demo", action="store_true")
    given = parser.parse_args()
    parts = {**PARTS, "demo": demo} if given.demo else PARTS
    stale, used = [], set()
    for page in [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"]:
        text = page.read_text("utf-8")
        used |= {name for _, name, _ in PART.findall(text)}

        def part(match: re.Match[str]) -> str:
            if match[2] == "demo" and "demo" not in parts:
                return match[0]
            return f"{match[1]}{parts[match[2]]()}\n{match[3]}"

        new = PART.sub(part, text)
        if new != text:
            stale.append(page.relative_to(ROOT))
            if not given.check:
                page.write_text(new, encoding="utf-8")
    unused = [name for name in PARTS if name not in used]
    for page in stale:
        print(f"{page}: {'is out of date; run make docs' if given.check else 'written'}")
    for name in unused:
        print(f"{name}: stands on no page")
    return int(bool(unused) or (given.check and bool(stale)))


if __name__ == "__main__":
    sys.exit(main())
