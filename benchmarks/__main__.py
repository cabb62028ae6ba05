"""Every benchmark, one after the other, in short form; or one of them.

    python -m benchmarks                       all of them, short
    python -m benchmarks NAME [OPTIONS]        one, with its own options (`python -m benchmarks validation --rounds 9`)

A benchmark is a module of this package with a `main`; its docstring says what it measures and against whom.
"""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import benchmarks

FOLDER = Path(benchmarks.__file__).parent
SHORT = {
    "engine": ["--size", "200", "--latency", "0.02", "--database", "sqlite"],
    "first_sync": ["--size", "1000"],
    "validation": ["--short"],
    "lanes": ["--works", "200"],
    "reading": ["--first", "2000", "--nightly", "2000"],
    "preview": ["--few", "200", "--many", "2000"],
    "joining": ["--few", "500", "--many", "3000"],
    "peppol_receiving": ["--calls", "300", "--rounds", "1", "--database", "sqlite"],
    "peppol_sending": ["--size", "300", "--database", "sqlite"],
    "planning": ["--few", "300", "--many", "3000"],
}
"""What makes a benchmark short that is long by default."""


def names() -> dict[str, str]:
    """The benchmarks there are, each with the first line of its docstring. Nothing is imported for it."""
    found = {}
    for module in pkgutil.iter_modules([str(FOLDER)]):
        tree = ast.parse((FOLDER / f"{module.name}.py").read_text("utf-8"))
        is_one = any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)
        if is_one and module.name != "__main__":
            found[module.name] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def run(name: str, options: list[str]) -> int:
    """Run one in a process of its own, so that none warms or fills another's memory; its exit status."""
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 if any of them fails, 2 for a name that there is not."""
    known = names()
    if arguments:
        name, *options = arguments
        if name not in known:
            print(f"There is no benchmark {name}. There are: {', '.join(known)}.", file=sys.stderr)
            return 2
        return run(name, options)
    worst = 0
    for name, headline in known.items():
        print(f"\n=== {name}: {headline}\n", flush=True)
        worst = max(worst, int(run(name, SHORT.get(name, [])) != 0))
    return worst


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
