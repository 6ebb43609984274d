# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a package on the emulator and gathers what each of its kernels did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from fovea import runtime
from fovea.codeobject import CodeObject, read_code_object
from fovea.emulator import Statistics
from fovea.emulator.statistics import VECTOR_CLASSES
from fovea.package import Package
from fovea.profile.model import RESOURCES, launch_bounds, matrix_seconds_at_peak
from fovea.profile.occupancy import Occupancy, kernel_occupancy
from fovea.profile.operations import total_operations
from fovea.profile.peaks import Peaks, peaks_of
from fovea.runtime import OnLaunch

Array = np.ndarray[Any, Any]


@dataclass
class Measured:
    """Counts and modelled seconds of launches; `bound` has the seconds of the launches that each resource bounds."""

    peaks: Peaks
    lanes: int
    launches: int = 0
    statistics: Statistics = field(default_factory=Statistics)
    matrix_operations: Counter[str] = field(default_factory=Counter)
    vector_operations: int = 0
    seconds: float = 0.0
    by_resource: dict[str, float] = field(default_factory=lambda: dict.fromkeys(RESOURCES, 0.0))
    bound: Counter[str] = field(default_factory=Counter)
    matrix_seconds_at_peak: float = 0.0

    def add_launch(self, statistics: Statistics, workgroups: int) -> None:
        """Count one launch."""
        single = Measured(self.peaks, self.lanes, 1)
        single.statistics.add(statistics)
        matrix, single.vector_operations = total_operations(statistics.instructions, single.mean_active_lanes)
        single.matrix_operations.update(matrix)
        bounds = launch_bounds(self.peaks, statistics, workgroups, self.lanes)
        single.seconds, single.by_resource = bounds.seconds, bounds.by_resource
        single.bound[bounds.resource] = bounds.seconds  # type: ignore[assignment]
        single.matrix_seconds_at_peak = matrix_seconds_at_peak(self.peaks, statistics)
        self.add(single)

    def add(self, other: Measured) -> None:
        """Count what another one has."""
        self.launches += other.launches
        self.statistics.add(other.statistics)
        self.matrix_operations.update(other.matrix_operations)
        self.vector_operations += other.vector_operations
        self.seconds += other.seconds
        for name, seconds in other.by_resource.items():
            self.by_resource[name] += seconds
        self.bound.update(other.bound)
        self.matrix_seconds_at_peak += other.matrix_seconds_at_peak

    @property
    def mean_active_lanes(self) -> float:
        """Lanes that EXEC enables, on average over the vector instructions executed."""
        count = sum(self.statistics.classes[name] for name in VECTOR_CLASSES)
        return self.lanes - self.statistics.idle_lanes / count if count else float(self.lanes)

    @property
    def operations(self) -> int:
        return sum(self.matrix_operations.values()) + self.vector_operations

    @property
    def least_bytes(self) -> int:
        """What the launches have to move if everything is read and written once a launch."""
        return self.statistics.unique_bytes_read + self.statistics.unique_bytes_written

    @property
    def asked_bytes(self) -> int:
        """What their instructions ask of global memory, scalar loads (of kernel arguments too) included."""
        statistics = self.statistics
        return statistics.global_bytes_read + statistics.global_bytes_written + statistics.scalar_bytes_read

    @property
    def bound_by(self) -> str:
        """The resource that bounds most of the modelled time."""
        return max(self.bound, key=self.bound.__getitem__) if self.bound else RESOURCES[-1]

    @property
    def matrix_utilisation(self) -> float:
        """At most this fraction of the chip's matrix rate is reached, by the model."""
        return self.matrix_seconds_at_peak / self.seconds if self.seconds else 0.0


@dataclass
class KernelProfile:
    """All launches of one kernel with one grid and block."""

    name: str
    code_object: str
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    occupancy: Occupancy
    measured: Measured

    @property
    def workgroups(self) -> int:
        """Workgroups of one launch."""
        return prod(self.grid)


@dataclass
class Profile:
    """A package's run: its kernels in the order of their first launch, and their sum."""

    target: str
    peaks: Peaks
    kernels: list[KernelProfile]
    total: Measured


def profile_package(
    package: Package, inputs: Mapping[str, Array], on_launch: OnLaunch | None = None
) -> tuple[Profile, dict[str, Array]]:
    """Run `package` on the emulator with all checks; returns the profile and the outputs by name.

    Raises FoveaError: no peak figures for the package's chip, inputs that do not fit, or an error of a kernel.
    """
    plan = package.plan
    peaks = peaks_of(plan.target)
    parsed: dict[str, CodeObject] = {name: read_code_object(data) for name, data in package.code_objects.items()}
    found: dict[Any, KernelProfile] = {}
    lanes = {k.wavefront_size for code in parsed.values() for k in code.kernels.values()}
    total = Measured(peaks, max(lanes, default=64))

    def launched(number: int, name: str, statistics: Statistics) -> None:
        launch = plan.launches[number]
        key = launch.code_object, launch.kernel, launch.grid, launch.block
        if key not in found:
            kernel = parsed[launch.code_object].kernel(launch.kernel)
            found[key] = KernelProfile(
                launch.kernel, launch.code_object, launch.grid, launch.block,
                kernel_occupancy(peaks, kernel, launch.block), Measured(peaks, kernel.wavefront_size),
            )  # fmt: skip
        found[key].measured.add_launch(statistics, found[key].workgroups)
        if on_launch is not None:
            on_launch(number, name, statistics)

    outputs = runtime.run(package, inputs, on_launch=launched, profile=True)
    for kernel in found.values():
        total.add(kernel.measured)
    return Profile(plan.target, peaks, list(found.values()), total), outputs
