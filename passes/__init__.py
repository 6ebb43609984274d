# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fovea's passes: one file a pass. `fovea.passes.registry` finds them by name."""
