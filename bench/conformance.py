# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs kernels of other compilers on the emulator and compares their results with numpy.

    python bench/conformance.py [--chips gfx942,gfx1201] [--only WORD] [--compilers triton,iree] [--keep FOLDER]

Needs the packages of `bench/conformance-requirements.txt`; no GPU. Prints a line a kernel: wave instructions executed,
different mnemonics, seconds, largest error against its bound. The exit code is 1 if a kernel fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from conformance_cases import Case, Launch

from fovea.emulator import EmulationError, emulate
from fovea.emulator.chips import CHIPS
from fovea.errors import FoveaError


def cases(compilers: list[str], chip: str) -> Iterator[Case]:
    """The cases of the named compilers for one chip."""
    if "triton" in compilers:
        import conformance_triton

        yield from conformance_triton.cases(chip)
    if "iree" in compilers:
        import conformance_iree

        yield from conformance_iree.cases(chip)


def run(launch: Launch, checks: bool) -> tuple[int, set[str], float, float]:
    """(wave instructions, mnemonics, largest error, its bound); the kernel's own failure raises EmulationError."""
    statistics = emulate(
        launch.code, launch.kernel, launch.grid, launch.block, _with_hidden(launch), launch.dynamic_lds, checks
    )
    worst, bound = 0.0, 0.0
    for array, wanted, tolerance in launch.expected:
        found = array.astype(np.float64)
        difference = np.abs(found - np.asarray(wanted).astype(np.float64))
        error = float("inf") if not np.isfinite(difference).all() else float(difference.max())
        if error > tolerance or error >= worst:
            worst, bound = error, tolerance
        if error > tolerance:
            break
    return sum(statistics.instructions.values()), set(statistics.instructions), worst, bound


def _with_hidden(launch: Launch) -> list[object]:
    """The arguments, and null pointers for those that the compiler added (scratch areas that nothing uses)."""
    from fovea.codeobject import read_code_object

    kernel = read_code_object(launch.code).kernel(launch.kernel)
    visible = [a for a in kernel.arguments if not a.kind.startswith("hidden_")]
    missing = visible[len(launch.args) :]
    return [*launch.args, *(np.uint64(0) if a.size == 8 else np.uint32(0) for a in missing)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", default="gfx942,gfx950,gfx1100,gfx1201")
    parser.add_argument("--compilers", default="triton,iree")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--keep", type=Path, help="write the code objects into this folder")
    parser.add_argument("--no-checks", action="store_true", help="bounds only")
    options = parser.parse_args()
    failed = total = 0
    print(f"{'chip':8} {'compiler':8} {'kernel':26} {'instructions':>12} {'kinds':>5} {'seconds':>7}  result")
    for chip in options.chips.split(","):
        mnemonics: set[str] = set()
        for case in cases(options.compilers.split(","), chip):
            if options.only not in case.name:
                continue
            total += 1
            count, kinds, started = 0, set[str](), time.perf_counter()
            verdict = ""
            try:
                built = case.build(chip, CHIPS[chip].lanes)
                launches = built if isinstance(built, list) else [built]
                started = time.perf_counter()
                for number, launch in enumerate(launches):
                    if options.keep:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        name = f"{chip}-{case.compiler}-{case.name.replace(' ', '-')}-{number}.hsaco"
                        (options.keep / name).write_bytes(launch.code)
                    executed, names, error, bound = run(launch, not options.no_checks)
                    count, kinds = count + executed, kinds | names
                    if launch.expected:
                        verdict = f"{'ok' if error <= bound else 'MISMATCH'}: error {error:.3g}, bound {bound:.3g}"
            except EmulationError as problem:
                verdict = f"ERROR: {problem}"
            except FoveaError as problem:
                verdict = f"ERROR: {problem}"
            failed += not verdict.startswith("ok")
            mnemonics |= kinds
            seconds = time.perf_counter() - started
            print(
                f"{chip:8} {case.compiler:8} {case.name:26} {count:12,} {len(kinds):5} {seconds:7.2f}  {verdict}",
                flush=True,
            )
        print(f"{chip}: {len(mnemonics)} different mnemonics executed")
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
