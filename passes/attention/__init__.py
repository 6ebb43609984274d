# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finding attention: the matcher that detection and fusion share.

A candidate is read as mathematics, not as a list of ops: `evaluate` pulls the value of the second contraction back
through generics, named ops and reshapes to one scalar expression over index atoms (`expression`), and `softmax` and
`contraction` ask that expression for a normalised exponential between two sums of products. How the ops were split,
fused, reshaped or transposed does not show in it.
"""

from fovea.passes.attention.matcher import match_sites
from fovea.passes.attention.site import NearMiss, Site

__all__ = ["NearMiss", "Site", "match_sites"]
