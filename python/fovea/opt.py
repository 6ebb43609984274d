# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea-opt`: runs passes on MLIR text or bytecode. `fovea-opt --help` documents it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fovea.tool import run_tool


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit code (0 success, 1 the input or a pass failed, 2 wrong usage)."""
    arguments = list(sys.argv[1:] if argv is None else argv)

    def body() -> int:
        from fovea.opt_run import run  # imports the bindings, whose absence is an error for a person too

        return run(arguments)

    return run_tool("fovea-opt", body)


if __name__ == "__main__":
    sys.exit(main())
