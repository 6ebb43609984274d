# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs of ops evaluated together give the bits that each op alone gives, and nobody's memory is used again too soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from linalg_text import normal

from fovea.errors import ExecutionError
from fovea.executor import Executor, pieces
from fovea.executor.program import compile_block
from fovea.executor.recycling import Recycler, empty, recycling, reshape

Parse = Callable[[str], Any]

ALIASES = """
#rows = affine_map<(d0, d1) -> (d0, d1)>
#column = affine_map<(d0, d1) -> (d1)>
#cube = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#one = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
#batch = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
"""
SOFTMAX = """%z: f32, %m: tensor<4x1x60xf32>, %x: tensor<1200x60xf32>, %b: tensor<60xf32>)
    -> (tensor<4x300x60xf32>, tensor<4x300x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -3.0 : f32
  %e = tensor.empty() : tensor<1200x60xf32>
  %0 = linalg.generic {indexing_maps = [#rows, #column, #rows], iterator_types = ["parallel", "parallel"]}
      ins(%x, %b : tensor<1200x60xf32>, tensor<60xf32>) outs(%e : tensor<1200x60xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1200x60xf32>
  %1 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [4, 300, 60] : tensor<1200x60xf32> into tensor<4x300x60xf32>
  %ec = tensor.empty() : tensor<4x300x60xf32>
  %2 = linalg.generic {indexing_maps = [#cube, #batch, #cube], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%1, %m : tensor<4x300x60xf32>, tensor<4x1x60xf32>) outs(%ec : tensor<4x300x60xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %t = arith.mulf %p, %z : f32
    %s = arith.addf %t, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x300x60xf32>
  %er = tensor.empty() : tensor<4x300x1xf32>
  %3 = linalg.fill ins(%low : f32) outs(%er : tensor<4x300x1xf32>) -> tensor<4x300x1xf32>
  %4 = linalg.generic {indexing_maps = [#cube, #one], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%2 : tensor<4x300x60xf32>) outs(%3 : tensor<4x300x1xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.maximumf %p, %o : f32
    linalg.yield %s : f32
  } -> tensor<4x300x1xf32>
  %5 = linalg.generic {indexing_maps = [#cube, #one, #cube], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%2, %4 : tensor<4x300x60xf32>, tensor<4x300x1xf32>) outs(%ec : tensor<4x300x60xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %t = arith.subf %p, %q : f32
    %s = math.exp %t : f32
    linalg.yield %s : f32
  } -> tensor<4x300x60xf32>
  %6 = linalg.fill ins(%zero : f32) outs(%er : tensor<4x300x1xf32>) -> tensor<4x300x1xf32>
  %7 = linalg.generic {indexing_maps = [#cube, #one], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%5 : tensor<4x300x60xf32>) outs(%6 : tensor<4x300x1xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %o : f32
    linalg.yield %s : f32
  } -> tensor<4x300x1xf32>
  %8 = linalg.generic {indexing_maps = [#cube, #one, #cube], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%5, %7 : tensor<4x300x60xf32>, tensor<4x300x1xf32>) outs(%ec : tensor<4x300x60xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.divf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x300x60xf32>
  return %8, %7 : tensor<4x300x60xf32>, tensor<4x300x1xf32>
}"""
INPUTS = [np.float32(0.3), normal(4, 1, 60), normal(1200, 60), normal(60)]


def softmax_module(parse: Parse) -> Any:
    return parse(f"{ALIASES}\nfunc.func @main({SOFTMAX}")


def test_a_run_is_one_step(parse: Parse) -> None:
    module = softmax_module(parse)
    block = module.body.operations[0].body.blocks[0]
    structured = [op for op in block.operations if op.operation.name == "linalg.generic"]
    fused, alone = (len(compile_block(block, fuse, True).steps) for fuse in (True, False))
    # the bias has one row for all; the mask has one for each of four batches
    assert alone - fused == len(structured)  # six ops and a reshape make one step


def test_a_run_gives_the_bits_of_its_ops_alone(parse: Parse) -> None:
    module = softmax_module(parse)
    seen: list[Any] = []
    alone = Executor(module, on_value=lambda op, results: seen.extend(results)).run(INPUTS)
    fused = Executor(module).run(INPUTS)
    assert len(seen) > len(fused)
    for a, b in zip(fused, alone, strict=True):
        assert np.array_equal(a, b) and a.dtype == b.dtype
    scores = INPUTS[2].astype(np.float64).reshape(4, 300, 60) + INPUTS[3]
    exponents = np.exp(scores * INPUTS[0] + INPUTS[1])
    # a few roundings of f32 on either side of exp of values up to 6
    np.testing.assert_allclose(fused[0], exponents / exponents.sum(axis=2, keepdims=True), rtol=1e-5)


def test_rows_do_not_depend_on_the_number_of_threads(parse: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    executor, found = Executor(softmax_module(parse)), []
    for threads in (1, 2, 5):
        monkeypatch.setattr(pieces, "threads", lambda threads=threads: threads)
        found.append(executor.run(INPUTS))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_a_row_of_another_and_an_assertion_end_a_run(parse: Parse) -> None:
    """Column 0 of what the run makes is not a row's own value at each place; an assertion must still be made."""
    module = parse("""
    #cube = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
    #first = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
    func.func @main(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2x3x4xf32>
      %0 = linalg.generic {indexing_maps = [#cube, #cube], iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%x : tensor<2x3x4xf32>) outs(%e : tensor<2x3x4xf32>) {
      ^bb0(%p: f32, %o: f32):
        %s = math.exp %p : f32
        linalg.yield %s : f32
      } -> tensor<2x3x4xf32>
      %1 = linalg.generic {indexing_maps = [#cube, #first, #cube],
          iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%0, %0 : tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%e : tensor<2x3x4xf32>) {
      ^bb0(%p: f32, %q: f32, %o: f32):
        %s = arith.subf %p, %q : f32
        linalg.yield %s : f32
      } -> tensor<2x3x4xf32>
      %2 = linalg.generic {indexing_maps = [#cube, #cube], iterator_types = ["parallel", "parallel", "parallel"]}
          ins(%1 : tensor<2x3x4xf32>) outs(%e : tensor<2x3x4xf32>) {
      ^bb0(%p: f32, %o: f32):
        %c = arith.cmpf oge, %p, %zero : f32
        cf.assert %c, "falls"
        %s = arith.addf %p, %p : f32
        linalg.yield %s : f32
      } -> tensor<2x3x4xf32>
      return %2 : tensor<2x3x4xf32>
    }""")
    rising = np.sort(normal(2, 3, 4), axis=2)
    exponents = np.exp(rising)
    assert np.array_equal(Executor(module).run([rising])[0], 2 * (exponents - exponents[:, :, :1]))
    with pytest.raises(ExecutionError, match="falls"):
        Executor(module).run([rising[:, :, ::-1]])


def test_results_of_one_run_outlive_the_next(parse: Parse) -> None:
    executor = Executor(softmax_module(parse))
    first = executor.run(INPUTS)
    kept = [x.copy() for x in first]
    executor.run([np.float32(2), *INPUTS[1:]])
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))


def test_memory_is_used_again_once_no_array_refers_to_it() -> None:
    shape = (512, 512)
    with recycling(Recycler()):
        first = empty(shape, np.float32)
        part = first[3:, ::2].T
        first_at = first.ctypes.data
        del first
        assert empty(shape, np.float32).ctypes.data != first_at  # `part` still reads it
        del part
        again = {empty(shape, np.float32).ctypes.data for _ in range(3)}
    assert len(again) == 1


def test_reshape_copies_only_what_has_no_view() -> None:
    x = normal(6, 4)
    assert np.shares_memory(reshape(x, [2, 12]), x)
    assert np.array_equal(reshape(x.T, [2, 12]), x.T.reshape(2, 12))


def test_observing_leaves_out_what_no_capture_depends_on(parse: Parse) -> None:
    seen: dict[str, Any] = {}
    module = parse("""func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %0 = arith.mulf %x, %x : tensor<4xf32>
      %1 = "fovea.capture"(%0) {calibrated = false, id = "square", max_abs = 0.0 : f32}
          : (tensor<4xf32>) -> tensor<4xf32>
      %2 = math.exp %1 : tensor<4xf32>
      return %2 : tensor<4xf32>
    }""")
    executor = Executor(module, on_capture=lambda op, id_, value: seen.update({id_: value.copy()}))
    x = normal(4)
    assert executor.observe([x]) is None
    assert np.array_equal(seen["square"], x * x)
    program = compile_block(module.body.operations[0].body.blocks[0], fuse=True, results=False)
    assert [step.op.operation.name for step in program.steps] == ["arith.mulf", "fovea.capture"]
