#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`python/compile.py MODEL [options]` is `fovea compile MODEL [options]`; Fovea must be installed."""

import sys
from pathlib import Path

# Python puts this file's folder first in the path, where `fovea` is a source tree without its dialect and passes.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE]

if __name__ == "__main__":
    try:
        from fovea.cli import main
    except ImportError as error:
        sys.exit(f"compile.py: error: {error}; install the project first: pip install {_HERE.parent}")
    sys.exit(main(["compile", *sys.argv[1:]]))
