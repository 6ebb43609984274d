# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Vector instructions that gfx11 and gfx12 name in another way: each name against the formula of what it does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from row_runner import Case, check
from test_rows import CASES

from fovea.emulator.rdna import _NAMES

NAMES = {
    "v_add_nc_u32": "v_add_u32", "v_sub_nc_u32": "v_sub_u32", "v_subrev_nc_u32": "v_subrev_u32",
    "v_add_nc_i32": "v_add_i32", "v_sub_nc_i32": "v_sub_i32", "v_add_nc_u16": "v_add_u16",
    "v_sub_nc_u16": "v_sub_u16", "v_add_nc_i16": "v_add_i16", "v_sub_nc_i16": "v_sub_i16",
    "v_add_co_ci_u32": "v_addc_co_u32", "v_sub_co_ci_u32": "v_subb_co_u32", "v_subrev_co_ci_u32": "v_subbrev_co_u32",
    "v_mad_co_u64_u32": "v_mad_u64_u32", "v_mad_co_i64_i32": "v_mad_i64_i32", "v_clz_i32_u32": "v_ffbh_u32",
    "v_cls_i32": "v_ffbh_i32", "v_ctz_i32_b32": "v_ffbl_b32", "v_min3_num_f16": "v_min3_f16",
    "v_max3_num_f16": "v_max3_f16", "v_med3_num_f16": "v_med3_f16", "v_min3_num_f32": "v_min3_f32",
    "v_max3_num_f32": "v_max3_f32", "v_med3_num_f32": "v_med3_f32", "v_pk_min_num_f16": "v_pk_min_f16",
    "v_pk_max_num_f16": "v_pk_max_f16", "v_minmax_num_f32": "v_minmax_f32", "v_maxmin_num_f32": "v_maxmin_f32",
    "v_minmax_num_f16": "v_minmax_f16", "v_maxmin_num_f16": "v_maxmin_f16", "v_mul_dx9_zero_f32": "v_mul_legacy_f32",
    "v_cvt_pk_rtz_f16_f32": "v_cvt_pkrtz_f16_f32", "v_cvt_nearest_i32_f32": "v_cvt_rpi_i32_f32",
    "v_cvt_floor_i32_f32": "v_cvt_flr_i32_f32", "v_cvt_pk_norm_i16_f32": "v_cvt_pknorm_i16_f32",
    "v_cvt_pk_norm_u16_f32": "v_cvt_pknorm_u16_f32", "v_dot2acc_f32_f16": "v_dot2c_f32_f16",
    "v_dot2acc_f32_bf16": "v_dot2c_f32_bf16",
    **{f"v_{name}_num_{kind}": f"v_{name}_{kind}" for name in ("min", "max") for kind in ("f16", "f32", "f64")},
}  # fmt: skip
"""Name on gfx12 to that of a case."""


def case_of(name: str) -> Case:
    case = next(case for case in CASES if case.name == NAMES[name])
    return replace(case, name=name, text=case.text.replace(case.name, name), chip="gfx1201")


@pytest.mark.parametrize("name", NAMES)
def test_name(name: str) -> None:
    check(case_of(name))


def test_every_name_is_tried() -> None:
    assert {name for name in _NAMES if name.startswith("v_")} - set(NAMES) == set()
