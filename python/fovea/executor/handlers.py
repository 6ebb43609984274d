# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table from op name to the function that runs it, filled by the modules of each dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]


class Frame(Protocol):
    """What a handler may ask of the function being run."""

    def value(self, value: Any) -> Array:
        """What an SSA value holds."""

    def run_region(self, op: Any, region: int, arguments: Sequence[Array]) -> list[Array]:
        """Run a region of one block; the operands of its terminator."""

    def used(self, result: Any) -> bool:
        """True if anyone looks at `result`."""

    def captured_value(self, op: Any, id_: str, value: Array) -> None:
        """Report the value at a `fovea.capture`."""

    def call(self, op: Any, name: str, arguments: Sequence[Array]) -> list[Array]:
        """Run another function of the module."""


Handler = Callable[[Frame, Any, Sequence[Array]], Sequence[Array | None]]
HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Decorator: the function runs the ops called `names`. It takes the frame, the op and its operands."""

    def add(function: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = function
        return function

    return add
