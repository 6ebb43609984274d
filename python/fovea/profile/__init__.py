# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a package's kernels do and what they could reach on the chip: counted on the emulator, times modelled."""

from fovea.profile.collect import profile_package
from fovea.profile.document import make_document

__all__ = ["make_document", "profile_package"]
