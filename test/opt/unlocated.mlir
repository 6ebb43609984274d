// RUN: fovea-opt %s --verify-diagnostics --convert-amdgpu-to-rocdl={chipset=bogus}
// expected-error @unknown {{Invalid chipset name: bogus}}
func.func @a() { return }
