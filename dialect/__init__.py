# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The `fovea` dialect: one file an op or attribute. `fovea.dialect.register(context)` loads it into a context."""

from fovea.dialect.registration import register

__all__ = ["register"]
