"""Builds the admin page into the wheel. An editable install does nothing here: `make` builds the page when it is stale."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface):
    """Runs tools/build_ui.py before a real wheel is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page unless the install is editable or the page's sources are not there (a source archive has it built)."""
        del build_data
        script = Path(self.root) / "tools" / "build_ui.py"
        if version == "editable" or not (Path(self.root) / "ui").is_dir():
            return
        subprocess.run([sys.executable, str(script)], check=True)
