# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every row of the scalar tables against its formula in `rows_scalar`: one wave is one set of operands."""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import numpy as np
import pytest
from assembly_runner import run_assembly
from row_runner import encode, same, samples
from rows_scalar import CONSTANTS, GFX12, NOT_ZERO, ROWS, Formula

WAVES = 64
CONSTANT = (0x8001, 0x7F3C)
"""The 16-bit constants that a SOPK instruction is tried with."""
TABLE: list[tuple[str, str, Formula, int]] = [
    (chip, line, formula, constant)
    for chip, table in (("gfx942", ROWS), ("gfx942", NOT_ZERO), ("gfx942", CONSTANTS), ("gfx1201", GFX12))
    for line, formula in table.items()
    for constant in (CONSTANT if table is CONSTANTS else CONSTANT[:1])
]
RDNA_NAMES = {
    "s_add_co_u32": "s_add_u32", "s_add_co_i32": "s_add_i32", "s_sub_co_u32": "s_sub_u32",
    "s_sub_co_i32": "s_sub_i32", "s_add_co_ci_u32": "s_addc_u32", "s_sub_co_ci_u32": "s_subb_u32",
    "s_addk_co_i32": "s_addk_i32", "s_clz_i32_u32": "s_flbit_i32_b32", "s_clz_i32_u64": "s_flbit_i32_b64",
    "s_ctz_i32_b32": "s_ff1_i32_b32", "s_ctz_i32_b64": "s_ff1_i32_b64", "s_cls_i32": "s_flbit_i32",
    "s_cls_i32_i64": "s_flbit_i32_i64", "s_and_not1_b32": "s_andn2_b32", "s_and_not1_b64": "s_andn2_b64",
    "s_or_not1_b32": "s_orn2_b32", "s_or_not1_b64": "s_orn2_b64",
}  # fmt: skip
"""Other names on gfx11 and gfx12."""
TABLE += [
    ("gfx1201", f"{name}:{line.partition(':')[2]}", formula, constant)
    for name, old in RDNA_NAMES.items()
    for chip, line, formula, constant in TABLE
    if line.startswith(f"{old}:")
]
TESTED = {line.partition(":")[0] for _, line, _, _ in TABLE}


def draw(kinds: list[str], seed: str) -> list[list[Any]]:
    """Operands of the waves: pairs of edge cases, then random ones."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    columns = []
    for kind in kinds:
        pool = samples(kind, 64, rng)
        columns.append([pool[i] for i in rng.integers(0, len(pool), WAVES)])
    if len(kinds) == 2:
        for wave, pair in enumerate(itertools.product(*(samples(kind, 8, rng)[:5] for kind in kinds))):
            columns[0][wave], columns[1][wave] = pair
    return columns


@pytest.mark.parametrize(
    ("chip", "line", "formula", "constant"), TABLE, ids=[f"{row[1].partition(':')[0]}-{row[3]:#x}" for row in TABLE]
)
def test_scalar_row(chip: str, line: str, formula: Formula, constant: int) -> None:
    name, _, signature = line.partition(":")
    results, sources = (part.replace(",", " ").split() for part in signature.split("<-"))
    kinds = [kind for kind in sources if kind not in ("dst", "scc", "k")]
    columns = draw(kinds, name)
    target = next((kind for kind in results if kind not in ("scc", "nz")), None)
    old, scc = draw([target or "u32", "mask"], f"{name} old")
    s: dict[int, Any] = {60: np.array(scc, np.uint64)}
    operands = []
    for number, (kind, values) in enumerate(zip(kinds, columns, strict=True)):
        place = 2 + 2 * number
        codes = np.array([encode(x, kind) for x in values], np.uint64)
        # The upper half of an f16's register holds anything.
        codes |= np.uint64(0xABCD0000 if kind == "f16" else 0)
        s |= {place: codes & np.uint64(0xFFFFFFFF), place + 1: codes >> np.uint64(32)}
        operands.append(f"s[{place}:{place + 1}]" if kind.endswith("64") else f"s{place}")
    if "k" in sources:
        operands.append(hex(constant))
    if target is not None:
        codes = np.array([encode(x, target) for x in old], np.uint64)
        s |= {20: codes & np.uint64(0xFFFFFFFF), 21: codes >> np.uint64(32)}
        operands.insert(0, "s[20:21]" if target.endswith("64") else "s20")
    text = f"s_cmp_lg_u32 s60, 0\n{name} {', '.join(operands)}"
    result = run_assembly(text, s=s, waves=WAVES, chip=chip)
    for wave in range(WAVES):
        given = [column[wave] for column in columns] + [constant] * ("k" in sources)
        given += [old[wave]] * ("dst" in sources) + [scc[wave]] * ("scc" in sources)
        wanted = formula(*given)
        value, flag = wanted if "scc" in results and target else (wanted, wanted)
        if target is not None:
            found = result.s64(20, wave) if target.endswith("64") else result.s(20, wave)
            assert same(found, value, target), (name, given, hex(found), value)
        if "nz" in results:
            flag = encode(value, target or "u32") != 0
        elif "scc" not in results:
            flag = scc[wave]
        assert bool(result.scc[wave]) == bool(flag), (name, given, flag)
