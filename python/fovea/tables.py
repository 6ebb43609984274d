# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rows of numbers and words as a person reads them; shared by the terminal and the HTML report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fovea.executor.types import name_of

KERNEL_COLUMNS: tuple[tuple[str, str], ...] = (
    ("Kernel", "left"), ("Launches", "right"), ("Grid", "left"), ("Block", "left"), ("VGPR", "right"),
    ("AGPR", "right"), ("SGPR", "right"), ("Spills", "right"), ("LDS", "right"), ("Scratch", "right"),
    ("Code", "right"), ("Matrix instructions", "left"),
)  # fmt: skip
"""Heading and alignment of each column of `kernel_row`."""

SUMMARY_COLUMNS = 9  # the summary leaves out the columns from here on, to fit a terminal of 80


def kernel_row(kernel: Mapping[str, Any]) -> list[str]:
    """One kernel of a report, or a KernelResources as a dict, as text by column."""
    return [
        kernel["name"], str(kernel["launches"]), extents(kernel["grid"]), extents(kernel["block"]),
        str(kernel["vgpr"]), str(kernel["agpr"]), str(kernel["sgpr"]),
        str(kernel["vgpr_spills"] + kernel["sgpr_spills"]), str(kernel["lds_bytes"]), str(kernel["scratch_bytes"]),
        str(kernel["code_bytes"]), matrix_text(kernel["matrix"]),
    ]  # fmt: skip


def extents(values: Sequence[int]) -> str:
    """`12x16` for (12, 16, 1): trailing ones are left out."""
    last = max((i for i, value in enumerate(values) if value != 1), default=0)
    return "x".join(str(value) for value in values[: last + 1])


def matrix_text(matrix: Mapping[str, int] | None) -> str:
    """Counts and mnemonics in one line; `?` where the code could not be disassembled."""
    if matrix is None:
        return "?"
    return ", ".join(f"{count} {name}" for name, count in matrix.items()) or "-"


def bytes_text(count: int) -> str:
    """A size as bytes and in the unit that suits it."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count:,} bytes ({count / factor:.1f} {unit})"
    return f"{count:,} bytes"


def shape_text(shape: Mapping[str, int]) -> str:
    """`8 x (128 x 128 x 32)` of a contraction's batch, m, n and k; empty where they are not known."""
    if not shape:
        return ""
    inner = f"{shape['m']} x {shape['n']} x {shape['k']}"
    return f"{shape['batch']} x ({inner})" if shape.get("batch", 1) != 1 else inner


def scale_text(low: float, high: float) -> str:
    """A scale, or the range of the scales of the channels."""
    return f"{low:.4g}" if low == high else f"{low:.4g} .. {high:.4g}"


def fixed_scale_text(scale: Mapping[str, Any]) -> str:
    """The scale of a report's entry; one that is computed when the model runs has no value."""
    low, high = scale.get("min"), scale.get("max")
    return "when it runs" if low is None or high is None else scale_text(low, high)


def listed(names: Iterable[str], limit: int = 3) -> str:
    """The first names, and how many more there are."""
    every = list(names)
    more = f", ... ({len(every) - limit} more)" if len(every) > limit else ""
    return ", ".join(every[:limit]) + more


def tensor_text(name: str, shape: Sequence[int | None], dtype: Any) -> str:
    """`ids: i64 [8, 128]`, without the name if it is empty."""
    text = f"{name_of(dtype)} [{', '.join('?' if size is None else str(size) for size in shape)}]"
    return f"{name}: {text}" if name else text


def flops_of(decision: Mapping[str, Any]) -> int | None:
    """Floating-point operations of a contraction of a report (a product and a sum are two), None if not known."""
    if decision.get("flops") is not None:
        return int(decision["flops"])
    shape = decision.get("shape") or {}
    if not {"m", "n", "k"} <= shape.keys():
        return None
    return int(2 * shape.get("batch", 1) * shape["m"] * shape["n"] * shape["k"])


def calibration_text(calibration: Mapping[str, Any]) -> str:
    """Where ranges came from, and what is wrong with that; scales computed at run time (an empty mapping) need none."""
    if not calibration:
        return "none: scales are computed at run time"
    how = "ranges from a file, of" if calibration["ranges_loaded"] else "on"
    batches = calibration["batches"]
    text = f"{how} {batches} {'batch' if batches == 1 else 'batches'} of {calibration['source']}"
    return text + (f"; warning: {calibration['warning']}" if calibration["warning"] else "")
