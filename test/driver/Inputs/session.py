# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`session.py TEST PREFIX`: runs the commands in the lines `# EXIT CODE: fovea ...` of a test, one after the other.

Prints each command and what it printed. Fails if one ends with another code or shows a traceback. All run in this one
process, because most of the time of a command that fails early is Python's import of the bindings. In a command, %t is
PREFIX and %S the folder of the test.
"""

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

from fovea.cli import main

COMMAND = re.compile(r"# EXIT (\d+): fovea(.*)")
test, prefix = sys.argv[1:]
failed = []
for match in filter(None, map(COMMAND.fullmatch, Path(test).read_text().splitlines())):
    arguments = shlex.split(match[2].replace("%t", prefix).replace("%S", str(Path(test).parent)))
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = main(arguments)
    text = output.getvalue()
    print(f"$ fovea {shlex.join(arguments)}\n{text}")
    if code != int(match[1]) or "Traceback" in text:
        failed.append(f"expected exit code {match[1]} and no traceback, found exit code {code}: {match[2]}")
sys.exit("\n".join(failed) or 0)
