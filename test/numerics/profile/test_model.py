# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations, peaks, occupancy and bounds against figures worked out by hand and published ones."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from kernels import compile_kernel, contraction

from fovea.codeobject import read_code_object
from fovea.emulator import Statistics, emulate
from fovea.errors import UsageError
from fovea.profile.collect import Measured
from fovea.profile.model import launch_bounds, matrix_clocks
from fovea.profile.occupancy import kernel_occupancy, occupancy
from fovea.profile.operations import matrix_operations, total_operations, vector_operations
from fovea.profile.peaks import PEAKS, peaks_of

MI300X = PEAKS["gfx942"]


@pytest.mark.parametrize(
    ("name", "operations", "kind"),
    [
        ("v_mfma_f32_16x16x16_f16", 2 * 16**3, "f16"),
        ("v_mfma_f32_16x16x16f16", 2 * 16**3, "f16"),
        ("v_mfma_f32_32x32x8_bf16_1k", 2 * 32 * 32 * 8, "bf16"),
        ("v_mfma_f32_16x16x32_fp8_fp8", 2 * 16 * 16 * 32, "fp8"),
        ("v_mfma_f32_32x32x16_bf8_fp8", 2 * 32 * 32 * 16, "fp8"),
        ("v_mfma_f32_16x16x4_f32", 2 * 16 * 16 * 4, "f32"),
        ("v_mfma_f32_32x32x1_2b_f32", 2 * 32 * 32 * 2, "f32"),
        ("v_mfma_f64_16x16x4_f64", 2 * 16 * 16 * 4, "f64"),
        ("v_mfma_i32_16x16x32_i8", 2 * 16 * 16 * 32, "i8"),
        ("v_mfma_f32_16x16x8_xf32", 2 * 16 * 16 * 8, "xf32"),
        ("v_mfma_scale_f32_16x16x128_f8f6f4", 2 * 16 * 16 * 128, "fp8"),
        ("v_smfmac_f32_16x16x32_f16", 2 * 16 * 16 * 16, "f16"),
        ("v_wmma_f32_16x16x16_f16", 2 * 16**3, "f16"),
        ("v_wmma_f32_16x16x16_bf8_fp8", 2 * 16**3, "fp8"),
        ("v_wmma_i32_16x16x16_iu8", 2 * 16**3, "i8"),
    ],
)
def test_matrix_operations(name: str, operations: int, kind: str) -> None:
    assert matrix_operations(name) == (operations, kind)


@pytest.mark.parametrize(
    ("name", "operations"),
    [
        ("v_fma_f32", 2), ("v_fmac_f32_e32", 2), ("v_pk_fma_f32", 4), ("v_pk_mul_f16", 2), ("v_add_f32_e32", 1),
        ("v_max_f16", 1), ("v_exp_f32_e32", 1), ("v_rcp_f64", 1), ("v_dot2_f32_f16", 4), ("v_dot2c_f32_bf16", 4),
        ("v_div_fmas_f32", 2), ("v_fma_mixlo_f16", 2), ("v_mad_u64_u32", 0), ("v_mad_i32_i24", 0), ("v_add_u32_e32", 0),
        ("v_pk_add_u16", 0), ("v_mov_b32_e32", 0), ("v_cvt_f32_f16", 0), ("v_cmp_lt_f32", 0), ("v_cndmask_b32", 0),
        ("s_add_u32", 0), ("ds_read_b128", 0), ("global_load_dwordx4", 0), ("v_lshlrev_b32", 0),
    ],
)  # fmt: skip
def test_vector_operations(name: str, operations: int) -> None:
    assert vector_operations(name) == operations


def test_totals() -> None:
    counts = Counter({"v_mfma_f32_16x16x16_f16": 3, "v_mfma_f32_16x16x32_fp8_fp8": 2, "v_fma_f32": 10, "s_nop": 5})
    assert total_operations(counts, 60.0) == ({"f16": 3 * 8192, "fp8": 2 * 16384}, 1200)


@pytest.mark.parametrize(
    ("chip", "kind", "published"),
    [
        # AMD's data sheets, dense, in units of 1e12 operations a second, to the digits printed there.
        ("gfx942", "f16", 1307.4), ("gfx942", "fp8", 2614.9), ("gfx942", "i8", 2614.9), ("gfx942", "f32", 163.4),
        ("gfx942", "f64", 163.4), ("gfx942", "xf32", 653.7), ("gfx950", "f16", 2516.6), ("gfx950", "fp8", 5033.2),
        ("gfx950", "f32", 157.3), ("gfx950", "f64", 78.6), ("gfx1100", "f16", 122.9), ("gfx1200", "f16", 103),
        ("gfx1201", "f16", 195), ("gfx1201", "fp8", 389),
    ],
)  # fmt: skip
def test_peaks_are_the_published_ones(chip: str, kind: str, published: float) -> None:
    assert PEAKS[chip].matrix_flops(kind) / 1e12 == pytest.approx(published, rel=5e-3)


@pytest.mark.parametrize(
    ("chip", "published"), [("gfx942", 163.4), ("gfx950", 157.3), ("gfx1100", 61.4), ("gfx1201", 48.7)]
)
def test_vector_peaks_are_the_published_ones(chip: str, published: float) -> None:
    assert PEAKS[chip].vector_flops / 1e12 == pytest.approx(published, rel=5e-3)


def test_a_chip_without_figures() -> None:
    with pytest.raises(UsageError, match="no peak figures for gfx90a; there are some for: gfx942, "):
        peaks_of("gfx90a")


@pytest.mark.parametrize(
    ("chip", "registers", "waves"),
    [
        # What LLVM's test of occupancy levels (CodeGen/AMDGPU/occupancy-levels.ll) has for these register files.
        *(("gfx942", count, waves) for count, waves in
          ((1, 8), (64, 8), (65, 7), (72, 7), (80, 6), (96, 5), (128, 4), (168, 3), (169, 2), (256, 2), (512, 1))),
        *(("gfx1100", count, waves) for count, waves in
          ((96, 16), (97, 12), (120, 12), (144, 10), (168, 9), (192, 8), (216, 7), (240, 6), (256, 5))),
    ],
)  # fmt: skip
def test_occupancy_by_registers(chip: str, registers: int, waves: int) -> None:
    found = occupancy(PEAKS[chip], registers, 0, 1)
    assert found.waves_per_simd == waves
    assert found.limited_by == (("waves",) if waves == PEAKS[chip].waves else ("registers",))


@pytest.mark.parametrize(
    ("registers", "lds", "waves", "workgroups", "limited_by"),
    [
        (32, 0, 4, 8, ("waves",)),
        # 65536 / 13824 = 4.7 workgroups; 512 / 104 = 4.9 waves a SIMD, which are 4 workgroups of 4 waves.
        (104, 13824, 4, 4, ("registers", "LDS")),
        (96, 13824, 4, 4, ("LDS",)),
        (136, 13824, 4, 3, ("registers",)),
        # LDS is given out in units of 512 bytes: 21846 become 22016, of which two fit; 21504 fit three times.
        (32, 21846, 4, 2, ("LDS",)),
        (32, 21504, 4, 3, ("LDS",)),
        # 3 waves a SIMD are 12, in which one workgroup of 8 waves fits.
        (168, 0, 8, 1, ("registers",)),
        # 16 workgroups with barriers at most: two waves each are half of what waves alone would allow.
        (32, 0, 2, 16, ("waves", "workgroups")),
        (32, 0, 1, 32, ("waves",)),
    ],
)
def test_occupancy_of_workgroups(
    registers: int, lds: int, waves: int, workgroups: int, limited_by: tuple[str, ...]
) -> None:
    found = occupancy(MI300X, registers, lds, waves)
    assert (found.workgroups, set(found.limited_by)) == (workgroups, set(limited_by))
    assert found.waves_per_simd == workgroups * waves / 4


def test_occupancy_of_a_compiled_kernel() -> None:
    """LDS of one f16 contraction: two tiles of 64 rows of 32 + 8 values of 2 bytes."""
    kernel = read_code_object(compile_kernel(contraction(64, 64, 64, "f16", 32))[0]).kernel()
    assert kernel.lds_bytes == 2 * 64 * 40 * 2
    found = kernel_occupancy(MI300X, kernel, (256, 1, 1))
    assert found.lds_bytes == 10240
    assert found.limits["LDS"] == 6
    assert found.registers >= kernel.vgpr_count
    assert kernel_occupancy(MI300X, kernel, (256, 1, 1), 16384).limits["LDS"] == 2


def test_clocks_of_matrix_instructions() -> None:
    """Passes of four clocks as AMD's CDNA3 guide lists them: 4 for 16x16x16 f16, 8 for 32x32x8, 4 for 16x16x32 fp8."""
    assert matrix_clocks(MI300X, "v_mfma_f32_16x16x16_f16") == 16
    assert matrix_clocks(MI300X, "v_mfma_f32_32x32x8_f16") == 32
    assert matrix_clocks(MI300X, "v_mfma_f32_16x16x32_fp8_fp8") == 16
    assert matrix_clocks(MI300X, "v_mfma_f32_32x32x2_f32") == 64
    assert matrix_clocks(PEAKS["gfx1100"], "v_mfma_f64_16x16x4_f64") == 0


def statistics(waves: int, **fields: Any) -> Statistics:
    result = Statistics(waves=waves)
    for name, value in fields.items():
        setattr(result, name, Counter(value) if isinstance(value, dict) else value)
    return result


def test_bounds_by_hand() -> None:
    """608 workgroups of 4 waves on 304 compute units: two workgroups a unit, two waves a SIMD."""
    s = statistics(
        2432, instructions={"v_mfma_f32_16x16x16_f16": 2432 * 100, "v_fma_f32": 2432 * 50, "v_exp_f32_e32": 2432 * 10,
                            "s_nop": 2432 * 1000, "ds_read_b128": 2432},
        lds_bytes_read=608 * 4096, lds_bytes_written=608 * 1024, lds_bank_conflict_cycles=608 * 7, lines_128=608 * 30,
        unique_bytes_read=5_000_000, unique_bytes_written=300_000,
    )  # fmt: skip
    bounds = launch_bounds(MI300X, s, 608, 64)
    clocks = {name: seconds * 2.1e9 for name, seconds in bounds.by_resource.items()}
    assert clocks["matrix"] == pytest.approx(2 * 100 * 16)
    assert clocks["vector"] == pytest.approx(2 * (50 * 4 + 10 * 16))
    assert clocks["lds"] == pytest.approx(2 * (5120 / 128 + 7))
    assert clocks["cache"] == pytest.approx(2 * 30)
    assert bounds.by_resource["memory"] == pytest.approx(1e-6)
    assert (bounds.resource, bounds.seconds) == ("matrix", bounds.by_resource["matrix"])


def test_a_tail_of_workgroups_costs_a_round() -> None:
    """One workgroup more than compute units takes as long as twice the units."""
    seconds = {}
    for workgroups in (304, 305, 608):
        s = statistics(workgroups * 4, instructions={"v_fma_f32": workgroups * 400}, lines_128=workgroups * 64)
        seconds[workgroups] = launch_bounds(MI300X, s, workgroups, 64).by_resource
    assert seconds[305] == pytest.approx(seconds[608])
    assert seconds[608]["vector"] == pytest.approx(2 * seconds[304]["vector"])
    assert seconds[608]["cache"] == pytest.approx(2 * seconds[304]["cache"])


def test_measured_contraction() -> None:
    """One 64 x 64 x 64 workgroup in fp8: 32 instructions, 8 a SIMD of the one unit that works."""
    code = compile_kernel(contraction(64, 64, 64))[0]
    a, b, c = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.float32)
    s = emulate(code, None, (1,), (256,), [a, b, c], profile=True)
    measured = Measured(MI300X, 64)
    measured.add_launch(s, 1)
    measured.add_launch(s, 1)
    assert measured.launches == 2
    assert measured.matrix_operations == {"fp8": 2 * 2 * 64**3}
    assert measured.by_resource["matrix"] * 2.1e9 == pytest.approx(2 * 8 * 16)
    assert measured.least_bytes == 2 * (64 * 64 * 2 + 64 * 64 * 4)
    assert measured.asked_bytes == measured.least_bytes + 2 * s.scalar_bytes_read
    assert measured.mean_active_lanes == 64
    assert measured.seconds == pytest.approx(sum(measured.bound.values()))
    # 1216 SIMDs at the peak rate would need this part of the time that four of them need.
    share = measured.by_resource["matrix"] / measured.seconds
    assert measured.matrix_utilisation == pytest.approx(share * 4 / 1216)


def test_mean_active_lanes() -> None:
    measured = Measured(MI300X, 64)
    measured.statistics.classes.update(valu=8, vmem=2, salu=100)
    measured.statistics.idle_lanes = 5 * 64
    assert measured.mean_active_lanes == 32
