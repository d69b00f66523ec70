"""C libraries that are loaded before libc, compiled when a test first needs one."""

import shutil
import subprocess
from pathlib import Path


def compiled(name: str, folder: Path) -> Path:
    """The shared object made of `<name>.c` beside this file."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, f"A C compiler is needed to test this fault: install gcc ({name}.c is compiled by the test)."
    made = folder / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl", "-lpthread"], check=True)
    return made
