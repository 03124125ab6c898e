"""Print the oldest releases that engine/pyproject.toml allows this Python: `name==version` a line.

The extra `compressed` is left out, as it needs a newer NumPy than the rest; so are the tools of
`lint` and `docs`, which no test uses.
"""

from pathlib import Path

import tomllib
from pip._vendor.packaging.requirements import Requirement

LEFT_OUT = {"compressed", "lint", "docs", "all"}

settings = tomllib.loads((Path(__file__).parents[1] / "engine/pyproject.toml").read_text("utf-8"))
extras = settings["project"]["optional-dependencies"]
lines = [*settings["build-system"]["requires"], *settings["project"]["dependencies"]]
for extra in extras.keys() - LEFT_OUT:
    lines += extras[extra]

oldest = set()
for requirement in map(Requirement, lines):
    if requirement.marker is None or requirement.marker.evaluate():
        [lowest] = [bound.version for bound in requirement.specifier if bound.operator == ">="]
        oldest.add(f"{requirement.name}=={lowest}")
print(*sorted(oldest), sep="\n")
