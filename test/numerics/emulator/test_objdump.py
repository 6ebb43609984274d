# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Instructions read from llvm-objdump: which tool is taken, what its text becomes, and what is refused.

The tools are small scripts, so the test needs no installed LLVM.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fovea.emulator import EmulationError
from fovea.emulator.objdump import disassemble_object, find_objdump

LISTING = """
x.hsaco:\tfile format elf64-amdgpu

Disassembly of section .text:

0000000000001600 <add>:
\ts_load_b128 s[4:7], s[0:1], null                           // 000000001610: F4080100 F8000000
\ts_delay_alu instid0(VALU_DEP_1) | instskip(NEXT) | instid1(VALU_DEP_1)// 000000001638: BF870091
\ts_cbranch_execz 65530                                      // 00000000163C: BFA5FFFA <add+0x10>
\ts_branch done                                              // 000000001640: BFA00001 <done>
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("os.get_exec_path", lambda: [str(tmp_path)])
    find_objdump.cache_clear()
    yield tmp_path
    find_objdump.cache_clear()


def install(folder: Path, name: str, targets: str, listing: str) -> None:
    (folder / f"{name}.txt").write_text(listing)
    path = folder / name
    path.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{targets}"; else cat "{folder / name}.txt"; fi\n'
    )
    path.chmod(0o755)


def test_the_newest_tool_with_the_target_is_taken(tools: Path) -> None:
    install(tools, "llvm-objdump-98", "x86-64", "")
    install(tools, "llvm-objdump-22", "amdgcn", LISTING)
    install(tools, "llvm-objdump-9", "amdgcn", "")
    assert find_objdump() == str(tools / "llvm-objdump-22")


def test_lines_keep_addresses_and_numeric_branches(tools: Path) -> None:
    install(tools, "llvm-objdump", "amdgcn", LISTING)
    assert disassemble_object(b"", "add", "gfx1100") == [
        (0x1610, "s_load_b128 s[4:7], s[0:1], null"),
        (0x1638, "s_delay_alu instid0(VALU_DEP_1) | instskip(NEXT) | instid1(VALU_DEP_1)"),
        (0x163C, "s_cbranch_execz 65530"),
        (0x1640, "s_branch 1"),
    ]


def test_refusals(tools: Path) -> None:
    with pytest.raises(EmulationError, match="no llvm-objdump with AMD GPU support"):
        disassemble_object(b"", "add", "gfx1201")
    find_objdump.cache_clear()
    install(tools, "llvm-objdump", "amdgcn", LISTING + "\t.long 0xdeadbeef     // 000000001644: DEADBEEF\n")
    with pytest.raises(EmulationError, match=r"cannot decode an instruction of gfx1201: \.long 0xdeadbeef"):
        disassemble_object(b"", "add", "gfx1201")
    install(tools, "llvm-objdump", "amdgcn", "nothing here\n")
    with pytest.raises(EmulationError, match="found no instruction"):
        disassemble_object(b"", "add", "gfx1201")
