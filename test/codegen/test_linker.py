# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where ld.lld is looked for, in which order, and what is said when there is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from fovea.codegen import linker
from fovea.errors import CompileError

Install = Callable[[str], str]


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """`install("a/ld.lld")` makes an executable file below a folder of the test and gives its path."""

    def make(path: str) -> str:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('#!/bin/sh\necho "linked $*"\n')
        file.chmod(0o755)
        return str(file)

    return make


@pytest.fixture
def wheels(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Installed packages by name, with their folders; nothing else is found anywhere."""
    present: dict[str, list[str]] = {}

    def find_spec(name: str) -> Any:
        if name not in present:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = present[name]
        return spec

    monkeypatch.setattr(linker.importlib.util, "find_spec", find_spec)
    for variable in (linker.VARIABLE, "ROCM_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    return present


def test_order(install: Install, wheels: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheels["ziglang"] = []
    assert linker.find() == [sys.executable, "-m", "ziglang", "ld.lld"]
    in_wheel = install("wheel/lib/llvm/bin/ld.lld")
    wheels["_rocm_sdk_core"] = [str(tmp_path / "wheel")]
    assert linker.find() == [in_wheel]
    older, newer = install("path/ld.lld-19"), install("path/ld.lld-22")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert linker.find() == [newer] != [older]
    plain = install("path/ld.lld")
    assert linker.find() == [plain]
    in_rocm = install("rocm/llvm/bin/ld.lld")
    monkeypatch.setenv("ROCM_PATH", str(tmp_path / "rocm"))
    assert linker.find() == [in_rocm]
    monkeypatch.setenv(linker.VARIABLE, install("named/lld"))
    assert linker.find() == [str(tmp_path / "named/lld")]
    assert linker.find(install("given/lld")) == [str(tmp_path / "given/lld")]


def test_none(wheels: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROCM_PATH", "/nonexistent")
    with pytest.raises(CompileError) as caught:
        linker.find()
    for word in ("ROCM_PATH", "PATH (ld.lld)", "PATH (ld.lld-19)", "/opt/rocm", "ziglang", "FOVEA_LLD", "--lld"):
        assert word in str(caught.value)


@pytest.mark.parametrize("by", ["option", "variable"])
def test_named_but_absent(
    by: str, wheels: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A linker that is named is not looked for elsewhere."""
    wheels["ziglang"] = []
    absent = str(tmp_path / "ld.lld")
    if by == "variable":
        monkeypatch.setenv(linker.VARIABLE, absent)
    with pytest.raises(CompileError, match=r"is not an executable file; give the path of ld.lld") as caught:
        linker.find(absent if by == "option" else None)
    assert absent in str(caught.value)


@pytest.mark.parametrize("folder", ["plain", "with space", "with 'quote'"])
def test_toolkit_runs_the_command(folder: str, install: Install, tmp_path: Path) -> None:
    command = [install(f"{folder}/ld.lld"), "first argument", "it's"]
    toolkit = linker.make_toolkit(tmp_path / "toolkit", command)
    found = subprocess.run([toolkit / "llvm/bin/ld.lld", "-o", "a b"], capture_output=True, text=True, check=True)
    assert found.stdout == "linked first argument it's -o a b\n"
