# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The disassembler against LLVM: known byte/text pairs of every encoding, and whole kernels."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fovea.bindings import ir, passmanager
from fovea.emulator.disassembler import DisassemblyError, disassemble

HERE = Path(__file__).parent
BASE = 0x100000
PAIRS = [
    tuple(line.split(maxsplit=2))
    for line in (HERE / "disassembly_gfx942.txt").read_text().splitlines()
    if not line.startswith("#")
]
ENCODINGS = [
    "sop1", "sop2", "sopc", "sopk", "sopp", "smem", "vop1", "vop2", "vopc", "vop3", "vop3p", "ds", "flat", "mubuf",
    "mtbuf",
]  # fmt: skip
TO_ROCDL = (
    "builtin.module(gpu.module(expand-strided-metadata,convert-vector-to-scf,convert-amdgpu-to-rocdl{chipset=gfx942},"
    "convert-scf-to-cf,convert-gpu-to-rocdl{chipset=gfx942 use-bare-ptr-memref-call-conv=true index-bitwidth=32},"
    "reconcile-unrealized-casts))"
)
# Runs where the AMDGPU backend is: bytecode, linker directory, result without suffix.
SERIALIZE = """
import sys
from flydsl._mlir import ir, passmanager
from flydsl._mlir.dialects import gpu
source, toolkit, result = sys.argv[1:]
for format in ("isa", "bin"):
    with ir.Context():
        module = ir.Module.parse(open(source, "rb").read())
        passmanager.PassManager.parse(
            "builtin.module(rocdl-attach-target{chip=gfx942 O=3},"
            f"gpu-module-to-binary{{format={format} toolkit={toolkit}}})"
        ).run(module.operation)
        binary = next(op for op in module.body.operations if op.operation.name == "gpu.binary")
        data = gpu.ObjectAttr(ir.ArrayAttr(binary.operation.attributes["objects"])[0]).object
        open(f"{result}.{format}", "wb").write(bytes(data))
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_known_pairs(encoding: str) -> None:
    rows = [(code, text) for name, code, text in PAIRS if name == encoding]
    assert len(rows) >= 6
    for code, text in rows:
        raw = bytes.fromhex(code)
        decoded = disassemble(raw, BASE)
        assert [instruction.text for instruction in decoded] == [text], code
        assert decoded[0].address == BASE and decoded[0].size == len(raw)


def test_pairs_cover_every_encoding() -> None:
    counts = Counter(name for name, _, _ in PAIRS)
    assert set(counts) == set(ENCODINGS) and sum(counts.values()) >= 150


def test_a_run_of_instructions_keeps_addresses_and_sizes() -> None:
    raw = bytes.fromhex("".join(code for _, code, _ in PAIRS))
    decoded = disassemble(raw, BASE)
    assert len(decoded) == len(PAIRS)
    address = BASE
    for instruction, (name, code, text) in zip(decoded, PAIRS, strict=True):
        assert (instruction.address, instruction.size) == (address, len(code) // 2)
        if "branch" not in text and "s_call" not in text and "fork" not in text:  # those depend on their own address
            assert instruction.text == text, name
        address += instruction.size


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("000000c8", "no encoding"),  # interpolation instructions left with CDNA
        ("000000f0", "no encoding"),  # so did images
        ("00ff80be", "SOP1 opcode 255"),
        ("000081", "multiple of 4"),
        ("d1000000", "source field 209"),
        ("ff000002", "a literal is missing"),
        ("00803fdc00000000", "segment 2"),
        ("0300ccd300000000", "source 0 of a matrix instruction"),
        ("fa02007e000001ff", "dpp_ctrl 0x100"),
        ("f902027e00070000", "selection 7"),
        ("000000c0", "second word"),
        ("00a050dc00007f00", "only scratch"),
        ("000055e000000000", "no form that writes to LDS"),
    ],
)
def test_undecodable_bytes_are_refused(code: str, reason: str) -> None:
    prefix = bytes.fromhex("000080bf")
    with pytest.raises(DisassemblyError) as raised:
        disassemble(prefix + bytes.fromhex(code), BASE)
    assert reason in str(raised.value)
    if len(code) % 8 == 0:
        word = struct.unpack("<I", bytes.fromhex(code[:8]))[0]
        assert f"{BASE + 4:#x}" in str(raised.value) and f"{word:#010x}" in str(raised.value)


def test_an_unknown_chip_is_refused() -> None:
    with pytest.raises(DisassemblyError, match=r"gfx1201.*gfx942"):
        disassemble(b"", chip="gfx1201")


def test_padding_decodes() -> None:
    decoded = disassemble(bytes.fromhex("000081bf000080bf00009fbf"))
    assert [instruction.text for instruction in decoded] == ["s_endpgm", "s_nop 0", "s_code_end"]


def test_100_kilobytes_decode_as_their_repeated_part() -> None:
    once = bytes.fromhex("".join(code for _, code, _ in PAIRS))
    times = 100 * 1024 // len(once) + 1
    texts = [instruction.text for instruction in disassemble(once * times)]
    assert len(texts) == times * len(list(disassemble(once)))
    assert texts[-1] == list(disassemble(once))[-1].text


def _sections(elf: bytes) -> dict[str, tuple[int, bytes]]:
    """Section name -> address and contents (ELF-64 header and section header layout)."""
    (offset,) = struct.unpack_from("<Q", elf, 40)
    entry, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, offset + entry * n) for n in range(count)]
    strings = headers[names][4]

    def name(start: int) -> str:
        return elf[strings + start : elf.index(b"\0", strings + start)].decode()

    return {name(h[0]): (h[3], elf[h[4] : h[4] + h[5]] if h[1] != 8 else b"") for h in headers}


def _functions(elf: bytes) -> dict[str, tuple[int, int]]:
    """Function symbol -> address and size."""
    sections = _sections(elf)
    table, strings = sections[".symtab"][1], sections[".strtab"][1]
    found = {}
    for start in range(0, len(table), 24):
        name, info, _, _, value, size = struct.unpack_from("<IBBHQQ", table, start)
        if info & 15 == 2:
            found[strings[name : strings.index(b"\0", name)].decode()] = (value, size)
    return found


def _listing(text: str, names: set[str]) -> dict[str, tuple[list[str], dict[str, int]]]:
    """Of the backend's assembly text: function -> its instructions, and label -> index of the instruction after it."""
    functions: dict[str, tuple[list[str], dict[str, int]]] = {}
    current: tuple[list[str], dict[str, int]] | None = None
    for line in text.splitlines():
        line = line.split(";")[0].strip()
        label = re.fullmatch(r"([.\w]+):", line)
        if label and label[1] in names:
            current = functions.setdefault(label[1], ([], {}))
        elif label and label[1].startswith(".Lfunc_end"):
            current = None
        elif current is None or not line or (line.startswith(".") and not label):
            continue
        elif label:
            current[1][label[1]] = len(current[0])
        else:
            current[0].append(" ".join(line.split()))
    return functions


def test_kernels_match_the_backends_own_text(tmp_path: Path) -> None:
    with ir.Context():
        module = ir.Module.parse((HERE / "disassembly_kernels.mlir").read_text())
        passmanager.PassManager.parse(TO_ROCDL).run(module.operation)
        bytecode = io.BytesIO()
        module.operation.write_bytecode(bytecode)
    (tmp_path / "kernels.mlirbc").write_bytes(bytecode.getvalue())
    linker = tmp_path / "toolkit" / "llvm" / "bin" / "ld.lld"
    linker.parent.mkdir(parents=True)
    linker.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang ld.lld "$@"\n')
    linker.chmod(0o755)
    arguments = [tmp_path / "kernels.mlirbc", tmp_path / "toolkit", tmp_path / "kernels"]
    subprocess.run([sys.executable, "-c", SERIALIZE, *arguments], check=True, timeout=60, capture_output=True)

    elf = (tmp_path / "kernels.bin").read_bytes()
    functions = _functions(elf)
    assert set(functions) == {"matmul_f16", "matmul_fp8", "softmax", "branches"}
    expected = _listing((tmp_path / "kernels.isa").read_text(), set(functions))
    start, code = _sections(elf)[".text"]
    decoded = disassemble(code, start)  # all of it, with the padding between the functions
    mnemonics = set()
    for name, (address, size) in functions.items():
        ours = [instruction for instruction in decoded if address <= instruction.address < address + size]
        lines, labels = expected[name]
        assert len(ours) == len(lines), name
        targets = {label: hex(ours[index].address) for label, index in labels.items() if index < len(ours)}
        for instruction, line in zip(ours, lines, strict=True):
            resolved = re.sub(r"\.LBB\w+", lambda match, t=targets: t[match[0]], line)  # type: ignore[misc]
            assert instruction.text == resolved, f"{name} at {instruction.address:#x}"
            mnemonics.add(instruction.text.split()[0])
    for mnemonic in (
        "v_mfma_f32_32x32x16_fp8_fp8", "v_cvt_sr_fp8_f32", "v_cvt_f32_fp8_sdwa", "v_mov_b32_dpp", "ds_swizzle_b32",
        "ds_write_b64", "v_div_fmas_f64", "global_atomic_add", "buffer_wbl2", "s_cbranch_execz", "v_mad_u64_u32",
    ):  # fmt: skip
        assert mnemonic in mnemonics  # the kernels still compile to what they are here for
    assert len(mnemonics) > 90
