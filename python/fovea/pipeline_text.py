# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Textual pipelines: `builtin.module(a,b{option=value},func.func(c))`, with Fovea's passes and MLIR's mixed.

MLIR's own parser does not know passes written in Python, so the text is taken apart here. A pass of Fovea becomes an
instance of its dataclass; a pass of MLIR stays text, inside the anchors that stood around it.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from dataclasses import dataclass
from typing import Any

from fovea.errors import InternalError, UsageError
from fovea.passes import registry

ROOT = "builtin.module"
OWN_PREFIX = "fovea-"

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class OwnStep:
    """A pass of Fovea with its options."""

    instance: Any

    @property
    def name(self) -> str:
        return str(self.instance.name)

    def __str__(self) -> str:
        parts = (_format_option(self.instance, field) for field in dataclasses.fields(self.instance) if field.init)
        options = " ".join(parts)
        return f"{self.name}{{{options}}}" if options else self.name


@dataclass(frozen=True)
class UpstreamStep:
    """A pass of MLIR: its text, and the ops it is nested in, from the outside in."""

    name: str
    options: str = ""
    anchors: tuple[str, ...] = ()

    def __str__(self) -> str:
        opening = "".join(f"{anchor}(" for anchor in self.anchors)
        options = f"{{{self.options}}}" if self.options else ""
        return f"{opening}{self.name}{options}{')' * len(self.anchors)}"


Step = OwnStep | UpstreamStep


@dataclass(frozen=True)
class Pipeline:
    """The passes to run on a module, in order. Its text parses back to an equal pipeline."""

    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        return f"{ROOT}({','.join(map(str, self.steps))})"


def parse_pipeline(text: str) -> Pipeline:
    """The pipeline that `text` describes; UsageError that shows where the text is wrong, or which pass is unknown.

    Whether MLIR knows the passes that are not Fovea's is found out by `run_pipeline`, before it runs anything.
    """
    parser = _Parser(text)
    name = parser.name()
    if name != ROOT or parser.peek() != "(":
        raise UsageError(f"expected the pipeline to be '{ROOT}(...)', found '{text}'")
    steps = parser.elements(())
    if parser.peek():
        raise parser.error("expected the pipeline to end here")
    return Pipeline(tuple(steps))


def parse_element(name: str, options: str = "") -> Step:
    """One pass by its name and the text between its braces."""
    return _step(name, options, ())


class _Parser:
    """Recursive descent over the pipeline's text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def error(self, message: str) -> UsageError:
        return UsageError(f"in the pipeline: {message}\n{self.text}\n{' ' * self.at}^")

    def peek(self) -> str:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def name(self) -> str:
        self.peek()
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise self.error("expected the name of a pass or of an op to nest in")
        self.at = match.end()
        return match[0]

    def elements(self, anchors: tuple[str, ...]) -> list[Step]:
        """`(` element `,` ... `)`."""
        steps: list[Step] = []
        self.at += 1
        if self.peek() == ")":
            self.at += 1
            return steps
        while True:
            start = self.at
            name = self.name()
            if self.peek() == "(":
                steps += self.elements((*anchors, name))
            else:
                options = self.options() if self.peek() == "{" else ""
                try:
                    steps.append(_step(name, options, anchors))
                except UsageError as error:
                    self.at = start
                    raise self.error(str(error)) from error
            if self.peek() == ")":
                self.at += 1
                return steps
            if self.peek() != ",":
                raise self.error("expected ',' or ')'")
            self.at += 1
            self.peek()

    def options(self) -> str:
        """Text between the braces at the cursor."""
        start = self.at
        self.at = _closing(self.text, self.at)
        if self.at < 0:
            self.at = start
            raise self.error("expected a '}' for this '{'")
        return self.text[start + 1 : self.at - 1].strip()


def _closing(text: str, start: int) -> int:
    """Position after the brace that closes the one at `start`, quotes and nested braces skipped; -1 if none does."""
    depth = 0
    at = start
    while at < len(text):
        if text[at] in "\"'":
            at = _end_of_quote(text, at)
            if at < 0:
                return -1
            continue
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    return -1


def _end_of_quote(text: str, start: int) -> int:
    """Position after the quote that closes the one at `start`; a backslash before the same quote keeps it open."""
    at = start + 1
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] == text[start]:
            at += 2
        elif text[at] == text[start]:
            return at + 1
        else:
            at += 1
    return -1


def _step(name: str, options: str, anchors: tuple[str, ...]) -> Step:
    if not name.startswith(OWN_PREFIX):
        return UpstreamStep(name, options, anchors)
    if anchors:
        raise UsageError(f"'{name}' runs on the whole module: expected it directly in '{ROOT}(...)', "
                         f"found it in '{anchors[-1]}(...)'")  # fmt: skip
    return OwnStep(make_pass(name, _split_options(options)))


def pass_class(name: str) -> type:
    """The class of Fovea's pass `name`; UsageError, with the closest name, if there is none."""
    if name not in registry.names():
        close = difflib.get_close_matches(name, registry.names(), 1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise UsageError(f"unknown pass '{name}'{hint}; Fovea's own passes are: {', '.join(registry.names())}")
    try:
        return registry.lookup(name)
    except ModuleNotFoundError as error:
        if error.name != f"fovea.passes.{registry.MODULES[name]}":
            raise
        raise UsageError(f"pass '{name}' is not part of this build of Fovea ({error.name} is missing)") from error


def make_pass(name: str, options: list[tuple[str, str | None]]) -> Any:
    """An instance of Fovea's pass `name`; UsageError for an unknown option or a value that does not fit."""
    cls = pass_class(name)
    kinds = option_types(cls)
    values: dict[str, Any] = {}
    for raw, value in options:
        option = raw.replace("-", "_")
        if option not in kinds:
            close = difflib.get_close_matches(option, kinds, 1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            known = f"it has: {', '.join(kinds)}" if kinds else "it has none"
            raise UsageError(f"pass '{name}' has no option '{raw}'{hint}; {known}")
        if option in values:
            raise UsageError(f"pass '{name}': option '{raw}' is given twice")
        values[option] = _convert(f"pass '{name}': option '{raw}'", kinds[option], value)
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"pass '{name}': {error}") from error


def option_types(cls: type) -> dict[str, Any]:
    """Option name -> type of a pass class."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}  # type: ignore[arg-type]


def type_text(kind: Any) -> str:
    """How an option's type is written for a reader: `bool`, `int`, `str,...`, `a | b`."""
    if typing.get_origin(kind) is tuple:
        return f"{type_text(typing.get_args(kind)[0])},..."
    if typing.get_origin(kind) is typing.Literal:
        return " | ".join(map(str, typing.get_args(kind)))
    if _is_union(kind):
        return " | ".join("none" if part is type(None) else type_text(part) for part in typing.get_args(kind))
    return getattr(kind, "__name__", str(kind))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _split_options(text: str) -> list[tuple[str, str | None]]:
    """`a=1 b c="x y"` -> [("a", "1"), ("b", None), ("c", "x y")]."""
    result: list[tuple[str, str | None]] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _NAME.match(text, at)
        if match is None:
            raise UsageError(f"expected the name of an option in '{{{text}}}', found '{text[at:]}'")
        at = match.end()
        if text[at : at + 1] != "=":
            result.append((match[0], None))
            continue
        start = at = at + 1
        while at < len(text) and not text[at].isspace():
            at = _value_end(text, at)
            if at < 0:
                raise UsageError(f"the value of option '{match[0]}' is not closed: {text[start:]}")
        result.append((match[0], _unquote(text[start:at])))
    return result


def _value_end(text: str, at: int) -> int:
    if text[at] in "\"'":
        return _end_of_quote(text, at)
    return _closing(text, at) if text[at] == "{" else at + 1


def _unquote(value: str) -> str:
    if value[:1] in ("'", '"') and _end_of_quote(value, 0) == len(value):
        return value[1:-1].replace("\\" + value[0], value[0])
    if value[:1] == "{" and _closing(value, 0) == len(value):
        return value[1:-1].strip()
    return value


def _split_elements(text: str) -> list[str]:
    """`a,"b,c"` -> ['a', '"b,c"']; spaces around elements and empty ones are dropped."""
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] in "\"'" and not text[start:at].strip() and _end_of_quote(text, at) > 0:
            at = _end_of_quote(text, at)
        elif text[at] == ",":
            parts.append(text[start:at])
            start = at = at + 1
        else:
            at += 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _convert(where: str, kind: Any, text: str | None) -> Any:
    """`text` as a value of an option's type; None is what an option without `=value` has."""
    if _is_union(kind):
        parts = [part for part in typing.get_args(kind) if part is not type(None)]
        if text == "none" and len(parts) < len(typing.get_args(kind)):
            return None
        return _convert(where, parts[0], text)
    if kind is bool:
        if text is None:
            return True
        if text.lower() not in _BOOLS:
            raise UsageError(f"{where}: expected true or false, found '{text}'")
        return _BOOLS[text.lower()]
    if text is None:
        raise UsageError(f"{where}: expected a value ({type_text(kind)})")
    if typing.get_origin(kind) is tuple:
        element = typing.get_args(kind)[0]
        return tuple(_convert(where, element, _unquote(part)) for part in _split_elements(text))
    if typing.get_origin(kind) is typing.Literal:
        choices = {str(choice): choice for choice in typing.get_args(kind)}
        if text not in choices:
            raise UsageError(f"{where}: expected one of {', '.join(choices)}, found '{text}'")
        return choices[text]
    if kind not in (int, float, str):
        raise InternalError(f"{where}: options of type {kind} cannot be read from text")
    try:
        return kind(text)
    except ValueError:
        raise UsageError(f"{where}: expected a value of type {type_text(kind)}, found '{text}'") from None


def _format_option(instance: Any, field: dataclasses.Field[Any]) -> str:
    """`name=value`, in a form that `_split_options` reads back."""
    value = getattr(instance, field.name)
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, tuple):
        text = f"{{{','.join(_quoted(e) if isinstance(e, str) else str(e) for e in value)}}}"
    else:
        text = "none" if value is None else str(value)
    return f"{field.name}={_quoted(value) if isinstance(value, str) else text}"


def _quoted(value: str) -> str:
    """`value` itself if it is a name, else in quotes."""
    if _NAME.fullmatch(value) and value != "none":
        return value
    quote = "'" if '"' in value else '"'
    return f"{quote}{value.replace(quote, chr(92) + quote)}{quote}"
