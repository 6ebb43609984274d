# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Time and memory of calibrating MiniLM-L6, beside ONNX Runtime's calibration of the same model.

    python bench/calibration.py [--sentences 256] [--memory 64 1024]

In the environment of the demo, with the packages of bench/calibration-requirements.txt. Each figure is of a process of
its own, one after the other, in one run; figures of different runs do not compare. Times are of calibrating alone:
batches read, run, counted, and ranges chosen; without imports, reading the model and preparing it.

ONNX Runtime calibrates as its `quantize_static` does for the op that MiniLM's linear layers are, MatMul, with its
default settings: inputs and outputs of all of them (96 tensors; Fovea's captures are the 24 that the contractions in
FP8 read). It keeps what it observes until a call of `collect_data` ends, so it is given CHUNK batches a call.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "examples" / "minilm"), str(ROOT / "bench")]

CHUNK = 4  # batches that ONNX Runtime collects in one call
DATA, MODEL, WEIGHTS = "calibration", "minilm.onnx", "weights.safetensors"
METHODS = {"percentile": "percentile:99.999", "entropy": "entropy"}  # 99.999 is ONNX Runtime's default
CAPTURES = ("fovea-normalize{prefer-k-contiguous=true}", "fovea-detect-attention", "fovea-strip-attention-qdq",
            "fovea-insert-captures")  # fmt: skip


def sentences(count: int) -> list[str]:
    """That many different texts: pairs of the demo's sentences."""
    from model_files import CALIBRATION, SENTENCES
    from sentences import read_sentences

    known = [*read_sentences(CALIBRATION), *read_sentences(SENTENCES)]
    return [f"{known[i % len(known)]} {known[(7 * i + i // len(known)) % len(known)]}" for i in range(count)]


def prepare(work: Path, count: int) -> None:
    """Weights, the ONNX model, and a folder of npz files, each with 8 batches of 8 sentences."""
    import onnx
    from minilm_onnx import build
    from model_files import TOKENIZER_FILE, model_folder, write_batches, write_weights
    from sentences import BATCH, TOKENS, tokenize

    from fovea.weights import WeightStore

    write_weights(model_folder() / "model.safetensors", work / WEIGHTS)
    onnx.save(build(WeightStore([work / WEIGHTS]), BATCH, TOKENS), work / MODEL)
    batches = tokenize(sentences(count), model_folder() / TOKENIZER_FILE)
    for first in range(0, len(batches), 8):
        path = work / f"{DATA}-{count}"
        path.mkdir(exist_ok=True)
        write_batches(batches[first : first + 8], path / f"{first // 8:04}.npz")


def fovea(work: Path, count: int, method: str) -> Callable[[], int]:
    """Calibrate by Fovea."""
    from model_files import IR

    from fovea.calibration import load_batches
    from fovea.calibration.step import Calibration, calibrate_step
    from fovea.executor import inputs_of
    from fovea.ir_input import new_context, parse_module
    from fovea.passes.registry import PassContext
    from fovea.pipeline import run_pipeline
    from fovea.weights import WeightStore

    module = parse_module(IR, new_context())
    context = PassContext(weights=WeightStore([work / WEIGHTS]))
    run_pipeline(module, f"builtin.module({','.join(CAPTURES)})", context)
    inputs: Any = inputs_of(module)

    def run() -> int:
        batches = load_batches([work / f"{DATA}-{count}"], inputs)
        return len(calibrate_step(module, Calibration(method), context, "f8E4M3FNUZ", batches))

    return run


def batches_of(work: Path, count: int) -> Iterator[dict[str, Any]]:
    """The same data for ONNX Runtime."""
    for path in sorted((work / f"{DATA}-{count}").glob("*.npz")):
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        for position in range(len(next(iter(arrays.values())))):
            yield {name: array[position] for name, array in arrays.items()}


def inference(work: Path, count: int, _: str) -> Callable[[], int]:
    """Run the model by ONNX Runtime, with its optimisations, observing nothing."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(work / MODEL))

    def run() -> int:
        for batch in batches_of(work, count):
            session.run(None, batch)
        return 0

    return run


def onnx_runtime(work: Path, count: int, method: str) -> Callable[[], int]:
    """Calibrate by ONNX Runtime."""
    from onnxruntime.quantization import calibrate

    class Reader(calibrate.CalibrationDataReader):
        def __init__(self, batches: list[dict[str, Any]]) -> None:
            self.batches = iter(batches)

        def get_next(self) -> Any:
            return next(self.batches, None)

    kind = {"percentile": calibrate.CalibrationMethod.Percentile, "entropy": calibrate.CalibrationMethod.Entropy}
    model, augmented = str(work / MODEL), str(work / f"augmented-{method}.onnx")
    calibrater = calibrate.create_calibrator(
        model, ["MatMul"], augmented_model_path=augmented, calibrate_method=kind[method]
    )

    def run() -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            chunk: list[dict[str, Any]] = []
            for batch in batches_of(work, count):
                chunk.append(batch)
                if len(chunk) == CHUNK:
                    calibrater.collect_data(Reader(chunk))
                    chunk = []
            if chunk:
                calibrater.collect_data(Reader(chunk))
            return len(calibrater.compute_data().keys())

    return run


ROLES = {"fovea": fovea, "inference": inference, "onnx": onnx_runtime}


def child(role: str, work: Path, count: int, method: str) -> None:
    """What a process of its own does: prints seconds, processor seconds, tensors and the peak of its memory."""
    run = ROLES[role](work, count, method)
    start, processor = time.perf_counter(), time.process_time()
    tensors = run()
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    status = Path("/proc/self/status").read_text()  # getrusage's peak has that of the parent at the fork in it
    peak = int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "tensors": tensors, "peak": peak}))


def measure(role: str, work: Path, count: int, method: str = "") -> dict[str, float]:
    """Run a child and read what it prints."""
    command = [sys.executable, __file__, "--child", role, str(work), str(count), method]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    title = f"{role} {method}".strip()
    print(f"{title:26} {count:5} sentences {found['seconds']:8.2f} s {found['processor']:8.2f} processor s "
          f"{found['tensors']:4} tensors {found['peak']:7.0f} MB peak", flush=True)  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=256)
    parser.add_argument("--memory", type=int, nargs=2, default=[64, 1024], help="sentences to compare the memory for")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        role, work, count, method = options.child
        child(role, Path(work), int(count), method)
        return
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        for count in {options.sentences, *options.memory}:
            prepare(work, count)
        plain = measure("inference", work, options.sentences)
        by_max = measure("fovea", work, options.sentences, "max")
        pairs = {
            name: (measure("onnx", work, options.sentences, name), measure("fovea", work, options.sentences, method))
            for name, method in METHODS.items()
        }
        few, many = (measure("fovea", work, count, "percentile:99.999") for count in options.memory)
    print()
    print(f"max: {by_max['seconds'] / plain['seconds']:.2f} times ONNX Runtime's plain inference (wanted: at most 3)")
    for name, (other, ours) in pairs.items():
        print(f"{name}: {other['seconds'] / ours['seconds']:.2f} times as fast as ONNX Runtime (wanted: at least 2)")
    print(f"memory: {many['peak'] / few['peak']:.3f} times as much for {options.memory[1]} sentences as for "
          f"{options.memory[0]} (wanted: 1)")  # fmt: skip


if __name__ == "__main__":
    main()
