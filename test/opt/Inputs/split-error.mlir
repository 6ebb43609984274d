func.func @fine() { return }
// -----

func.func @broken() -> f32 {
  return
}
