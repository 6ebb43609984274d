# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""16 bytes of a matrix operand along the contracted dim, as kernels move them from global memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fovea.bindings import arith, ir, vector
from fovea.codegen import matrix, scalar
from fovea.codegen.elemental import Elemental
from fovea.codegen.indexing import Index
from fovea.codegen.types import element_bytes


@dataclass(frozen=True)
class ChunkSource:
    """An operand read along its contracted dims.

    map: its indexing map. lane_dim: the innermost contracted iteration dim, of extent `inner`. extent: elements along
    all contracted dims. ragged: whether chunks may begin past the end (they then hold zeros there).
    """

    value: Any
    map: Any
    lane_dim: int | None
    inner: int
    extent: int
    ragged: bool

    def load(self, elemental: Elemental, point: Callable[[Index], list[Index]], k: Index) -> Any:
        """The chunk from position `k` on as vector<16xi8>; `point(k)` is where in the iteration space that is."""
        index = elemental.index
        count = matrix.CHUNK_BYTES // element_bytes(self.value.type.element_type)
        width = count
        while width > 1 and self.inner % width:
            width //= 2
        parts = []
        for first in range(0, count, width):
            at = index.add(k, first)
            inside: Any = True
            if self.ragged:
                inside = index.less(at, self.extent)
                at = index.assume_multiple(index.minimum(at, self.extent - width), width)
            lane_dim = self.lane_dim if width > 1 else None
            part = scalar.broadcast(elemental.mapped(self.value, self.map, point(at), lane_dim, width), width)
            if inside is not True:
                zeros = scalar.constant(0, part.type)
                part = zeros if inside is False else arith.select(inside, part, zeros)
            parts.append(part)
        whole = parts[0]
        if len(parts) > 1:
            whole = scalar.from_lanes([scalar.lane(part, i) for part in parts for i in range(width)])
        return vector.bitcast(ir.VectorType.get([matrix.CHUNK_BYTES], ir.IntegerType.get_signless(8)), whole)
