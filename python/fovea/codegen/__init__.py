# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a kernel function on tensors to a GPU kernel in vector/scf/memref/gpu/rocdl, and on to a code object."""
