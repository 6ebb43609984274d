# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fixtures: a context with the dialect, parsing, and running a function body with named inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fovea.dialect
from fovea.bindings import ir
from fovea.executor import run

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="session")
def context() -> Any:
    """One MLIR context for all tests, with the fovea dialect."""
    made = ir.Context()
    fovea.dialect.register(made)
    return made


@pytest.fixture
def parse(context: Any) -> Callable[[str], Any]:
    """Parse and verify a module."""

    def make(text: str) -> Any:
        return ir.Module.parse(text, context)

    return make


@pytest.fixture
def execute(parse: Callable[[str], Any]) -> Callable[..., Any]:
    """`execute(signature, body, *inputs)`: run a function; one result alone, several as a list.

    The signature is what stands between the function's name and its body, e.g. "(%a: f32) -> f32". Lines of `body`
    before a line `---` go in front of the module (aliases).
    """

    def make(signature: str, body: str, *inputs: Any) -> Any:
        aliases, _, code = body.rpartition("---")
        results = run(parse(f"{aliases}\nfunc.func @main{signature} {{\n{code}\n}}"), [np.asarray(x) for x in inputs])
        return results[0] if len(results) == 1 else results

    return make
