func.func @message() -> f32 {
  // expected-error @below {{another message}}
  return
}
// -----
// expected-warning @below {{nothing here}}
func.func @fine() { return }
// -----
func.func @line() -> f32 {

  // expected-error @+0 {{has 0 operands}}
  return
}
