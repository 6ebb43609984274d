# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions of a kernel from an installed `llvm-objdump`, for chips that the built-in disassembler does not know."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from fovea.emulator.errors import EmulationError

ATTRIBUTES = dict.fromkeys(("gfx1100", "gfx1200", "gfx1201"), "+real-true16")
"""Chip to the `--mattr` that its code objects need."""
_LINE = re.compile(r"^\s+(?P<text>\S.*?)\s*// (?P<address>[0-9A-F]+): (?P<words>[0-9A-F ]+?)(?: <.*>)?$")
_BRANCH = re.compile(r"^(s_c?branch\w*|s_call\w*) ")


@functools.cache
def find_objdump() -> str | None:
    """The newest `llvm-objdump` of the search path that has AMD GPU support (versioned names count), or None."""
    names: dict[str, int] = {}
    for folder in os.get_exec_path():
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        for entry in entries:
            match = re.fullmatch(r"llvm-objdump(?:-(\d+))?", entry)
            path = shutil.which(os.path.join(folder, entry)) if match else None
            if match and path is not None:
                names.setdefault(path, int(match.group(1) or 0))
    for path in sorted(names, key=lambda name: -names[name]):
        shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        if "amdgcn" in shown:
            return path
    return None


def disassemble_object(image: bytes, kernel: str, chip: str) -> list[tuple[int, str]]:
    """(address in the file's image, text) of every instruction of `kernel`; branch offsets stay numbers.

    Raises EmulationError if no disassembler is installed, it fails, or an instruction does not decode.
    """
    tool = find_objdump()
    if tool is None:
        raise EmulationError(
            f"kernel {kernel}: {chip} code needs LLVM's disassembler, and no llvm-objdump with AMD GPU support is in "
            "PATH: install one of the release that built the code object, or pass the backend's text as `assembly`"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernel.hsaco"
        path.write_bytes(image)
        command = [tool, "-d", f"--mcpu={chip}", f"--disassemble-symbols={kernel}", str(path)]
        if chip in ATTRIBUTES:
            command.append(f"--mattr={ATTRIBUTES[chip]}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmulationError(f"kernel {kernel}: {tool} failed: {done.stderr.strip()[-500:]}")
    lines: list[tuple[int, str]] = []
    for raw in done.stdout.splitlines():
        match = _LINE.match(raw)
        if match is None or match["text"].startswith("."):
            if raw.startswith(("\t", "  ")):
                raise EmulationError(f"kernel {kernel}: {tool} cannot decode an instruction of {chip}: {raw.strip()}")
            continue
        text, address, words = match["text"], int(match["address"], 16), match["words"].split()
        branch = _BRANCH.match(text)
        if branch is not None:
            # The operand may be printed as a symbol: take the offset from the instruction's low half.
            head, _, _ = text.rpartition(" ")
            text = f"{head} {int(words[0], 16) & 0xFFFF}"
        lines.append((address, text))
    if not lines:
        raise EmulationError(f"kernel {kernel}: {tool} found no instruction of it")
    return lines
