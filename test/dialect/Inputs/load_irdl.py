# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the module in file 2, read with the dialects that the IRDL in file 1 defines and none of Fovea's Python."""

import sys

from fovea.bindings import ir, irdl

with ir.Context():
    irdl.load_dialects(ir.Module.parseFile(sys.argv[1]))
    print(ir.Module.parseFile(sys.argv[2]))
