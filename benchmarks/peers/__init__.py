"""What every benchmark shares: CPU seconds of calls in turns, one thread, the machine in words, and scripts run by R.

Convention: a time is CPU time of this process, user and system, since the machine may be shared; R measures its own in
the same way (``proc.time``) and prints lines of ``name seconds``.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from rarefactor.stats import ENGINE

SCRIPTS = Path(__file__).parents[1] / "R"
CPU = Path("/proc/cpuinfo")


def begin(description: str) -> bool:
    """Read ``--full``, hold linear algebra to one thread, print where we are; say whether the long form was asked."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="the long form, for figures to be written down")
    full = parser.parse_args().full
    threadpool_limits(1)
    print(description.partition("\n")[0])
    print(f"{describe_machine()}; engine: {ENGINE}; one thread, CPU time{'' if full else '; quick form (see --full)'}")
    print(f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}")
    return full


def describe_machine() -> str:
    lines = CPU.read_text().splitlines() if CPU.exists() else []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, Python {platform.python_version()}, NumPy {np.__version__}, SciPy {version('scipy')}"


def time_once(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def time_in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU seconds of one call of each, called in turns after a first call, so that all meet the same load."""
    for work in works.values():
        work()
    times = [[time_once(work) for work in works.values()] for _ in range(rounds)]
    return dict(zip(works, np.median(times, axis=0).tolist(), strict=True))


def run_r(script: str, *arguments: object) -> dict[str, float]:
    """Return what a script of ``benchmarks/R`` measured, by name; nothing, with a sentence, where R cannot run it."""
    command = ["Rscript", "--vanilla", SCRIPTS / script, SCRIPTS, *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        print("R is left out: there is no Rscript on this machine.")
        return {}
    except subprocess.CalledProcessError as error:
        told = [line for line in error.stderr.splitlines() if line.startswith("Error")]
        print(f"R is left out: {' '.join(told) or error.stderr.strip()}")
        return {}
    lines = done.stdout.splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("="))
    for line in lines:
        if not line.startswith("="):
            print(line)
    return {name.removeprefix("=").strip(): float(value) for name, value in found.items()}


def say_ratio(ours: float, peer: float | None, name: str) -> str:
    if peer is None:
        return f"{name} not measured"
    faster = peer / ours
    words = f"{faster:,.1f} times faster" if faster >= 1 else f"{1 / faster:,.1f} times SLOWER"
    return f"{name} {say_time(peer)}: ours {words}"


def say_time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 else f"{seconds:,.0f} s"
    return f"{seconds * 1e6:.3g} µs"
