# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every mnemonic of the emulator's tables has a test; matrix instructions check theirs beside their tests."""

from __future__ import annotations

import rows_compare
import rows_convert
import rows_float
import rows_integer
import test_exec_rows
import test_float8
import test_gfx950
import test_lane_rows
import test_local_memory_rows
import test_memory_rows
import test_rdna_rows
import test_scalar_rows
import test_scaled_conversions
import test_special_rows
import test_transcendentals

from fovea.emulator import direct_lds, lds, lds_transpose, memory_ops
from fovea.emulator.atomics import OPERATIONS
from fovea.emulator.program import SCALAR_ROWS, SPECIAL, VECTOR_ROWS

TESTED = {
    *(case.name for module in (rows_compare, rows_convert, rows_float, rows_integer) for case in module.CASES),
    *(
        name
        for module in (
            test_exec_rows, test_float8, test_gfx950, test_lane_rows, test_local_memory_rows, test_memory_rows,
            test_rdna_rows, test_scalar_rows, test_scaled_conversions, test_special_rows, test_transcendentals,
        )
        for name in module.TESTED
    ),
}  # fmt: skip
FAMILIES = ("global", "flat", "buffer")


def test_vector_and_scalar_rows() -> None:
    assert {*VECTOR_ROWS, *SCALAR_ROWS, *SPECIAL} - TESTED == set()


def test_moves_and_atomics() -> None:
    moves = {f"{family}_{name}" for family in (*FAMILIES, "scratch") for name in memory_ops.ACCESSES}
    plain = {name for name in OPERATIONS if not name.endswith(("f32", "f64", "f16"))} | {"cmpswap"}
    names = {*OPERATIONS, *plain, *(f"{name}_x2" for name in plain)}
    atomics = {f"{family}_atomic_{name}" for family in FAMILIES for name in names}
    direct = {*direct_lds.KINDS, *direct_lds.WIDE}
    straight = {f"global_load_lds_{name}" for name in direct} | {f"buffer_load_{name} lds" for name in direct}
    assert (moves | atomics | straight) - TESTED == set()


def test_local_rows() -> None:
    atomics = {f"ds_{name}" for name in lds._ATOMIC_NAMES if not name.startswith("wrxchg")}
    assert {*lds.TABLE, *lds_transpose.TABLE, *atomics} - TESTED == set()
