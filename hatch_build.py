"""Build the compiled kernel when the package is installed, where the machine has a C compiler.

Without one the installation goes on: the package then computes with NumPy alone, with the same results, and
``rarefactor.stats.ENGINE`` says so.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = ("-O3", "-fPIC", "-shared", "-std=c11", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math",
         "-ffp-contract=fast", "-fvisibility=hidden")  # fmt: skip


class KernelBuildHook(BuildHookInterface[Any]):
    """Compile `_kernel.c` into a shared library beside it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and mark the wheel as made for this platform; say why where that cannot be."""
        if self.target_name != "wheel":
            return
        folder = Path(self.root) / "src" / "rarefactor" / "stats"
        reason = build_kernel(folder / "_kernel.c", folder / "libkernel.so")
        if reason:
            self.app.display_warning(f"rarefactor computes with NumPy alone: the kernel was not built ({reason}).")
        elif version != "editable":
            build_data["force_include"][str(folder / "libkernel.so")] = "rarefactor/stats/libkernel.so"
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"], build_data["tag"] = False, f"py3-none-{platform}"


def build_kernel(source: Path, library: Path) -> str:
    """Compile; return why it failed, empty where it did not. A library in use is replaced, never overwritten."""
    if sys.platform == "win32":
        return "no compiler is looked for on Windows"
    library.unlink(missing_ok=True)
    stamp = hashlib.sha256(source.read_bytes()).hexdigest()
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[:1]
    fresh = library.with_name(f".{library.name}.{os.getpid()}")
    command = [*compiler, *FLAGS, f'-DSOURCE="{stamp}"', str(source), "-o", str(fresh), "-lm"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - the compiler that built this Python, on our own source
        fresh.replace(library)
    except (OSError, subprocess.SubprocessError) as error:
        fresh.unlink(missing_ok=True)
        return f"{compiler[0]}: {type(error).__name__}"
    return ""
