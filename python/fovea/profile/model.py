# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Modelled time of a launch: the largest of the times that each resource of the chip needs at its peak rate.

A bound, not a prediction: latencies, dependences between instructions, the cost of a launch and what resources take
from each other are left out. Work is spread as evenly as whole waves and workgroups allow:

- matrix: clocks of the matrix instructions of the SIMD with the most waves, ceil(waves / SIMDs) of them;
- vector: clocks of the other vector arithmetic, of that SIMD;
- lds:    bytes over the rate of LDS plus cycles of bank conflicts, of the compute unit with the most workgroups;
- cache:  128-byte lines of all requests, one a clock, of that compute unit;
- memory: distinct bytes read and written over the bandwidth of the memory, as if caches served all else.
"""

from __future__ import annotations

from dataclasses import dataclass

from fovea.emulator import Statistics
from fovea.profile.operations import is_matrix, matrix_operations, total_operations
from fovea.profile.peaks import Peaks

RESOURCES = ("matrix", "vector", "lds", "cache", "memory")
NOTE = (
    "Modelled, not measured: the largest of the times that matrix units, vector units, LDS, cache and memory need at "
    "the chip's peak rates. A bound that leaves out latencies, dependences and the cost of a launch."
)


@dataclass(frozen=True)
class Bounds:
    """Modelled seconds of one launch by resource."""

    by_resource: dict[str, float]

    @property
    def seconds(self) -> float:
        return max(self.by_resource.values())

    @property
    def resource(self) -> str:
        """The resource that takes longest."""
        return max(self.by_resource, key=self.by_resource.__getitem__)


def launch_bounds(peaks: Peaks, statistics: Statistics, workgroups: int, lanes: int) -> Bounds:
    """Bounds of a launch of `workgroups` whose waves have `lanes` lanes; the statistics are those of a profile."""
    matrix = vector = 0.0
    for name, count in statistics.instructions.items():
        if is_matrix(name):
            matrix += count * matrix_clocks(peaks, name)
        elif name.startswith("v_"):
            vector += count * peaks.vector_clocks(name, lanes)
    simds = peaks.compute_units * peaks.simds
    of_simd = -(-statistics.waves // simds) / max(statistics.waves, 1)
    of_unit = -(-workgroups // peaks.compute_units) / max(workgroups, 1)
    lds = (statistics.lds_bytes_read + statistics.lds_bytes_written) / peaks.lds_bytes
    lds += statistics.lds_bank_conflict_cycles
    memory = statistics.unique_bytes_read + statistics.unique_bytes_written
    return Bounds(
        {
            "matrix": matrix * of_simd / peaks.clock,
            "vector": vector * of_simd / peaks.clock,
            "lds": lds * of_unit / peaks.clock,
            "cache": statistics.lines_128 * of_unit / peaks.clock,
            "memory": memory / peaks.memory,
        }
    )


def matrix_clocks(peaks: Peaks, name: str) -> float:
    """Clocks that a matrix instruction keeps its SIMD's matrix unit busy; 0 for one without a rate in the table."""
    found = matrix_operations(name)
    if found is None or found[1] not in peaks.matrix:
        return 0.0
    return found[0] / (peaks.matrix[found[1]] / peaks.simds)


def matrix_seconds_at_peak(peaks: Peaks, statistics: Statistics) -> float:
    """Seconds that the launch's matrix operations need when every matrix unit of the chip is busy."""
    operations, _ = total_operations(statistics.instructions, 0)
    return sum(count / peaks.matrix_flops(kind) for kind, count in operations.items() if kind in peaks.matrix)
