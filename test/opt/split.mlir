// RUN: fovea-opt %s --split-input-file | FileCheck %s
// RUN: not fovea-opt %S/Inputs/split-error.mlir --split-input-file 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: not fovea-opt < %S/Inputs/split-error.mlir --split-input-file 2>&1 | FileCheck %s --check-prefix=STDIN

// Two modules may define one symbol; lines are counted in the whole file.
// CHECK: func.func @same
// CHECK: // -----
// CHECK: func.func @same
func.func @same() { return }
// -----
func.func @same() { return }

// ERROR: split-error.mlir:5:3: error: 'func.return' op has 0 operands
// ERROR-NEXT: {{^  return}}
// STDIN: <stdin>:5:3: error: 'func.return' op has 0 operands
