# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The serialiser: code from workers, equal jobs once, and what a worker that fails, dies or hangs becomes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fovea.bindings import ir
from fovea.codegen import rocdl, serializer
from fovea.codegen.serializer import Job, serialize
from fovea.codeobject import read_code_object
from fovea.errors import CompileError

CHIP = "gfx942"
Install = Callable[[str], None]


def bytecode(text: str) -> bytes:
    with ir.Context() as context:
        context.allow_unregistered_dialects = True
        return rocdl.bytecode(ir.Module.parse(text))


def empty_kernel(name: str) -> Job:
    return Job(name, bytecode(f"gpu.module @{name} {{ llvm.func @{name}() attributes {{gpu.kernel, rocdl.kernel}} "
                              "{ llvm.return } }"))  # fmt: skip


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """`backend(code)`: bindings whose import runs `code` take the place of the real ones."""

    def make(code: str) -> None:
        package = tmp_path / "own_backend"
        package.mkdir()
        (package / "__init__.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
        monkeypatch.setenv(serializer.BACKEND_VARIABLE, "own_backend")

    return make


def test_results_keep_the_order_of_jobs_and_equal_jobs_are_compiled_once() -> None:
    a, b = empty_kernel("a"), empty_kernel("b")
    compiled: list[str] = []
    results = serialize([a, b, Job("again", a.bytecode)], CHIP, "isa", progress=compiled.append)
    assert sorted(compiled) == ["a", "b"]
    assert [".globl\ta" in results[0].decode(), ".globl\tb" in results[1].decode()] == [True, True]
    assert results[2] == results[0]


def test_code_objects() -> None:
    (code,) = serialize([empty_kernel("a")], CHIP)
    assert read_code_object(code).chip == CHIP
    assert list(read_code_object(code).kernels) == ["a"]


def test_no_jobs() -> None:
    assert serialize([], CHIP) == []


def test_broken_bytecode_names_the_kernel() -> None:
    with pytest.raises(CompileError, match=r"compiling kernel 'broken' failed:\n.*Unable to parse"):
        serialize([Job("broken", b"ML\xefR not bytecode")], CHIP, "isa")


def test_what_the_backend_refuses_names_the_kernel() -> None:
    text = 'gpu.module @k { llvm.func @k() attributes {gpu.kernel} { "no.such"() : () -> () llvm.return } }'
    with pytest.raises(CompileError, match=r"compiling kernel 'refused' failed:\n(.|\n)*dialect 'no' is unknown"):
        serialize([Job("refused", bytecode(text))], CHIP, "isa")
    with pytest.raises(CompileError, match=r"compiling kernel 'nothing' failed:\n.*left no gpu.binary"):
        serialize([Job("nothing", bytecode("func.func @f() { return }"))], CHIP, "isa")


def test_an_instruction_that_the_chip_lacks() -> None:
    """LLVM only reports it and leaves an empty function: this one came with gfx950."""
    text = """gpu.module @k { llvm.func @k(%p: !llvm.ptr<1>, %a: i32) attributes {gpu.kernel, rocdl.kernel} {
      %no = llvm.mlir.constant(false) : i1
      %pair = llvm.call_intrinsic "llvm.amdgcn.permlane16.swap"(%a, %a, %no, %no)
          : (i32, i32, i1, i1) -> !llvm.struct<(i32, i32)>
      %low = llvm.extractvalue %pair[0] : !llvm.struct<(i32, i32)>
      llvm.store %low, %p : i32, !llvm.ptr<1>
      llvm.return
    } }"""
    with pytest.raises(CompileError, match=r"compiling kernel 'newer' failed:\nerror: .* requires target feature"):
        serialize([Job("newer", bytecode(text))], CHIP, "isa")


def test_a_worker_that_is_killed(backend: Install) -> None:
    backend("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(CompileError, match=r"the code generator died \(status -9\) while compiling kernel 'a'"):
        serialize([empty_kernel("a")], CHIP, "isa")


def test_a_worker_that_aborts_says_its_last_words(backend: Install) -> None:
    backend("import os, sys\nprint('LLVM ERROR: cannot select', file=sys.stderr, flush=True)\nos.abort()")
    with pytest.raises(CompileError, match=r"died \(status -6\) while compiling kernel 'a':\nLLVM ERROR: cannot sel"):
        serialize([empty_kernel("a")], CHIP, "isa")


def test_a_worker_that_hangs(backend: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    backend("import time\ntime.sleep(60)")
    monkeypatch.setattr(serializer, "TIMEOUT_SECONDS", 1)
    with pytest.raises(CompileError, match=r"compiling kernel 'a' was stopped: it took more than 1 s"):
        serialize([empty_kernel("a")], CHIP, "isa")


def test_a_talkative_worker_does_not_block(backend: Install) -> None:
    backend("import sys\nfor _ in range(3000):\n    print('remark: ' + 100 * 'x', file=sys.stderr)\nraise ImportError")
    with pytest.raises(CompileError, match="none of these packages holds MLIR bindings: own_backend"):
        serialize([empty_kernel("a")], CHIP, "isa")


def test_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(serializer.BACKEND_VARIABLE, "no_such_package")
    with pytest.raises(CompileError, match="none of these packages holds MLIR bindings: no_such_package"):
        serialize([empty_kernel("a")], CHIP, "isa")


def test_after_an_error_no_further_job_begins() -> None:
    compiled: list[str] = []
    jobs = [Job("broken", b"no"), *(empty_kernel(f"k{i}") for i in range(40))]
    with pytest.raises(CompileError, match="kernel 'broken'"):
        serialize(jobs, CHIP, "isa", workers=1, progress=compiled.append)
    assert len(compiled) < 10  # those that began before the error was seen


def test_a_linker_that_fails_names_the_kernel(tmp_path: Path) -> None:
    linker = tmp_path / "ld.lld"
    linker.write_text("#!/bin/sh\nexit 3\n")
    linker.chmod(0o755)
    with pytest.raises(CompileError, match=r"compiling kernel 'a' failed"):
        serialize([empty_kernel("a")], CHIP, lld=str(linker))
