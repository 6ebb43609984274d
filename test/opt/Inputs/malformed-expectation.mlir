// expected-error @nowhere {{x}}
