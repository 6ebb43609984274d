# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The dialect object that every op and attribute of `fovea` belongs to."""

from typing import Any

from fovea.bindings import ext


class FoveaDialect(ext.Dialect, name="fovea"):  # type: ignore[call-arg]
    """Quantisation, calibration and attention on tensors."""


def well_formed(op: Any, operands: int, results: int, **attributes: Any) -> bool:
    """True if `op` has at least that many operands and results, and each attribute with its class.

    MLIR calls a dialect's own verifier before the one that it derives from the op's definition. A verifier that finds
    its op not well formed returns True: the derived one then says what is missing.
    """
    counts = len(op.operands) >= operands and len(op.results) >= results
    return counts and all(
        name in op.attributes and isinstance(op.attributes[name], kind) for name, kind in attributes.items()
    )


def fail(op: Any, message: str) -> bool:
    """Emit a located verifier error; returns False, what a verifier returns on failure."""
    op.location.emit_error(f"'{op.OPERATION_NAME}' op {message}")
    return False
