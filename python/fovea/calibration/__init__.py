# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: what the captured tensors hold, over batches of real inputs, and the ranges that follow from it."""

from fovea.calibration.collect import Observer, calibrate
from fovea.calibration.methods import Method, Range, choose, parse_method
from fovea.calibration.sources import RandomBatches, Source, load_batches
from fovea.calibration.statistics import Statistics, largest_magnitude

__all__ = [
    "Method",
    "Observer",
    "RandomBatches",
    "Range",
    "Source",
    "Statistics",
    "calibrate",
    "choose",
    "largest_magnitude",
    "load_batches",
    "parse_method",
]
