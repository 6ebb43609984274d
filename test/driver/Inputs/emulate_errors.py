# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`emulate_errors.py FILE.hsaco INPUTS.npz FOLDER`: prints the exit code and the message of wrong commands.

Fails where a command succeeds, prints more than its one line, or prints anything to standard output.
"""

import contextlib
import io
import sys
from pathlib import Path

import numpy as np

from fovea.cli import main

code, inputs, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
folder.mkdir(exist_ok=True)
(folder / "cut.hsaco").write_bytes(Path(code).read_bytes()[:700])
(folder / "empty.s").write_text("nothing:\n")
np.savez(folder / "words.npz", a=np.array(["one", "two"]))
null = ["ptr:null"] * 4
COMMANDS = [
    [], [f"{folder}/missing.hsaco"], [inputs], [f"{folder}/cut.hsaco"], [code, "--kernel", "other"],
    [code, "--grid", "0"], [code, "--grid", "1,2,3,4"], [code, "--block=-64"], [code, "--block", "64", "--args", *null],
    [code, "--dynamic-lds", "q"], [code, "--dynamic-lds", "-1"], [code, "--dynamic-lds", "65536", "--args", *null],
    [code, "--args", "i32:5"], [code, "--args", "i32:5", *null[1:]], [code, "--args", *null],
    *([code, "--args", *words] for words in (
        ["x"], ["ptr:null", "f99:3"], ["i32:5000000000"], ["i1:2"], ["f32:half"], ["ptr:16"], ["zeros:f32"],
        ["random:q:4"], ["zeros:f32:4x"], ["zeros:f32:99999x99999"], ["random:f32:4:-1"], [f"{folder}/missing.npz:x"],
        [f"{inputs}:y"], [f"{folder}/words.npz:a"],
    )),
    [code, "--assembly", f"{folder}/missing.s"], [code, "--assembly", code],
    [code, "--assembly", f"{folder}/empty.s", "--args", *null], [code, "--save", f"{folder}/missing/out.npz"],
    [code, "--bogus"],
]  # fmt: skip
for command in COMMANDS:
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        result = main(["emulate", *command])
    lines = error.getvalue().splitlines()
    if result == 0 or len(lines) != 1 or out.getvalue() or not lines[0].startswith("fovea: error: "):
        sys.exit(f"{command}: exit code {result}, printed {out.getvalue()!r} and {error.getvalue()!r}")
    print(f"{result}: {lines[0].removeprefix('fovea: error: ')}")
