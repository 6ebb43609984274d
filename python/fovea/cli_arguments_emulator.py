# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Flags of the commands that look into kernels with the emulator: `emulate` and `profile`."""

from __future__ import annotations

from typing import Any

_ON: dict[str, Any] = {"action": "store_true"}

EMULATOR_COMMANDS: dict[str, tuple[str, dict[str, list[tuple[tuple[str, ...], dict[str, Any], str]]]]] = {
    "emulate": ("run one kernel of a code object on the emulator", {
        "kernel": [
            (("code_object",), {"metavar": "FILE.hsaco"}, "code object"),
            (("--kernel",), {"metavar": "NAME"}, "which of its kernels (default: the only one)"),
            (("--assembly",), {"metavar": "FILE.s"}, "the backend's text of the kernel, instead of disassembling it"),
        ],
        "launch": [
            (("--grid",), {"metavar": "X,Y,Z", "default": "1,1,1"}, "workgroups (default: 1,1,1)"),
            (("--block",), {"metavar": "X,Y,Z"},
             "work-items of a workgroup (default: what the kernel was compiled for, else 64,1,1)"),
            (("--args",), {"metavar": "ARG", "nargs": "*", "default": []},
             "arguments in order: FILE.npz:NAME, zeros:TYPE:SHAPE and random:TYPE:SHAPE[:SEED] are buffers (a shape as "
             "in 64x64), TYPE:VALUE is a value, ptr:null a null pointer"),
            (("--dynamic-lds",), {"metavar": "BYTES", "type": int, "default": 0}, "LDS beyond what the kernel has"),
            (("--no-checks",), {"action": "store_false", "dest": "checks"},
             "check only bounds: races, uninitialised data and bank conflicts are not looked for; faster"),
        ],
        "output": [
            (("--save",), {"metavar": "NPZ"},
             "write the buffers as they are afterwards: arg0, arg1, ... by position (bf16 and 8-bit floats as f32)"),
            (("--json",), _ON, "print the statistics as JSON"),
        ],
    }),
    "profile": ("run a package on the emulator and model what its kernels could reach on the chip", {
        "arguments": [
            (("package",), {"metavar": "OUT.fovea"}, "package that `fovea compile` wrote"),
            (("--inputs",), {"metavar": "FILE", "required": True}, "npz file with one array an input"),
            (("-o", "--outputs"), {"metavar": "FILE"}, "also write the outputs, as `fovea run` does"),
            (("--json",), {"metavar": "FILE"}, "write the profile as JSON; '-': to standard output, without tables"),
            (("--html",), {"metavar": "FILE"}, "write it as a page with a roofline chart"),
            (("-q", "--quiet"), _ON, "no progress"),
        ],
    }),
}  # fmt: skip
"""Command -> (what it does, heading -> flags), as in `cli_arguments`."""
