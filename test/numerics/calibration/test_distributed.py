# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration on a real Dask cluster of processes: the same bits, also when a worker is killed on the way."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import distributed
import numpy as np
import pytest
from calibration_models import COLUMNS, batch, linear

from fovea.calibration import calibrate, distributed_calibration
from fovea.calibration.distributed_calibration import calibrate_distributed, parse_scheduler
from fovea.errors import ExecutionError, InputError, UsageError

COUNT = 40


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two worker processes on the loopback interface; a worker that dies is started again."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=60
    ) as started:
        yield started


@pytest.fixture(scope="module")
def alone() -> Any:
    """What one process sees."""
    module, weights = linear()
    return calibrate(module, map(batch, range(COUNT)), weights)


def workers(cluster: Any) -> dict[str, int]:
    """Process ids by the workers' addresses."""
    with distributed.Client(cluster, set_as_default=False) as client:
        return dict(client.run(os.getpid))


def test_the_same_statistics_with_a_worker_killed_on_the_way(cluster: Any, alone: Any) -> None:
    """All batches are given out at once, then a worker is killed that has some of them, done and undone."""
    before = workers(cluster)
    handed_out: list[int] = []

    def batches() -> Iterator[Any]:
        for number in range(COUNT):
            if number == COUNT // 2:
                os.kill(next(iter(before.values())), signal.SIGKILL)
            handed_out.append(number)
            yield batch(number)

    module, weights = linear()
    found = calibrate_distributed(module, batches(), weights, cluster.scheduler_address)
    assert found == alone
    assert found["y"].elements == COUNT * 64 * COLUMNS
    assert handed_out == list(range(COUNT))
    deadline = time.monotonic() + 30
    while len(after := workers(cluster)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(set(after.values()) - set(before.values())) == 1, "one worker was killed and replaced"


def test_captures_are_set(cluster: Any) -> None:
    module, weights = linear()
    calibrate_distributed(module, map(batch, range(3)), weights, cluster.scheduler_address)
    here, _ = linear()
    calibrate(here, map(batch, range(3)), weights)
    assert str(module) == str(here)
    assert str(module).count("calibrated = true") == 2


def test_only_some_batches_are_given_out(cluster: Any) -> None:
    """Memory does not grow with their number: no more are read than twice the threads, beyond those done."""
    read, done = [], []

    def batches() -> Iterator[Any]:
        for number in range(12):
            read.append(number)
            yield batch(number)

    original = distributed_calibration._result
    module, weights = linear()
    with pytest.MonkeyPatch.context() as patch:
        def counted(*arguments: Any) -> Any:
            result = original(*arguments)
            assert len(read) <= len(done) + 4
            done.append(result[0])
            return result

        patch.setattr(distributed_calibration, "_result", counted)
        calibrate_distributed(module, batches(), weights, cluster.scheduler_address)
    assert sorted(done) == list(range(12))


def test_errors_are_those_of_one_process(cluster: Any) -> None:
    address = cluster.scheduler_address
    module, weights = linear()
    bad = batch(1)["x"].copy()
    bad[3, 4] = np.nan
    with pytest.raises(InputError, match=r"capture 'x' saw NaN in calibration batch 1; check the inputs"):
        calibrate_distributed(module, [batch(0), {"x": bad}], weights, address)
    with pytest.raises(InputError, match="calibration batch 0: missing input 'x'"):
        calibrate_distributed(module, [{}], weights, address)
    with pytest.raises(InputError, match="there is no calibration batch"):
        calibrate_distributed(module, [], weights, address)
    assert "calibrated = true" not in str(module)


class Deadly:
    """What kills the process that gets it, but for the one that made it (which is the scheduler's too)."""

    def __reduce__(self) -> Any:
        return _deadly, (os.getpid(),)


def _deadly(maker: int) -> Deadly:
    if os.getpid() != maker:
        os._exit(1)
    return Deadly()


def test_a_batch_that_kills_its_workers(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)  # not three: each is the start of a process
    module, weights = linear()
    with pytest.raises(ExecutionError, match=r"every worker that ran a batch was killed .*fewer processes"):
        calibrate_distributed(module, [batch(0), {"x": Deadly()}], weights, cluster.scheduler_address)


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed_calibration, "CONNECT_SECONDS", 0.3)
    module, weights = linear()
    with pytest.raises(InputError, match=r"'tcp://127.0.0.1:9': cannot be reached: .*start one with `dask scheduler`"):
        calibrate_distributed(module, [batch(0)], weights, "tcp://127.0.0.1:9")


def test_forms_of_schedulers() -> None:
    assert parse_scheduler("local:3") == 3
    assert parse_scheduler("tcp://127.0.0.1:8786") == "tcp://127.0.0.1:8786"
    for text, message in [
        ("local", "calibration scheduler 'local': expected local:N (N processes of this machine) or the address"),
        ("local:0", "calibration scheduler 'local:0': expected local:N with at least one process"),
        ("local:two", "expected local:N with at least one process"),
        ("127.0.0.1:8786", "or the address of a Dask scheduler, for example tcp://127.0.0.1:8786"),
        ("tcp://127.0.0.1", "or the address of a Dask scheduler"),
    ]:
        with pytest.raises(UsageError, match=re.escape(message)):
            parse_scheduler(text)


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"not installed \(.*distributed.*\): pip install 'fovea\[distributed\]'"):
        parse_scheduler("local:2")
