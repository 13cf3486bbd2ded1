"""Prints the requirements of pyproject.toml and of some of its extras: requirements.py [EXTRA...].

The images install them before the package, so that a change of its code reinstalls nothing else.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [project["optional-dependencies"][name] for name in sys.argv[1:]]
print("\n".join(line for lines in [project["dependencies"], *extras] for line in lines))
