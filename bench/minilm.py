# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Static figures of MiniLM-L6 at 8 x 128 for gfx942, beside those of IREE 3.13 for the same model.

    python bench/minilm.py        (in the environment of the demo; nothing here is a speed on hardware)

IREE's figures (f32, no FP8): 71 dispatches, 15 executables, 18,888,704 transient bytes, 75,664 bytes of code object,
8.7 s to compile on a machine of 2 cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "minilm"))

from builds import BUILDS, compile_build, package_of  # noqa: E402
from model_files import prepare  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from fovea.package import load_package  # noqa: E402
from fovea.resources import kernel_resources  # noqa: E402

IREE = {"launches": 71, "code objects": 15, "arena": 18_888_704, "code": 75_664, "seconds": 8.7}


def main() -> None:
    """Compile the builds and print the table."""
    columns = ("build", "launches", "code objects", "arena bytes", "/ IREE", "code-object bytes", "/ IREE", "compile s")
    table = Table(*columns)
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        prepare(work)
        for build in BUILDS:
            start = time.perf_counter()
            compile_build(build, work, quiet=True)
            seconds = time.perf_counter() - start
            package = load_package(package_of(build, work))
            code = sum(len(o) for o in package.code_objects.values())
            spills = sum(kernel.spills for kernel in kernel_resources(package.plan, package.code_objects))
            table.add_row(
                build.title, str(len(package.plan.launches)), str(len(package.code_objects)),
                f"{package.plan.arena_bytes:,}", f"{package.plan.arena_bytes / IREE['arena']:.2f}", f"{code:,}",
                f"{code / IREE['code']:.2f}", f"{seconds:.1f}" + (f", {spills} spills" if spills else ""),
            )  # fmt: skip
    table.add_row("IREE 3.13, f32", str(IREE["launches"]), str(IREE["code objects"]), f"{IREE['arena']:,}", "1.00",
                  f"{IREE['code']:,}", "1.00", str(IREE["seconds"]))  # fmt: skip
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
