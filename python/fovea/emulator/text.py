# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From assembly text (LLVM's AMDGPU syntax) to instruction records with parsed operands and modifiers."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from fovea.emulator.errors import DecodeError

SGPR_SLOTS = 128
"""Scalar registers a wave, numbered as the hardware encodes them (VCC at 106, M0 at 124, EXEC at 126)."""

VCC, TTMP, M0, EXEC = 106, 108, 124, 126
_NAMED_SCALARS = {
    "flat_scratch": (102, 2), "flat_scratch_lo": (102, 1), "flat_scratch_hi": (103, 1),
    "xnack_mask": (104, 2), "xnack_mask_lo": (104, 1), "xnack_mask_hi": (105, 1),
    "vcc": (VCC, 2), "vcc_lo": (VCC, 1), "vcc_hi": (VCC + 1, 1), "m0": (M0, 1),
    "exec": (EXEC, 2), "exec_lo": (EXEC, 1), "exec_hi": (EXEC + 1, 1),
}  # fmt: skip
_SPECIAL = {"null", "scc", "vccz", "execz", "off", "src_scc", "src_vccz", "src_execz", "src_shared_base",
            "src_private_base", "src_shared_limit", "src_private_limit", "shared_base", "private_base"}  # fmt: skip
_REGISTER = re.compile(r"^(v|s|a|ttmp)(?:(\d+)|\[(\d+)(?::(\d+))?\])$")
_INTEGER = re.compile(r"^-?(0x[0-9a-f]+|\d+)$")
_FLOAT = re.compile(r"^-?\d+\.\d*(e[+-]?\d+)?$")
_SYMBOL_SUM = re.compile(r"^([A-Za-z_.$][\w.$@]*)([+-]\d+)?$")
_MODIFIER = re.compile(r"^[a-z_]\w*:(\S.*)$")
_FLAGS = {"sc0", "sc1", "nt", "glc", "slc", "dlc", "gds", "lds", "offen", "idxen", "addr64", "clamp", "tfe",
          "row_mirror", "row_half_mirror"}  # fmt: skip
# Two-word DPP controls that carry a number or a list after the colon are plain `name:value` modifiers.


@dataclass(frozen=True)
class Operand:
    """One operand. `kind` is v, a, s (register `index`, `count` registers), imm, special, label or raw."""

    kind: str
    index: int = 0
    count: int = 1
    value: int | float = 0
    text: str = ""
    neg: bool = False
    abs: bool = False
    sext: bool = False
    is_float: bool = False
    half: int = -1
    """Of a 16-bit operand that names its half (`v1.l`, `v1.h`): 0 or 1."""

    def bits(self, kind: str) -> int:
        """Bit pattern of an immediate when it is read as `kind` (f16, f32, f64, i32, u64, pk_f16, ...)."""
        if not self.is_float:
            value = int(self.value)
            if kind == "f64" and (value > 64 or value < -16):
                return (value & 0xFFFFFFFF) << 32  # A 32-bit literal is the high half of an f64.
            return value & (2**64 - 1)
        value_f = float(self.value)
        if kind == "f64":
            return struct.unpack("<Q", struct.pack("<d", value_f))[0]
        if "16" in kind:
            if abs(value_f) == 0.15915494:
                return 0x3118 if value_f > 0 else 0xB118
            return struct.unpack("<H", struct.pack("<e", value_f))[0]
        return struct.unpack("<I", struct.pack("<f", value_f))[0]


@dataclass
class Line:
    """One instruction: byte `address`, `name` without encoding suffix, operands and `name:value` modifiers."""

    address: int
    text: str
    name: str
    operands: list[Operand]
    modifiers: dict[str, str] = field(default_factory=dict)
    encoding: str = ""
    second: Line | None = None
    """The other half of a dual instruction."""
    target: int = -1
    """Index of the instruction that a branch goes to."""
    index: int = 0

    def number(self, name: str, default: int = 0) -> int:
        """Integer value of a modifier such as `offset:16`."""
        value = self.modifiers.get(name)
        if value is None:
            return default
        try:
            return int(value, 0)
        except ValueError:
            raise DecodeError(f"modifier {name}:{value} is not a number") from None

    def bits(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Bit list of a modifier such as `op_sel:[0,1]`, padded with the default."""
        value = self.modifiers.get(name)
        if value is None:
            return default
        items = tuple(int(item) for item in value.strip("[]").split(","))
        return items + default[len(items) :]


def parse_operand(text: str) -> Operand:
    """Parse one operand: a register or range, a constant, a special name, or a symbol."""
    raw = text
    if text.startswith("lit(") and text.endswith(")"):
        # A constant that is written as a literal although it need not be.
        text = text[4:-1]
    neg = absolute = sext = False
    if text.startswith("-") and not (_INTEGER.match(text) or _FLOAT.match(text)):
        neg, text = True, text[1:]
    for prefix, suffix, flag in (("|", "|", "abs"), ("abs(", ")", "abs"), ("neg(", ")", "neg"), ("sext(", ")", "sext")):
        if text.startswith(prefix) and text.endswith(suffix) and len(text) > 1:
            text = text[len(prefix) : -len(suffix)]
            neg, absolute, sext = neg or flag == "neg", absolute or flag == "abs", sext or flag == "sext"
    match = _REGISTER.match(text)
    if match:
        kind, single, first, last = match.groups()
        start = int(single if single is not None else first)
        count = 1 if last is None else int(last) - start + 1
        if kind == "ttmp":
            kind, start = "s", start + TTMP
        if count < 1 or start + count > (512 if kind != "s" else SGPR_SLOTS):
            raise DecodeError(f"register range {raw} is not valid")
        return Operand(kind, start, count, text=raw, neg=neg, abs=absolute, sext=sext)
    if text in _NAMED_SCALARS:
        start, count = _NAMED_SCALARS[text]
        return Operand("s", start, count, text=raw, neg=neg, abs=absolute, sext=sext)
    if text in _SPECIAL:
        return Operand("special", text=text.removeprefix("src_"), neg=neg, abs=absolute)
    if _INTEGER.match(text):
        return Operand("imm", value=int(text, 0), text=raw, neg=neg, abs=absolute)
    if _FLOAT.match(text):
        return Operand("imm", value=float(text), text=raw, neg=neg, abs=absolute, is_float=True)
    if _SYMBOL_SUM.match(text) or "(" in text:
        return Operand("label" if _SYMBOL_SUM.match(text) else "raw", text=text)
    raise DecodeError(f"operand '{raw}' is not understood")


def split_operands(text: str) -> list[str]:
    """Split at commas that are outside brackets."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    tail = text[start:].strip()
    return [*parts, tail] if tail else parts


def parse_line(address: int, text: str) -> Line:
    """Parse one instruction. Raises DecodeError for what is not instruction syntax."""
    mnemonic, _, rest = text.strip().partition(" ")
    mnemonic, rest = mnemonic.strip(), rest.strip()
    if "\t" in mnemonic:
        mnemonic, _, more = mnemonic.partition("\t")
        rest = f"{more} {rest}".strip()
    encoding = ""
    for suffix in ("_e32", "_e64_dpp", "_e64", "_dpp", "_sdwa"):
        if mnemonic.endswith(suffix):
            mnemonic, encoding = mnemonic[: -len(suffix)], suffix[1:]
            break
    line = Line(address, text.strip(), mnemonic, [], {}, encoding)
    if mnemonic in ("s_waitcnt", "s_nop", "s_setprio", "s_sleep", "s_sethalt", "s_icache_inv", "s_ttracedata"):
        return line
    parts = split_operands(rest)
    words: list[str] = []
    for number, part in enumerate(parts):
        # Modifiers follow the last operand, separated by spaces; `quad_perm:[0,1,2,3]` has commas inside brackets.
        # `hwreg(HW_REG_MODE, 4, 2)` is one operand.
        pieces = [part] if part.startswith("hwreg(") else part.split()
        if number == len(parts) - 1 or len(pieces) == 1:
            words = pieces
        else:
            raise DecodeError(f"operand '{part}' is not understood")
        head = words[0]
        if _is_modifier(head):
            _add_modifiers(line, words)
            continue
        if head.startswith("hwreg("):
            line.operands.append(Operand("raw", text=part))
            continue
        line.operands.append(parse_operand(head))
        _add_modifiers(line, words[1:])
    return line


def _is_modifier(word: str) -> bool:
    return word in _FLAGS or _MODIFIER.match(word) is not None


def _add_modifiers(line: Line, words: list[str]) -> None:
    for word in words:
        name, colon, value = word.partition(":")
        if not colon and name not in _FLAGS and name not in ("row_mirror", "row_half_mirror"):
            raise DecodeError(f"modifier '{word}' is not understood")
        line.modifiers[name] = value if colon else "1"


def parse_assembly(text: str, kernel: str) -> list[tuple[int, str]]:
    """Instructions of `kernel` in the backend's assembly text, labels resolved to absolute `0x...` branch targets.

    Byte addresses are counted as four an instruction, since text does not tell encoding sizes.
    """
    lines: list[str] = []
    labels: dict[str, int] = {}
    inside = False
    for raw in text.splitlines():
        code = raw.split(";", 1)[0].split("//", 1)[0].strip()
        if not code:
            continue
        if code.endswith(":") or re.match(r"^[\w.$]+:", code):
            label, _, code = code.partition(":")
            code = code.strip()
            if label == kernel:
                inside = True
            elif inside and not label.startswith((".L", "BB")):
                break
            if inside:
                labels[label] = 4 * len(lines)
            if not code:
                continue
        if not inside:
            continue
        if code.startswith("."):
            if code.startswith((".section", ".size")):
                break
            continue
        lines.append(code)
    if not inside:
        raise DecodeError(f"the assembly text has no label '{kernel}:'")
    result = []
    for number, code in enumerate(lines):
        name, _, rest = code.partition(" ")
        if "\t" in name:
            name, _, rest = code.partition("\t")
        if name.startswith(("s_cbranch", "s_branch")) and rest.strip() in labels:
            code = f"{name} {labels[rest.strip()]:#x}"
        result.append((4 * number, code))
    return result
