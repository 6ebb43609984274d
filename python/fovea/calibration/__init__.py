# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: what the captured tensors hold, over batches of real inputs."""

from fovea.calibration.collect import Observer, calibrate
from fovea.calibration.sources import load_batches
from fovea.calibration.statistics import Statistics, largest_magnitude

__all__ = ["Observer", "Statistics", "calibrate", "largest_magnitude", "load_batches"]
