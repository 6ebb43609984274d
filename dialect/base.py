# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The dialect object that every op and attribute of `fovea` belongs to."""

from fovea.bindings import ext


class FoveaDialect(ext.Dialect, name="fovea"):
    """Quantisation, calibration and attention on tensors."""


def fail(op, message: str) -> bool:  # type: ignore[no-untyped-def]
    """Emit a located verifier error; returns False, what a verifier returns on failure."""
    op.location.emit_error(f"'{op.OPERATION_NAME}' op {message}")
    return False
