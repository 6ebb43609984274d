# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions that move values between lanes and scalar registers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fovea.emulator.group import Group
from fovea.emulator.operands import Build, Step, put
from fovea.emulator.salu import scalar_destination, scalar_source

Array = np.ndarray[Any, Any]


def read_first_lane(build: Build) -> Step:
    """v_readfirstlane_b32: the lowest active lane (lane 0 if none)."""
    write = scalar_destination(build, build.line.operands[0], 1)
    row = build.vector(build.line.operands[1], 1)

    def step(g: Group) -> None:
        if g.full:
            write(g, g.u32[row][:, 0].copy())
        else:
            write(g, g.u32[row][np.arange(g.count), g.mask.argmax(axis=1)])

    return step


def read_lane(build: Build) -> Step:
    """v_readlane_b32: lane chosen by a scalar; EXEC is ignored."""
    write = scalar_destination(build, build.line.operands[0], 1)
    row = build.vector(build.line.operands[1], 1)
    lane = scalar_source(build, build.line.operands[2], "u32")
    last = np.uint32(build.chip.lanes - 1)

    def step(g: Group) -> None:
        chosen = np.broadcast_to(lane(g) & last, g.count)
        write(g, g.u32[row][np.arange(g.count), chosen])

    return step


def write_lane(build: Build) -> Step:
    """v_writelane_b32: one lane changes whatever EXEC is."""
    row = build.vector(build.line.operands[0], 1, write=True)
    value = scalar_source(build, build.line.operands[1], "u32")
    lane = scalar_source(build, build.line.operands[2], "u32")
    last = np.uint32(build.chip.lanes - 1)

    def step(g: Group) -> None:
        chosen = np.broadcast_to(lane(g) & last, g.count)
        g.u32[row][np.arange(g.count), chosen] = value(g)

    return step


def count_below(high: bool) -> Any:
    """v_mbcnt_lo/hi_u32_b32: set bits of the mask half below this lane, plus source 1."""
    lane = np.arange(64)
    width = np.clip(lane - (32 if high else 0), 0, 32).astype(np.uint64)
    below = ((np.uint64(1) << width) - np.uint64(1)).astype(np.uint32)

    def compile_it(build: Build) -> Step:
        mask = build.source(build.line.operands[1], "u32", 0)
        base = build.source(build.line.operands[2], "u32", 1)
        row = build.vector(build.line.operands[0], 1, write=True)

        def step(g: Group) -> None:
            put(g, g.u32[row], np.bitwise_count(mask(g) & below).astype(np.uint32) + base(g))

        return step

    return compile_it


def swap(build: Build) -> Step:
    """v_swap_b32: the two registers change places."""
    first = build.vector(build.line.operands[0], 1)
    second = build.vector(build.line.operands[1], 1)

    def step(g: Group) -> None:
        old = g.u32[first].copy()
        put(g, g.u32[first], g.u32[second])
        put(g, g.u32[second], old)

    return step


SPECIAL = {
    "v_readfirstlane_b32": read_first_lane,
    "v_readlane_b32": read_lane,
    "v_writelane_b32": write_lane,
    "v_mbcnt_lo_u32_b32": count_below(False),
    "v_mbcnt_hi_u32_b32": count_below(True),
    "v_swap_b32": swap,
}
