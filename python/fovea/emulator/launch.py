# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`emulate`: load a code object, pack its arguments, and run a grid of workgroups."""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fovea.codeobject import CodeObject, Kernel, read_code_object
from fovea.emulator import disassembler
from fovea.emulator.allocation import require_allocated
from fovea.emulator.checks import Memo
from fovea.emulator.chips import CHIPS
from fovea.emulator.errors import DecodeError, EmulationError, Fault
from fovea.emulator.group import Group
from fovea.emulator.machine import LOOP_LIMIT, Machine
from fovea.emulator.memory import AddressSpace
from fovea.emulator.objdump import disassemble_object
from fovea.emulator.program import Program, load_program
from fovea.emulator.sharing import Contested, Recorders, Sharing
from fovea.emulator.statistics import Statistics
from fovea.emulator.text import SGPR_SLOTS, TTMP, parse_assembly
from fovea.emulator.traffic import Traffic
from fovea.emulator.written import Written

Array = np.ndarray[Any, Any]
_CODE_BASE = 0x4000_0000_0000
_SLICE_BYTES = 48 << 20
"""Register file bytes of a slice: beyond the caches lockstep gains nothing, and memory is finite."""
_SLICE_WAVES = 512
_programs: dict[Any, Program] = {}
_HIDDEN = {
    "hidden_block_count_x": ("<I", "grid", 0), "hidden_block_count_y": ("<I", "grid", 1),
    "hidden_block_count_z": ("<I", "grid", 2), "hidden_group_size_x": ("<H", "block", 0),
    "hidden_group_size_y": ("<H", "block", 1), "hidden_group_size_z": ("<H", "block", 2),
}  # fmt: skip
"""Implicit kernel arguments that depend on the launch; the other hidden ones are zero."""


def emulate(
    code_object: str | os.PathLike[str] | bytes,
    kernel: str | None = None,
    grid: Sequence[int] = (1, 1, 1),
    block: Sequence[int] = (64, 1, 1),
    args: Sequence[Any] = (),
    dynamic_lds: int = 0,
    checks: bool = True,
    assembly: str | None = None,
    profile: bool = False,
    loop_limit: int = LOOP_LIMIT,
    uninitialised: Sequence[int] | Mapping[int, Array] = (),
) -> Statistics:
    """Run a kernel's own instructions.

    `grid` counts workgroups, `block` work-items. `args` are the kernel's arguments in order: contiguous numpy arrays
    are buffers, written in place (each is its own buffer for bounds checks); numpy scalars go by value
    (`np.uint64(0)` is a null pointer). `dynamic_lds` bytes are added to the kernel's LDS. Bounds are always checked;
    `checks` adds reads of unwritten registers, LDS and memory, races between waves and between workgroups, divergent
    barriers, and missing waits and wait states. `uninitialised` are the numbers of the buffers whose content is not
    defined before the launch, or a mapping from them to byte arrays of the buffers' sizes that hold 0 where nothing was
    written yet and 255 elsewhere, which the launch keeps up to date. A wave that takes more than `loop_limit` backward
    branches counts as one that never ends. `assembly` is the backend's text of the same
    kernel, used instead of disassembling the code object. `profile` also counts cache lines of requests and the
    distinct bytes of the buffers, at a cost of some percent.

    Raises EmulationError for what hardware would punish and for what the emulator does not know; InputError for a
    code object that cannot be read.
    """
    obj = read_code_object(code_object)
    if obj.chip not in CHIPS:
        raise EmulationError(f"the emulator runs {', '.join(CHIPS)}; the code object is for {obj.chip}")
    chosen = obj.kernel(kernel)
    grid3, block3 = _triple(grid, "grid"), _triple(block, "block")
    threads = block3[0] * block3[1] * block3[2]
    if threads > chosen.max_workgroup_size:
        raise EmulationError(
            f"kernel {chosen.name}: block {block3} has {threads} work-items, the kernel allows "
            f"{chosen.max_workgroup_size}"
        )
    if chosen.wavefront_size != CHIPS[obj.chip].lanes:
        raise EmulationError(
            f"kernel {chosen.name}: waves of {chosen.wavefront_size} lanes are not supported on {obj.chip}, expected "
            f"{CHIPS[obj.chip].lanes}"
        )
    if chosen.required_workgroup_size not in (None, block3):
        raise EmulationError(
            f"kernel {chosen.name}: block {block3} given, the kernel was compiled for {chosen.required_workgroup_size}"
        )
    if chosen.lds_bytes + dynamic_lds > CHIPS[obj.chip].lds_bytes:
        raise EmulationError(
            f"kernel {chosen.name}: {chosen.lds_bytes + dynamic_lds} bytes of LDS, the chip has "
            f"{CHIPS[obj.chip].lds_bytes}"
        )
    program = _program(obj, chosen, assembly)
    space = AddressSpace()
    for number, segment in enumerate(obj.segments):
        image = np.zeros(segment.memory_size, np.uint8)
        image[: len(segment.data)] = np.frombuffer(segment.data, np.uint8)
        image.flags.writeable = segment.writable
        space.add(image, f"code object segment {number}", _CODE_BASE + segment.address)
    if checks:
        space.keep = True
    kernarg = _pack(chosen, args, space, grid3, block3, dynamic_lds)
    kernarg.flags.writeable = False
    kernarg_base = space.add(kernarg, "kernel arguments").base
    items = [g * b for g, b in zip(grid3, block3, strict=True)]
    packet = struct.pack("<HHHHHHIIIII", 0, 0, *block3, 0, *items, 0, 0).ljust(64, b"\0")
    packet_base = space.add(np.frombuffer(packet, np.uint8), "dispatch packet").base
    if checks:
        _mark(chosen, space, args, uninitialised)
    return _run(
        _Launch(
            program, chosen, space, grid3, block3, kernarg_base, packet_base, dynamic_lds, checks, profile, loop_limit
        )
    )


@dataclass(frozen=True)
class _Launch:
    """A launch with everything in place."""

    program: Program
    kernel: Kernel
    space: AddressSpace
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    kernarg_base: int
    packet_base: int
    dynamic_lds: int
    checks: bool
    profile: bool
    loop_limit: int


def _run(launch: _Launch) -> Statistics:
    started = time.perf_counter()
    while True:
        try:
            statistics = _attempt(launch)
            break
        except Contested as settings:
            launch.space.restore()
            launch.program.contested = settings.granule, settings.exact
    statistics.seconds = time.perf_counter() - started
    return statistics


def _attempt(launch: _Launch) -> Statistics:
    """The launch's statistics but for the time. Raises Contested if it has to run again, more closely watched."""
    program, kernel, space, grid, block = launch.program, launch.kernel, launch.space, launch.grid, launch.block
    statistics = Statistics()
    arguments = [buffer for buffer in space.buffers if buffer.name.startswith("argument ")]
    traffic = Traffic(space, arguments, statistics) if launch.profile else None
    total = grid[0] * grid[1] * grid[2]
    sharing = None
    if launch.checks and total > 1:
        granule, exact = program.contested or (None, False)
        sharing = Sharing(space, program, grid, exact, granule)
    recorders = [r for r in (traffic, sharing) if r is not None]
    recorder = recorders[0] if len(recorders) == 1 else Recorders(*recorders) if recorders else None
    waves = -(-block[0] * block[1] * block[2] // kernel.wavefront_size)
    statistics.waves = total * waves
    registers = program.vgprs + program.agprs
    fits = max(min(_SLICE_BYTES // (registers * 256), _SLICE_WAVES) // waves, 1)
    # Equal slices, so that the last one is not a small one.
    step = -(-total // -(-total // fits)) if total else 1
    memo = Memo()
    with np.errstate(all="ignore"):
        for first in range(0, total, step):
            count = min(step, total - first)
            machine = Machine(
                program, space, statistics, first, count, waves, kernel.lds_bytes + launch.dynamic_lds,
                kernel.scratch_bytes, kernel.float_mode, grid, launch.checks, memo, recorder, sharing,
                loop_limit=launch.loop_limit,
            )  # fmt: skip
            machine.run(_start(machine, kernel, block, launch.kernarg_base, launch.packet_base))
    if traffic is not None:
        traffic.finish()
    if sharing is not None:
        try:
            sharing.finish()
        except Fault as fault:
            raise EmulationError(f"kernel {kernel.name}: {fault.message}") from None
    return statistics


def _mark(
    kernel: Kernel, space: AddressSpace, args: Sequence[Any], uninitialised: Sequence[int] | Mapping[int, Array]
) -> None:
    """Note what is not written of the buffers. Raises EmulationError for a wrong number or array."""
    given = uninitialised if isinstance(uninitialised, Mapping) else dict.fromkeys(uninitialised)
    buffers = {buffer.name: buffer for buffer in space.buffers}
    for number, marks in given.items():
        buffer = buffers.get(f"argument {number}")
        if buffer is None:
            raise EmulationError(f"kernel {kernel.name}: argument {number} is not a buffer, it cannot be uninitialised")
        if marks is None:
            marks = np.zeros(buffer.size, np.uint8)
        elif marks.dtype != np.uint8 or marks.shape != (buffer.size,) or not marks.flags.c_contiguous:
            raise EmulationError(
                f"kernel {kernel.name}: marks of argument {number}: expected uint8 of shape ({buffer.size},), found "
                f"{marks.dtype} of shape {marks.shape}"
            )
        if not marks.all():
            buffer.written = Written(marks)


def _start(
    machine: Machine, kernel: Kernel, block: tuple[int, int, int], kernarg_base: int, packet_base: int
) -> Group:
    """All waves of the slice with the registers that a launch sets."""
    program, waves = machine.program, machine.wave_count
    vector = np.zeros((program.vgprs + program.agprs, waves, 64), np.uint32)
    scalar = np.zeros((waves, SGPR_SLOTS), np.uint32)
    numbers = np.arange(waves)
    threads = block[0] * block[1] * block[2]
    # Waves of 32 lanes have the upper half of their 64 switched off.
    lanes = np.arange(64)
    flat = (numbers % machine.waves_per_group)[:, None] * kernel.wavefront_size + lanes
    active = (flat < threads) & (lanes < kernel.wavefront_size)
    scalar.view(np.uint64)[:, 63] = np.packbits(active, axis=-1, bitorder="little").view(np.uint64)[:, 0]
    x, y, z = flat % block[0], flat // block[0] % block[1], flat // (block[0] * block[1])
    vector[0] = x | y << 10 | z << 20
    group = Group(machine, numbers, vector, scalar, np.zeros(waves, bool), 0)
    group.defined_v[0] = 1
    slot = 0

    def place(values: Any) -> None:
        nonlocal slot
        scalar[:, slot] = values
        group.defined_s[slot] = 1
        slot += 1

    pointers = {"kernarg_segment_ptr": kernarg_base, "dispatch_ptr": packet_base}
    for name, size in kernel.user_sgprs:
        value = pointers.get(name, kernel.scratch_bytes if name == "private_segment_size" else 0)
        for word in range(size):
            place(value >> 32 * word & 0xFFFFFFFF)
    if kernel.preload_dwords:
        kernarg = machine.space.read(kernarg_base, kernel.kernarg_bytes).view(np.uint32)
        for word in range(kernel.preload_dwords):
            place(kernarg[kernel.preload_offset + word])
    number = machine.first_workgroup + numbers // machine.waves_per_group
    gx, gy, _ = machine.grid
    coordinates = (number % gx, number // gx % gy, number // (gx * gy))
    if machine.program.chip.startswith("gfx12"):
        # Trap registers 7 to 9: workgroup y and z, the wave's number, workgroup x.
        slot = TTMP + 7
        place(coordinates[1] | coordinates[2] << 16)
        place(numbers % machine.waves_per_group << 25)
        place(coordinates[0])
        return group
    if kernel.wavefront_size == 32:
        # gfx11 may leave user registers unused before the workgroup ids.
        slot = max(slot, kernel.rsrc2 >> 1 & 31)
    for enabled, coordinate in zip(kernel.workgroup_ids, coordinates, strict=True):
        if enabled:
            place(coordinate)
    return group


def _program(obj: CodeObject, kernel: Kernel, assembly: str | None) -> Program:
    """The decoded program, cached by content."""
    source = assembly.encode() if assembly is not None else obj.read(kernel.entry, kernel.code_bytes)
    key = (hashlib.sha256(source).digest(), kernel.name, kernel.rsrc1, assembly is None, kernel.entry, obj.chip)
    if key not in _programs:
        symbols = {name: _CODE_BASE + address for name, (address, _) in obj.symbols.items()}
        if assembly is not None:
            try:
                lines = parse_assembly(assembly, kernel.name)
            except DecodeError as error:
                raise EmulationError(f"kernel {kernel.name}: {error}") from None
        elif obj.chip in disassembler.CHIPS:
            base = _CODE_BASE + kernel.entry
            lines = [(i.address, i.text) for i in disassembler.disassemble(source, base, obj.chip)]
        else:
            listing = disassemble_object(obj.image, kernel.name, obj.chip)
            lines = [(_CODE_BASE + address, text) for address, text in listing]
        _programs[key] = load_program(
            kernel.name, lines, not kernel.denormals_f32, not kernel.denormals_f16_f64, symbols, kernel.fp16_overflow,
            CHIPS[obj.chip],
        )  # fmt: skip
        require_allocated(_programs[key], kernel, obj.chip)
    return _programs[key]


def _pack(
    kernel: Kernel,
    args: Sequence[Any],
    space: AddressSpace,
    grid: tuple[int, int, int],
    block: tuple[int, int, int],
    dynamic_lds: int,
) -> Array:
    """The kernarg segment. Raises EmulationError if the arguments do not fit the kernel's metadata."""
    visible = [a for a in kernel.arguments if not a.kind.startswith("hidden_")]
    if len(visible) != len(args):
        raise EmulationError(f"kernel {kernel.name} takes {len(visible)} arguments, {len(args)} given")
    segment = np.zeros(max(kernel.kernarg_bytes, 16) + 15 & ~15, np.uint8)
    offset = 0
    for number, (wanted, value) in enumerate(zip(visible, args, strict=True)):
        if isinstance(value, np.ndarray) and value.ndim >= 0 and not isinstance(value, np.generic):
            if not value.flags.c_contiguous:
                raise EmulationError(f"kernel {kernel.name}: argument {number} is an array that is not contiguous")
            raw = struct.pack("<Q", space.add(value, f"argument {number}").base)
        elif isinstance(value, np.generic):
            raw = value.tobytes()
        else:
            raise EmulationError(
                f"kernel {kernel.name}: argument {number} is a {type(value).__name__}; "
                "expected a numpy array (buffer) or numpy scalar (value)"
            )
        if len(raw) != wanted.size:
            raise EmulationError(
                f"kernel {kernel.name}: argument {number} has {len(raw)} bytes, the kernel expects {wanted.size}"
            )
        offset = -(-offset // len(raw)) * len(raw)
        if wanted.offset < offset:
            raise EmulationError(f"kernel {kernel.name}: argument {number} overlaps the one before it")
        offset = wanted.offset + len(raw)
        segment[wanted.offset : offset] = np.frombuffer(raw, np.uint8)
    shapes = {"grid": grid, "block": block}
    for argument in kernel.arguments:
        if argument.kind in _HIDDEN:
            code, which, axis = _HIDDEN[argument.kind]
            raw = struct.pack(code, shapes[which][axis])
        elif argument.kind == "hidden_grid_dims":
            raw = struct.pack("<H", 3 if grid[2] > 1 else 2 if grid[1] > 1 else 1)
        elif argument.kind == "hidden_dynamic_lds_size":
            raw = struct.pack("<I", dynamic_lds)
        else:
            continue
        segment[argument.offset : argument.offset + len(raw)] = np.frombuffer(raw, np.uint8)
    return segment


def _triple(sizes: Sequence[int], what: str) -> tuple[int, int, int]:
    values = [int(s) for s in sizes] + [1] * (3 - len(sizes))
    if len(values) != 3 or any(v < 1 for v in values):
        raise EmulationError(f"{what} must be up to three positive sizes, found {tuple(sizes)}")
    return values[0], values[1], values[2]
