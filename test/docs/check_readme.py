# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the README: code blocks behind a comment `<!-- $ COMMAND -->` hold lines of what the command prints, in order
(white space aside); `python` blocks run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- \$ (.*?) -->\n```\w*\n(.*?)```", re.DOTALL)


def printed(command: str, block: str, tool: list[str]) -> str:
    """What a command prints to standard output, from the project's top folder."""
    words = shlex.split(command)
    runner = [sys.executable, "-c", block] if words[0] == "python" else [*tool, *words[1:]]
    result = subprocess.run(runner, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if result.returncode:
        sys.exit(f"{command}: exit code {result.returncode}\n{result.stderr}")
    return result.stdout


def main() -> None:
    """`check_readme.py FOVEA-OPT...`: exit 1 naming the first line of the README that was not printed."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    if len(blocks) < 3:
        sys.exit(f"expected at least 3 checked blocks in the README, found {len(blocks)}")
    for command, block in blocks:
        output = " ".join(printed(command, block, sys.argv[1:]).split())
        if command == "python":
            print(output)
            continue
        position = 0
        for line in block.splitlines():
            wanted = " ".join(line.split())
            position = output.find(wanted, position)
            if position < 0:
                sys.exit(f"README: '{line.strip()}' is not what '{command}' prints")
            position += len(wanted)


if __name__ == "__main__":
    main()
