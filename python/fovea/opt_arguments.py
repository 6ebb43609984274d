# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line of `fovea-opt`: its flags, its pass shorthands, and its help."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from fovea.errors import UsageError
from fovea.passes import registry
from fovea.pipeline_text import Step, option_types, parse_element, pass_class, type_text

DESCRIPTION = """\
Runs passes on MLIR: Fovea's own, written in Python, and every pass of the MLIR it is installed with.
The IR goes to standard output, diagnostics go to standard error. Exit code: 0 success, 1 the input or a pass failed,
2 the command itself is wrong."""

_ON: dict[str, Any] = {"action": "store_true"}
# Heading -> (flags, argparse's settings, help).
FLAGS: dict[str, list[tuple[tuple[str, ...], dict[str, Any], str]]] = {
    "input and output": [
        (("-o",), {"metavar": "FILE", "dest": "output", "default": "-"}, "write the IR here (default: stdout)"),
        (("--emit-bytecode",), _ON, "write bytecode instead of text"),
        (("--split-input-file",), _ON, "treat each part between lines '// -----' as a module of its own"),
        (("--allow-unregistered-dialect",), _ON, "accept ops of dialects that are not loaded"),
        (("--verify-diagnostics",), _ON, "check diagnostics against 'expected-error @below {{...}}' comments"),
    ],
    "passes": [
        (("--pass-pipeline",), {"metavar": "TEXT"}, "what to run: 'builtin.module(a,b{option=value},func.func(c))'"),
        (("--target",), {"metavar": "CHIP"}, "chip to compile for (default: gfx942)"),
        (("--weights",), {"metavar": "FILE", "action": "append", "default": []},
         "safetensors file behind fovea.weight arguments; may be repeated"),
        (("--verify-each",), {"action": argparse.BooleanOptionalAction, "default": True},
         "verify the IR after each pass (default: yes)"),
        (("--list-passes",), _ON, "list Fovea's passes and stop"),
        (("--explain",), {"metavar": "PASS"}, "print the documentation of one of Fovea's passes and stop"),
        (("--dump-pass-pipeline",), _ON, "print the pipeline, with every option, to standard error"),
    ],
    "printing IR": [
        (("--mlir-print-ir-before",), {"metavar": "PASS", "action": "append", "default": []}, "before this pass"),
        (("--mlir-print-ir-after",), {"metavar": "PASS", "action": "append", "default": []}, "after this pass"),
        (("--mlir-print-ir-before-all",), _ON, "before every pass"),
        (("--mlir-print-ir-after-all",), _ON, "after every pass"),
        (("--mlir-print-ir-after-change",), _ON, "after each pass that changed the module"),
        (("--mlir-print-ir-after-failure",), _ON, "after a pass that failed"),
        (("--mlir-print-ir-tree-dir",), {"metavar": "DIR"}, "print to files under DIR instead of to standard error"),
        (("--mlir-print-op-generic",), _ON, "write every op in its generic form"),
        (("--mlir-print-debuginfo",), _ON, "write locations"),
        (("--mlir-elide-elementsattrs-if-larger",), {"metavar": "N", "type": int},
         "do not spell out elements attributes of more than N elements"),
    ],
    "finding faults": [
        (("--mlir-timing",), _ON, "print the time that each pass took"),
        (("--mlir-pass-pipeline-crash-reproducer",), {"metavar": "FILE"},
         "if a pass fails, write the input and the pipeline here; while it runs they are in FILE.running"),
        (("--run-reproducer",), _ON, "the input is a reproducer: run the pipeline in it"),
        (("--version",), _ON, "print the versions of Fovea, the bindings and LLVM, and stop"),
        (("-h", "--help"), _ON, "print this and stop"),
    ],
}  # fmt: skip

_SHORTHAND = re.compile(r"--?([A-Za-z][\w.-]*?)(?:=?\{(.*)\}|=(.*))?", re.DOTALL)


@dataclass
class Arguments:
    """A parsed command line. `flags` has argparse's names; `steps` are the passes given as flags, in order."""

    flags: argparse.Namespace
    steps: list[Step] = field(default_factory=list)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see 'fovea-opt --help'")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("fovea-opt", usage="fovea-opt [FILE] [flags] [passes]", description=DESCRIPTION, add_help=False,
                     allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("input", nargs="?", default="-", metavar="FILE",
                        help="MLIR, text or bytecode; '-' (the default) is standard input")  # fmt: skip
    for heading, rows in FLAGS.items():
        group = parser.add_argument_group(heading)
        for names, settings, text in rows:
            group.add_argument(*names, help=text.replace("%", "%%"), **settings)
    return parser


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """The command line as data; UsageError if it is wrong.

    A flag that is not in FLAGS is a pass: `--fovea-NAME`, `--fovea-NAME={option=value}`, `--cse`, ...
    """
    kinds = {name: settings for rows in FLAGS.values() for names, settings, _ in rows for name in names}
    ordinary: list[str] = []
    shorthands: list[str] = []
    for argument in argv:
        name, _, value = argument.partition("=")
        name = f"-{name}" if name not in kinds and f"-{name}" in kinds else name
        if name in kinds or name == "--no-verify-each":
            ordinary += _spelled_out(name, value, "=" in argument, kinds)
        elif argument.startswith("-") and not argument.startswith("-o") and argument != "-":
            shorthands.append(argument)
        else:
            ordinary.append(argument)
    flags = _parser().parse_args(ordinary)
    if shorthands and flags.pass_pipeline is not None:
        raise UsageError(f"--pass-pipeline cannot be combined with a pass given as a flag ({shorthands[0]})")
    return Arguments(flags, [_shorthand(text) for text in shorthands])


def closest_flag(name: str) -> str | None:
    """The flag or pass of Fovea whose spelling is nearest to `--name`, None if nothing is near."""
    known = [flag for rows in FLAGS.values() for names, _, _ in rows for flag in names]
    known += [f"--{own}" for own in registry.names()]
    return next(iter(difflib.get_close_matches(f"--{name}", known, 1, 0.7)), None)


def _spelled_out(name: str, value: str, has_value: bool, kinds: dict[str, dict[str, Any]]) -> list[str]:
    """`--flag=false` of a flag that takes no value, as LLVM's tools accept it; any other flag unchanged."""
    action = kinds.get(name, {}).get("action")
    if not has_value or action not in ("store_true", argparse.BooleanOptionalAction):
        return [f"{name}={value}" if has_value else name]
    if value.lower() not in ("true", "false", "1", "0"):
        raise UsageError(f"{name}: expected true or false, found '{value}'")
    if value.lower() in ("true", "1"):
        return [name]
    return ["--no-verify-each"] if action is argparse.BooleanOptionalAction else []


def _shorthand(text: str) -> Step:
    match = _SHORTHAND.fullmatch(text)
    if match is None:
        raise UsageError(f"unknown flag '{text}'; see 'fovea-opt --help'")
    name = match[1]
    return parse_element(name, match[2] or match[3] or "")


def help_text() -> str:
    """The flags, then each pass with the first paragraph of its docstring and its options."""
    passes = "\n".join(_summary(name, with_options=True) for name in registry.names())
    return (
        f"{_parser().format_help()}\nFovea's passes (--NAME or --NAME={{option=value ...}}; --explain=NAME for more):\n"
        f"{passes}\nMLIR's passes: --NAME, or in --pass-pipeline.\n"
    )


def list_passes() -> str:
    """One line a pass."""
    return "".join(_summary(name, with_options=False) for name in registry.names())


def explain(name: str) -> str:
    """The whole docstring of a pass, with its options."""
    cls = pass_class(name)
    return f"{name}\n\n{inspect.getdoc(cls)}\n\n{_options(cls)}".rstrip() + "\n"


def _summary(name: str, with_options: bool) -> str:
    try:
        cls = pass_class(name)
    except UsageError as error:
        return f"  {name:<26} {error}\n"
    paragraph = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return f"  {name:<26} {paragraph}\n{_options(cls) if with_options else ''}"


def _options(cls: type) -> str:
    kinds = option_types(cls)
    rows = []
    for option in dataclasses.fields(cls):  # type: ignore[arg-type]
        if not option.init:
            continue
        default = "" if option.default is dataclasses.MISSING else f" (default: {option.default})"
        text = option.metadata.get("help", "")
        rows.append(f"      {option.name}={type_text(kinds[option.name])}{default}{'  ' + text if text else ''}\n")
    return "".join(rows)
