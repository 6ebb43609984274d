# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counters of an emulated launch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

VECTOR_CLASSES = ("valu", "mfma", "vmem", "lds")
"""Issue classes of the instructions that work on the lanes that EXEC enables."""


@dataclass
class Statistics:
    """What a launch executed. Instruction counts are in wave-instructions; bytes count every active lane's access."""

    waves: int = 0
    instructions: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    matrix: Counter[str] = field(default_factory=Counter)
    global_bytes_read: int = 0
    global_bytes_written: int = 0
    lds_bytes_read: int = 0
    lds_bytes_written: int = 0
    lds_bank_conflict_cycles: int = 0
    idle_lanes: int = 0
    """Lanes that were switched off, summed over the vector instructions (VECTOR_CLASSES)."""
    # Only of launches with `profile`; see `traffic.py` for what a request and its lines are.
    scalar_bytes_read: int = 0
    unique_bytes_read: int = 0
    unique_bytes_written: int = 0
    global_requests: int = 0
    lines_64: int = 0
    lines_64_least: int = 0
    lines_128: int = 0
    lines_128_least: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Wave-instructions executed."""
        return sum(self.instructions.values())

    def add(self, other: Statistics) -> None:
        """Add another launch's counters."""
        for name, value in vars(other).items():
            if isinstance(value, Counter):
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        classes = ", ".join(f"{name} {count}" for name, count in self.classes.most_common())
        rate = f", {self.total / self.seconds / 1e6:.2f} million a second" if self.seconds else ""
        return f"{self.total} wave-instructions of {self.waves} waves{rate} ({classes})"
