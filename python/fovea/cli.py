# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`fovea`: compiles, runs and inspects models. `fovea --help` documents it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fovea.cli_arguments import parse_arguments
from fovea.tool import run_tool


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; returns its exit code (0 success, 1 the input or the compilation failed, 2 wrong usage)."""
    arguments = list(sys.argv[1:] if argv is None else argv)

    def body() -> int:
        flags = parse_arguments(arguments)
        if flags.version:
            from fovea.version import version_text

            print(version_text(), end="")
            return 0
        # Imported here because each imports the bindings, whose absence is an error for a person too.
        if flags.command == "compile":
            from fovea.cli_compile import compile_command

            return compile_command(flags)
        if flags.command == "run":
            from fovea.cli_run import run_command

            return run_command(flags)
        if flags.command == "detect":
            from fovea.cli_detect import detect_command

            return detect_command(flags)
        if flags.command == "emulate":
            from fovea.cli_emulate import emulate_command

            return emulate_command(flags)
        if flags.command == "profile":
            from fovea.cli_profile import profile_command

            return profile_command(flags)
        if flags.command == "compare":
            from fovea.cli_compare import compare_command

            return compare_command(flags)
        from fovea.cli_inspect import inspect_command

        return inspect_command(flags)

    return run_tool("fovea", body)


if __name__ == "__main__":
    sys.exit(main())
