# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every check of the project: ruff, mypy, lit tests, numerics. Ends with a line `N passed, N failed` alone.

Exit code 0 only if nothing failed. A test that did not run (skipped, unsupported, unresolved) counts as failed.
The closing line is also written to BUILD/summary.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"dialect": ROOT / "dialect", "passes": ROOT / "passes"}  # subpackages of fovea kept outside python/fovea


@dataclass(frozen=True)
class Count:
    """Outcomes of one tool."""

    passed: int
    failed: int


def run(tool: str, *arguments: str | Path, **environment: str) -> int:
    """Run a tool of this environment; returns its exit code. environment: variables that are set for it."""
    command = [str(Path(sys.executable).parent / tool), *map(str, arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, stdin=subprocess.DEVNULL, cwd=ROOT, env=variables, check=False).returncode


def ruff(build: Path) -> Count:
    """Lint of the whole tree."""
    return _single(run("ruff", "check", "--no-cache", ROOT))


def mypy(build: Path) -> Count:
    """Types of the package, seen as one tree: mypy does not know setuptools' package_dir."""
    tree = build / "types" / "fovea"
    shutil.rmtree(tree.parent, ignore_errors=True)
    tree.mkdir(parents=True)
    for source in [*(ROOT / "python" / "fovea").iterdir(), *PACKAGES.values()]:
        if source.name != "__pycache__":
            (tree / source.name).symlink_to(source)
    return _single(run("mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", build / "mypy_cache", tree))


def lit(build: Path) -> Count:
    """Tests of the dialect, passes, tools."""
    results = build / "lit.json"
    results.unlink(missing_ok=True)
    code = run("lit", "-v", "-j", str(os.cpu_count() or 1), "-o", results, f"-Dbuild={build / 'lit'}",
               ROOT / "test")  # fmt: skip
    if not results.exists():
        return Count(0, 1)
    outcomes = [test["code"] for test in json.loads(results.read_text())["tests"]]
    passed = outcomes.count("PASS")
    return _consistent(Count(passed, len(outcomes) - passed), code)


def numerics(build: Path) -> Count:
    """Tests of numerics and of code generation's processes, run by pytest: a process a core, a file in one of them."""
    results = build / "pytest.xml"
    results.unlink(missing_ok=True)
    folders = (ROOT / "test" / "numerics", ROOT / "test" / "codegen")
    # In the order of the files: by the number of tests, the longest file would come last, and alone. Each process
    # computes on its own core; threads of BLAS on top of that would wait for each other.
    code = run("pytest", *folders, f"--junit-xml={results}", "-p", "no:cacheprovider", "-n", str(os.cpu_count() or 1),
               "--dist", "loadscope", "--no-loadscope-reorder", OPENBLAS_NUM_THREADS="1")  # fmt: skip
    if not results.exists():
        return Count(0, 1)
    suites = list(ElementTree.parse(results).getroot().iter("testsuite"))
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    failed = sum(int(suite.get(kind, 0)) for suite in suites for kind in ("failures", "errors", "skipped"))
    return _consistent(Count(total - failed, failed), code)


def _single(code: int) -> Count:
    return Count(1, 0) if code == 0 else Count(0, 1)


def _consistent(count: Count, code: int) -> Count:
    """A tool that failed as a whole, or found no tests, is a failure even if no test of it is."""
    return Count(count.passed, max(count.failed, 1)) if code or not count.passed else count


CHECKS: dict[str, Callable[[Path], Count]] = {"ruff": ruff, "mypy": mypy, "lit": lit, "numerics": numerics}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "check", help="where results and caches go")
    parser.add_argument("checks", nargs="*", choices=[*CHECKS, []], help="default: all")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    build.mkdir(parents=True, exist_ok=True)
    summary = build / "summary.txt"
    summary.unlink(missing_ok=True)
    counts = []
    for name in arguments.checks or CHECKS:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        count = CHECKS[name](build)
        print(f"== {name}: {count.passed} passed, {count.failed} failed, {time.monotonic() - start:.0f} s", flush=True)
        counts.append(count)
    failed = sum(count.failed for count in counts)
    line = f"{sum(count.passed for count in counts)} passed, {failed} failed"
    summary.write_text(f"{line}\n")
    print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
