# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What MiniLM-L6 at 8 x 128 could reach on MI300X by the model of `fovea profile`, and what profiling costs.

    python bench/minilm_profile.py        (in the environment of the demo)

Times are modelled, not measured: see python/fovea/profile/model.py. The last two columns are CPU seconds of the
emulator without and with the counts that only profiles need.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "minilm"))

from builds import BUILDS, compile_build, package_of  # noqa: E402
from model_files import CALIBRATION_FILE, prepare  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from fovea import runtime  # noqa: E402
from fovea.package import load_package  # noqa: E402
from fovea.profile import profile_package  # noqa: E402


def main() -> None:
    """Compile the builds, profile each on the first batch, and print the table."""
    table = Table("build", "modelled", "bound by", "matrix at most", "asked / least bytes", "128 B lines / least",
                  "conflict cycles", "plain CPU s", "profiled CPU s")  # fmt: skip
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        prepare(work)
        batch = {name: stack[0] for name, stack in np.load(work / CALIBRATION_FILE).items()}
        for build in BUILDS:
            compile_build(build, work, quiet=True)
            package = load_package(package_of(build, work))
            runtime.run(package, batch)  # decodes the programs, so that this is in neither time
            started = time.process_time()
            runtime.run(package, batch)
            plain = time.process_time() - started
            total = profile_package(package, batch)[0].total
            profiled = time.process_time() - started - plain
            counted = total.statistics
            table.add_row(
                build.title, f"{total.seconds * 1e6:.1f} µs", total.bound_by, f"{total.matrix_utilisation:.1%}",
                f"{total.asked_bytes / total.least_bytes:.2f}", f"{counted.lines_128 / counted.lines_128_least:.2f}",
                f"{counted.lds_bank_conflict_cycles:,}", f"{plain:.1f}", f"{profiled:.1f}",
            )  # fmt: skip
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
