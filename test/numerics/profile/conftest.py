# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The emulator's tests have the runner of assembly text and the compiler of small kernels that these tests share."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "emulator"))
