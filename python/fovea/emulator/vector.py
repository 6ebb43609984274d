# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector instructions: the row type of the tables and how a row and a line become one closure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.emulator.dpp import with_dpp
from fovea.emulator.errors import DecodeError
from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Getter, Step, Writer, flush
from fovea.emulator.text import Operand

_KNOWN_MODIFIERS = {
    "op_sel", "op_sel_hi", "neg_lo", "neg_hi", "clamp", "mul", "div", "dst_sel", "dst_unused", "src0_sel", "src1_sel",
    "quad_perm", "row_shl", "row_shr", "row_ror", "row_mirror", "row_half_mirror", "row_bcast", "row_newbcast",
    "row_share", "row_xmask", "dpp8", "fi",
    "wave_shl", "wave_shr", "wave_rol", "wave_ror", "row_mask", "bank_mask", "bound_ctrl",
}  # fmt: skip
_VCC, _VCC_LOW = Operand("s", 106, 2, text="vcc"), Operand("s", 106, 1, text="vcc_lo")


@dataclass(frozen=True)
class Row:
    """A vector instruction: result kinds, source kinds, and the function from sources to result (or results).

    `accumulate`: the destination is also the last source. `implicit_vcc`: VCC is the last source and not written in
    the text. `integer_clamp`: the function to use when `clamp` is set on an integer instruction.
    """

    name: str
    results: tuple[str, ...]
    sources: tuple[str, ...]
    function: Callable[..., Any]
    accumulate: bool = False
    implicit_vcc: bool = False
    integer_clamp: Callable[..., Any] | None = None
    issue: str = "valu"


def rows(text: str, function: Callable[..., Any], **options: Any) -> list[Row]:
    """Rows from `"name: result[,result] <- source source"`, one function for all lines."""
    made = []
    for line in text.strip().splitlines():
        name, _, signature = line.partition(":")
        results, _, sources = signature.partition("<-")
        made.append(
            Row(name.strip(), tuple(results.replace(",", " ").split()), tuple(sources.split()), function, **options)
        )
    return made


def compile_row(row: Row, build: Build) -> Step:
    """Closure that executes one vector instruction on a group."""
    line = build.line
    unknown = set(line.modifiers) - _KNOWN_MODIFIERS
    if unknown:
        raise DecodeError(f"modifier {', '.join(sorted(unknown))} is not supported on {row.name}")
    operands = list(line.operands)
    explicit = len(row.sources) - row.accumulate - row.implicit_vcc
    expected = len(row.results) + explicit
    if len(operands) != expected:
        raise DecodeError(f"{row.name} has {expected} operands, found {len(operands)}")
    results, sources = operands[: len(row.results)], operands[len(row.results) :]
    if row.accumulate:
        sources.append(results[0])
    if row.implicit_vcc:
        sources.append(_VCC if build.chip.lanes == 64 else _VCC_LOW)
    getters = [build.source(s, kind, i) for i, (s, kind) in enumerate(zip(sources, row.sources, strict=True))]
    writers = [build.destination(r, kind) for r, kind in zip(results, row.results, strict=True)]
    function, direct = _with_output_modifiers(row, build)
    inner: list[Getter] = list(getters)
    dpp = line.encoding.endswith("dpp")
    if dpp:
        inner[0] = lambda g: permuted(g)
    permuted: Getter
    step = _step(row, build, results, inner, writers, function, direct)
    if dpp:
        permuted, step = with_dpp(line, build.chip.lanes, getters[0], step)
        build.shuffled = True
    return step


def _with_output_modifiers(row: Row, build: Build) -> tuple[Callable[..., Any], bool]:
    """The row's function with clamp, omod and flushing applied; True if it may write its destination directly."""
    line, kind, function = build.line, row.results[0], row.function
    changes: list[Callable[[Any], Any]] = []
    floating = "f" in kind
    several = len(row.results) > 1
    factor = {"mul:2": 2.0, "mul:4": 4.0, "div:2": 0.5}
    for name in ("mul", "div"):
        if name in line.modifiers:
            scale = factor.get(f"{name}:{line.modifiers[name]}")
            if scale is None or not floating:
                raise DecodeError(f"output modifier {name}:{line.modifiers[name]} is not supported on {row.name}")
            changes.append(_scaled(scale))
    if "clamp" in line.modifiers:
        if floating:
            changes.append(lambda x: np.nan_to_num(np.clip(x, 0, 1), copy=False, nan=0.0))
        elif row.integer_clamp is not None:
            function = row.integer_clamp
        else:
            raise DecodeError(f"clamp is not supported on {row.name}")
    if build.flushes(kind):
        changes.append(flush)
    if not changes:
        return function, isinstance(function, np.ufunc)

    def changed(*args: Any) -> Any:
        value = function(*args)
        # Of several results the modifiers act on the first: the others are masks.
        first, rest = (value[0], value[1:]) if several else (value, ())
        for change in changes:
            first = change(first)
        return (first, *rest) if several else first

    return changed, False


def _scaled(factor: float) -> Callable[[Any], Any]:
    return lambda x: x * x.dtype.type(factor)


def _step(
    row: Row,
    build: Build,
    results: list[Operand],
    getters: list[Getter],
    writers: list[Writer],
    function: Callable[..., Any],
    direct: bool,
) -> Step:
    if len(writers) > 1:

        def many(g: Group) -> None:
            for write, value in zip(writers, function(*[get(g) for get in getters]), strict=True):
                write(g, value)

        return many
    write = writers[0]
    plane = {"u32": "u32", "i32": "i32", "f32": "f32"}.get(row.results[0])
    if not direct or plane is None or build.line.encoding == "sdwa":
        if len(getters) == 2:
            first, second = getters
            return lambda g: write(g, function(first(g), second(g)))
        return lambda g: write(g, function(*[get(g) for get in getters]))
    target = results[0].index + (build.agpr_base if results[0].kind == "a" else 0)
    attribute: str = plane

    if len(getters) == 2:
        first, second = getters

        def two(g: Group) -> None:
            if g.full:
                function(first(g), second(g), out=getattr(g, attribute)[target], casting="unsafe")
            else:
                function(
                    first(g), second(g), out=getattr(g, attribute)[target], where=g.mask, casting="unsafe"
                )

        return two

    def direct_step(g: Group) -> None:
        write(g, function(*[get(g) for get in getters]))

    return direct_step
