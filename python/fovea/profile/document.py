# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A profile as a JSON document.

    {
      "version": 1, "fovea": "0.1.0", "package": "model.fovea", "target": "gfx942",
      "note": "Modelled, not measured: ...",
      "peaks": {"product": "MI300X", "compute_units": 304, "simds": 4, "clock_hz": 2.1e9,
                "memory_bytes_per_second": ..., "matrix_operations_per_second": {"f16": ..., "fp8": ...},
                "vector_operations_per_second": ..., "lds_bytes_per_clock": 128, "line_bytes": 128},
      "kernels": [{
        "name": "contraction_1", "code_object": "kernels/contraction_1.hsaco", "grid": [x, y, z], "block": [x, y, z],
        "occupancy": {"workgroups_per_compute_unit": 4, "waves_per_simd": 4.0, "waves_per_simd_at_most": 8,
                      "limited_by": ["LDS"], "workgroups_let_in": {"registers": 4, ...}, "registers": 104,
                      "lds_bytes": 13824, "workgroups_launched": 192},
        ... and the fields of "total", of this kernel's launches
      }],
      "total": {
        "launches": 8, "waves": 512, "lanes": 64,
        "instructions": {"total": ..., "classes": {"valu": ...}, "matrix": {mnemonic: count}},
        "operations": {"matrix": {"fp8": ...}, "vector": ...},
        "global": {"bytes_read", "bytes_written", "scalar_bytes_read", "least_bytes_read", "least_bytes_written",
                   "asked_over_least", "requests", "lines_64", "lines_64_least", "lines_128", "lines_128_least"},
        "lds": {"bytes_read", "bytes_written", "bank_conflict_cycles"},
        "barriers": ..., "mean_active_lanes": 63.9,
        "modelled": {"seconds": ..., "bound_by": "memory", "seconds_by_resource": {"matrix", "vector", "lds", "cache",
                     "memory"}, "matrix_utilisation_at_most": 0.31}
      },
      "emulated_seconds": ...   (what the emulation took)
    }

Counts are sums over launches, instructions and barriers in wave-instructions. `least_bytes_*` are the distinct bytes of
its buffers that each launch reads and writes; `lines_*_least` is what requests would need if what their lanes ask for
lay together. Everything in `modelled` is modelled (see `fovea.profile.model`), everything else is counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import fovea
from fovea.profile.collect import KernelProfile, Measured, Profile
from fovea.profile.model import NOTE
from fovea.profile.peaks import Peaks

VERSION = 1


def make_document(profile: Profile, package: str) -> dict[str, Any]:
    """The document; `package` is what the package is called."""
    return {
        "version": VERSION, "fovea": fovea.__version__, "package": package, "target": profile.target, "note": NOTE,
        "peaks": _peaks(profile.peaks),
        "kernels": [_kernel(kernel) for kernel in profile.kernels],
        "total": _measured(profile.total),
        "emulated_seconds": round(profile.total.statistics.seconds, 3),
    }  # fmt: skip


def to_json(document: Mapping[str, Any]) -> str:
    """Its text."""
    return json.dumps(document, indent=1) + "\n"


def _peaks(peaks: Peaks) -> dict[str, Any]:
    return {
        "product": peaks.product, "compute_units": peaks.compute_units, "simds": peaks.simds, "clock_hz": peaks.clock,
        "memory_bytes_per_second": peaks.memory,
        "matrix_operations_per_second": {kind: peaks.matrix_flops(kind) for kind in peaks.matrix},
        "vector_operations_per_second": peaks.vector_flops,
        "lds_bytes_per_clock": peaks.lds_bytes, "line_bytes": peaks.line_bytes,
    }  # fmt: skip


def _kernel(kernel: KernelProfile) -> dict[str, Any]:
    fits = kernel.occupancy
    return {
        "name": kernel.name, "code_object": kernel.code_object, "grid": list(kernel.grid), "block": list(kernel.block),
        "occupancy": {
            "workgroups_per_compute_unit": fits.workgroups, "waves_per_simd": fits.waves_per_simd,
            "waves_per_simd_at_most": kernel.measured.peaks.waves, "limited_by": list(fits.limited_by),
            "workgroups_let_in": fits.limits, "registers": fits.registers, "lds_bytes": fits.lds_bytes,
            "workgroups_launched": kernel.workgroups,
        },
        **_measured(kernel.measured),
    }  # fmt: skip


def _measured(measured: Measured) -> dict[str, Any]:
    counted = measured.statistics
    least = measured.least_bytes
    return {
        "launches": measured.launches, "waves": counted.waves, "lanes": measured.lanes,
        "instructions": {"total": counted.total, "classes": dict(counted.classes.most_common()),
                         "matrix": dict(sorted(counted.matrix.items()))},
        "operations": {"matrix": dict(sorted(measured.matrix_operations.items())),
                       "vector": measured.vector_operations},
        "global": {
            "bytes_read": counted.global_bytes_read, "bytes_written": counted.global_bytes_written,
            "scalar_bytes_read": counted.scalar_bytes_read,
            "least_bytes_read": counted.unique_bytes_read, "least_bytes_written": counted.unique_bytes_written,
            "asked_over_least": round(measured.asked_bytes / least, 4) if least else None,
            "requests": counted.global_requests,
            "lines_64": counted.lines_64, "lines_64_least": counted.lines_64_least,
            "lines_128": counted.lines_128, "lines_128_least": counted.lines_128_least,
        },
        "lds": {"bytes_read": counted.lds_bytes_read, "bytes_written": counted.lds_bytes_written,
                "bank_conflict_cycles": counted.lds_bank_conflict_cycles},
        "barriers": counted.classes["barrier"],
        "mean_active_lanes": round(measured.mean_active_lanes, 4),
        "modelled": {
            "seconds": measured.seconds, "bound_by": measured.bound_by,
            "seconds_by_resource": dict(measured.by_resource),
            "matrix_utilisation_at_most": round(measured.matrix_utilisation, 4),
        },
    }  # fmt: skip
