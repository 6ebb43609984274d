# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The outermost frame of a command-line tool: exceptions become messages and exit codes, never tracebacks."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from fovea.errors import FoveaError, InternalError

TRACEBACK_VARIABLE = "FOVEA_TRACEBACK"
INTERRUPTED = 130  # 128 + SIGINT, what shells expect


def run_tool(name: str, body: Callable[[], int]) -> int:
    """Call `body` and return its exit code; print what it raises as `NAME: error: ...` and return that code.

    With `FOVEA_TRACEBACK=1` in the environment the Python traceback is printed too.
    """
    try:
        code = body()
        sys.stdout.flush()
        return code
    except FoveaError as error:
        _print_traceback()
        hint = ""
        if isinstance(error, InternalError):
            hint = f"\nThis is a defect of Fovea: please report it, with what {TRACEBACK_VARIABLE}=1 prints."
        print(f"{name}: error: {error}{hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output is gone (`| head`). Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        _print_traceback()
        print(
            f"{name}: internal error: {type(error).__name__}: {error}\n"
            f"This is a defect of Fovea: please report it, with what {TRACEBACK_VARIABLE}=1 prints.",
            file=sys.stderr,
        )
        return 1


def _print_traceback() -> None:
    if os.environ.get(TRACEBACK_VARIABLE, "0") not in ("", "0"):
        traceback.print_exc()
