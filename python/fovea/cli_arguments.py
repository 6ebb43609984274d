# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of `fovea`: its commands, their flags, and their help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from fovea.cli_arguments_emulator import EMULATOR_COMMANDS
from fovea.errors import UsageError

DESCRIPTION = """\
Compiles trained networks for AMD GPUs: FP8 everywhere except in attention.
Exit code: 0 success, 1 the input is wrong or the compilation failed, 2 the command itself is wrong."""

EMIT_CHOICES = ("package", "mlir", "llvm", "isa")
STDIN = STDOUT = "-"

_ON: dict[str, Any] = {"action": "store_true"}
_MANY: dict[str, Any] = {"action": "append", "default": [], "metavar": "FILE"}
_POLICY: dict[str, Any] = {"metavar": "CASE=DECISION,...", "default": ""}
_POLICY_HELP = ("what to do with attention where that is a choice: tag or ignore, by case; `fovea-opt --explain "
                "fovea-detect-attention` names where the cases are described")  # fmt: skip
Flag = tuple[tuple[str, ...], dict[str, Any], str]  # names, argparse's settings, help
Commands = dict[str, tuple[str, dict[str, list[Flag]]]]

# Command -> (what it does, heading -> flags).
COMMANDS: Commands = {
    "compile": ("compile a model to a package that `fovea run` and others can execute", {
        "input": [
            (("model",), {"metavar": "MODEL"}, "MLIR, linalg on tensors, text or bytecode; '-' is standard input"),
            (("--weights",), _MANY, "safetensors file behind fovea.weight arguments; may be repeated"),
            (("--calibration",), {**_MANY, "metavar": "DATA"},
             "npz file (one array an input, its first axis the batches), folder of npz files, or random[:N[:SEED]] (N "
             "batches of random numbers, to try things out); may be repeated"),
        ],
        "what to make of it": [
            (("--target",), {"metavar": "CHIP", "default": "gfx942"}, "chip to compile for (default: gfx942)"),
            (("--fp8",), {"action": argparse.BooleanOptionalAction, "default": True},
             "quantise contractions outside attention to FP8 (default: yes)"),
            (("--attention-policy",), _POLICY, _POLICY_HELP),
            (("--compute-type",), {"metavar": "TYPE", "default": "f16"},
             "f16 (default), bf16 or f32: type of what is not FP8"),
        ],
        "quantisation": [
            (("--storage",), {"metavar": "FORMAT", "default": "e4m3"},
             "e4m3 (default) or e5m2 in the target's form, or mxfp8: E4M3 with a power of two for each 32 values, "
             "computed at run time (gfx950)"),
            (("--weight-granularity",), {"metavar": "G", "default": "channel"},
             "scales of weights: one a tensor, one a channel (default), or one a block:K of the contracted dim, K a "
             "multiple of 64"),
            (("--activation-granularity",), {"metavar": "G", "default": "tensor"},
             "scales of activations: one a tensor (default; needs --calibration), or one a row, computed at run time"),
            (("--weight-rounding",), {"metavar": "HOW", "default": "nearest"},
             "nearest (default), or gptq: for the least error of each contraction's output on the calibration data"),
            (("--bias-correction",), _ON, "take off results what weight rounding adds to them on average"),
            (("--smooth",), {"metavar": "ALPHA", "type": float, "nargs": "?", "const": 0.5},
             "move outlier channels of activations into the weights they meet (SmoothQuant); ALPHA is 0 to 1, 0.5 if "
             "not given"),
            (("--calibration-mask",), {"metavar": "INPUT", "default": ""},
             "name of an input that is 0 at padding (an attention mask): calibration leaves those positions out"),
            (("--calibration-method",), {"metavar": "METHOD[:P]", "default": ""},
             "how a tensor's range follows from its values: max (default), percentile:P, mse or entropy"),
            (("--calibration-override",), {**_MANY, "metavar": "REGEX=METHOD[:P]"},
             "method of the tensors whose capture id this finds; may be repeated, the last that finds it counts"),
            (("--calibration-scheduler",), {"metavar": "ADDRESS|local:N", "default": ""},
             "calibrate on the workers of this Dask scheduler, or on N processes (default: in this process)"),
            (("--save-ranges",), {"metavar": "FILE", "default": ""}, "write the ranges found to FILE (JSON)"),
            (("--ranges",), {"metavar": "FILE", "default": ""}, "take the ranges from FILE instead of calibrating"),
            (("--quantize-attention",), _ON, "quantise contractions inside attention too; it is then not fused"),
            (("--exclude",), {**_MANY, "metavar": "SELECTOR"},
             "keep contractions out of FP8; may be repeated. SELECTOR: REGEX (searched in the names of location and "
             "weight), kind:KIND (matmul, conv, router, ...), at:FILE:LINE, position:first, position:N-M, or "
             "policy:NAME (a default exclusion: first, last, router, tiny, all)"),
            (("--include",), {**_MANY, "metavar": "SELECTOR"},
             "quantise contractions that are left out by default (first and last layer, routers, tiny ones); may be "
             "repeated; --exclude takes precedence"),
            (("--accuracy-budget",), {"metavar": "COSINE", "default": ""},
             "leave contractions out of FP8 until the outputs' mean cosine to the unquantised model is at least this "
             "(or sqnr:DECIBELS), on every second calibration batch; as much work as possible stays in FP8"),
        ],
        "output": [
            (("-o",), {"metavar": "OUT", "dest": "output"},
             "package to write (default: MODEL's name with .fovea, in the working directory); with another --emit a "
             "text file (default: standard output)"),
            (("--emit",), {"choices": EMIT_CHOICES, "default": "package"},
             "package (default); mlir: host code with gpu.binary and gpu.launch_func; llvm: the kernels as LLVM IR; "
             "isa: as assembly"),
            (("--report",), _ON, "also write report.html into the package (report.json is always there)"),
        ],
        "progress": [
            (("-q", "--quiet"), _ON, "only errors"),
            (("-v", "--verbose"), _ON, "remarks on each decision"),
            (("--timing",), _ON, "print the time that each pass took"),
            (("--print-ir-after-all",), _ON, "print the IR after each pass to standard error"),
        ],
        "tools": [
            (("--jobs",), {"metavar": "N", "type": int}, "processes that generate code (default: one a core)"),
            (("--lld",), {"metavar": "PATH"}, "ld.lld to link with (default: FOVEA_LLD, ROCm's, PATH's or ziglang's)"),
        ],
    }),
    "detect": ("find attention in a model, without compiling it", {
        "arguments": [
            (("model",), {"metavar": "MODEL"}, "MLIR, linalg on tensors, text or bytecode; '-' is standard input"),
            (("--json",), {"metavar": "FILE"}, "write JSON to FILE ('-': standard output) instead of printing a table"),
            (("--allow-unregistered-dialect",), _ON, "accept ops of dialects that are not known"),
            (("--attention-policy",), _POLICY, _POLICY_HELP),
        ],
    }),
    "run": ("run a package", {
        "arguments": [
            (("package",), {"metavar": "OUT.fovea"}, "package that `fovea compile` wrote"),
            (("--inputs",), {"metavar": "FILE", "required": True}, "npz file with one array an input"),
            (("--outputs",), {"metavar": "FILE", "required": True},
             "npz file to write: one array an output (bf16 and 8-bit floats as f32, which numpy can store)"),
            (("--device",), {"metavar": "DEVICE", "default": "emulator"}, "where to run it (default: emulator)"),
            (("--no-checks",), {"action": "store_false", "dest": "checks"},
             "leave out the emulator's checks of races and of uninitialised registers and LDS; faster"),
            (("-q", "--quiet"), _ON, "only errors"),
            (("-v", "--verbose"), _ON, "print what each launch executed"),
        ],
    }),
    "inspect": ("show the kernels of a package and what they use", {
        "arguments": [
            (("package",), {"metavar": "OUT.fovea"}, "package that `fovea compile` wrote"),
            (("--json",), _ON, "print JSON instead of a table"),
        ],
    }),
    **EMULATOR_COMMANDS,
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see '{self.prog} --help'")


def make_parser(commands: Commands | None = None) -> argparse.ArgumentParser:
    """The parser of the whole command line; its errors are UsageErrors. `command` of the result names the command."""
    parser = _Parser("fovea", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
                     allow_abbrev=False)  # fmt: skip
    parser.add_argument("--version", action="store_true", help="print the versions of Fovea, the bindings and LLVM")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, (text, headings) in (commands or COMMANDS).items():
        description = f"{text[0].upper()}{text[1:]}."
        command = subparsers.add_parser(name, help=text, description=description, allow_abbrev=False)
        for heading, flags in headings.items():
            group = command.add_argument_group(heading)
            for names, settings, help_text in flags:
                group.add_argument(*names, help=help_text.replace("%", "%%"), **settings)
    return parser


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as data; UsageError if it is wrong or names no command."""
    parser = make_parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        command = f" {arguments.command}" if arguments.command else ""
        raise UsageError(f"unrecognized arguments: {' '.join(unknown)}; see 'fovea{command} --help'")
    if arguments.command is None and not arguments.version:
        raise UsageError(f"expected a command: {', '.join(COMMANDS)}; see 'fovea --help'")
    return arguments
