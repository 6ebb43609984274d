# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`wrong_selectors.py MODEL`: fovea-opt with selectors that are wrong; prints the exit code and the message of each."""

import contextlib
import io
import sys

from fovea.opt import main

WRONG = (
    "include=a(b", "exclude=name:", "exclude=kind:matmull", "exclude=position:3-1", "exclude=position:middle",
    "exclude=at::12", "include=policy:frist",
)  # fmt: skip
for wrong in WRONG:
    output = io.StringIO()
    with contextlib.redirect_stderr(output):
        code = main([sys.argv[1], f"--fovea-insert-captures={{{wrong}}}"])
    print(f"{code}: {output.getvalue().removeprefix('fovea-opt: error: ')}", end="")
