# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Scalar instructions that read and write EXEC, on waves of 64 and of 32 lanes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from assembly_runner import run_assembly

OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "and": lambda s, e: s & e, "or": lambda s, e: s | e, "xor": lambda s, e: s ^ e, "nand": lambda s, e: ~(s & e),
    "nor": lambda s, e: ~(s | e), "xnor": lambda s, e: ~(s ^ e), "andn1": lambda s, e: ~s & e,
    "andn2": lambda s, e: s & ~e, "orn1": lambda s, e: ~s | e, "orn2": lambda s, e: s | ~e,
}  # fmt: skip
CASES = [
    case
    for bits in (64, 32)
    for case in (
        *((f"s_{name}_saveexec_b{bits}", name, True, bits) for name in OPERATIONS),
        *((f"s_{name}_wrexec_b{bits}", name, False, bits) for name in ("andn1", "andn2")),
    )
]
TESTED = {case[0] for case in CASES}
RDNA = {"andn1": "and_not0", "andn2": "and_not1", "orn1": "or_not0", "orn2": "or_not1"}
"""Names on gfx11 and gfx12 where they differ."""
VALUES = [
    (0xF0F0_1234_8765_FF00, 0xFFFF_0000_1111_8888), (0, 0xFFFF_FFFF_FFFF_FFFF), (0xFFFF_FFFF_FFFF_FFFF, 5),
    (0x5555_5555_5555_5555, 0xAAAA_AAAA_AAAA_AAAA),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operation", "saves", "bits"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize(("source", "exec_mask"), VALUES)
def test_exec_row(name: str, operation: str, saves: bool, bits: int, source: int, exec_mask: int) -> None:
    """EXEC becomes OP(source, EXEC); the destination its old value (saveexec) or the new one (wrexec); SCC: any set."""
    every = (1 << bits) - 1
    source, exec_mask = source & every, exec_mask & every
    new = OPERATIONS[operation](source, exec_mask) & every
    s = {2: source & 0xFFFFFFFF, 3: source >> 32}
    operands = "s[4:5], s[2:3]" if bits == 64 else "s4, s2"
    text = name if bits == 64 else name.replace(operation, RDNA.get(operation, operation))
    chip = "gfx942" if bits == 64 else "gfx1200"
    result = run_assembly(f"{text} {operands}", s=s, exec_mask=exec_mask, chip=chip)
    found = result.s64(126) if bits == 64 else result.s(126)
    kept = result.s64(4) if bits == 64 else result.s(4)
    assert (found, kept) == (new, exec_mask if saves else new)
    assert bool(result.scc[0]) == (new != 0)
