# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each kernel of a package uses: registers, LDS, scratch, code, and its matrix instructions by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fovea.codeobject import CodeObject, Kernel, read_code_object
from fovea.emulator import disassembler
from fovea.errors import InputError
from fovea.plan import Plan

MATRIX_PREFIXES = ("v_mfma_", "v_smfmac_", "v_wmma_", "v_swmmac_")


@dataclass(frozen=True)
class KernelResources:
    """One kernel as it is launched. Registers are counted a lane (vgpr, agpr) or a wave (sgpr), sizes are bytes.

    launches: how often the plan launches it so. spills: registers kept in scratch memory. matrix: matrix instructions
    in its code by mnemonic; None if the code could not be disassembled.
    """

    name: str
    code_object: str
    launches: int
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    vgpr: int
    agpr: int
    sgpr: int
    vgpr_spills: int
    sgpr_spills: int
    lds_bytes: int
    scratch_bytes: int
    code_bytes: int
    matrix: dict[str, int] | None

    @property
    def spills(self) -> int:
        """Registers of either kind that the kernel spills."""
        return self.vgpr_spills + self.sgpr_spills


def kernel_resources(plan: Plan, code_objects: Mapping[str, bytes]) -> list[KernelResources]:
    """The kernels of a plan in the order of their first launch; one entry for each grid and block that a kernel has.

    InputError if a code object cannot be read or lacks the kernel.
    """
    parsed: dict[str, CodeObject] = {}
    for launch in plan.launches:
        if launch.code_object not in parsed:
            try:
                parsed[launch.code_object] = read_code_object(code_objects[launch.code_object])
            except InputError as error:
                raise InputError(f"{launch.code_object}: {error}") from error
    counts = Counter((launch.code_object, launch.kernel, launch.grid, launch.block) for launch in plan.launches)
    result = []
    for (file, name, grid, block), launches in counts.items():
        code = parsed[file]
        kernel = code.kernel(name)
        result.append(
            KernelResources(
                name, file, launches, grid, block, kernel.vgpr_count, kernel.agpr_count, kernel.sgpr_count,
                kernel.vgpr_spill_count, kernel.sgpr_spill_count, kernel.lds_bytes, kernel.scratch_bytes,
                kernel.code_bytes, matrix_instructions(code, kernel),
            )
        )  # fmt: skip
    return result


def matrix_instructions(code: CodeObject, kernel: Kernel) -> dict[str, int] | None:
    """Matrix instructions in a kernel's code (not executed ones) by mnemonic, None if it cannot be disassembled."""
    try:
        instructions = disassembler.disassemble(code.read(kernel.entry, kernel.code_bytes), kernel.entry, code.chip)
    except disassembler.DisassemblyError:
        return None
    mnemonics = (instruction.text.split(maxsplit=1)[0] for instruction in instructions)
    return dict(sorted(Counter(m for m in mnemonics if m.startswith(MATRIX_PREFIXES)).items()))
