// Announced diagnostics that come true: success, and what is valid is printed.
// RUN: fovea-opt %s --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not fovea-opt %S/Inputs/wrong-expectations.mlir --split-input-file --verify-diagnostics 2>&1 | FileCheck %s --check-prefix=WRONG
// RUN: not fovea-opt %S/Inputs/malformed-expectation.mlir --verify-diagnostics 2>&1 | FileCheck %s --check-prefix=MALFORMED

func.func @below() -> f32 {
  // expected-error @below {{op has 0 operands}}
  return
}
// -----
func.func @above() -> f32 {
  return
  // expected-error @above {{op has 0 operands}}
}
// -----
func.func @plus() -> f32 {
  // expected-error@+2 {{op has 0 operands}}

  return
}
// -----
func.func @minus() -> f32 {
  return

  // expected-error @-2 {{op has 0 operands}}
}
// -----
func.func @same() -> f32 {
  return // expected-error {{op has 0 operands}}
}
// -----
// Notes can be announced too; @below skips lines that announce.
module {
  // expected-note @below {{see existing symbol definition here}}
  func.func private @twice()
  // expected-error @below {{redefinition of}}
  func.func private @twice()
}
// -----
// CHECK: func.func @fine
func.func @fine() { return }

// WRONG-DAG: wrong-expectations.mlir:3:3: error: unexpected error: 'func.return' op has 0 operands
// WRONG-DAG: wrong-expectations.mlir:2: error: expected error "another message" was not produced at line 3
// WRONG-DAG: wrong-expectations.mlir:6: error: expected warning "nothing here" was not produced at line 7
// WRONG-DAG: wrong-expectations.mlir:11: error: expected error "has 0 operands" was not produced at line 11
// WRONG-DAG: wrong-expectations.mlir:12:3: error: unexpected error: 'func.return' op has 0 operands

// MALFORMED: malformed-expectation.mlir: line 1: expected a comment of the form
