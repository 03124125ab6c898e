"""Write a wheel of a NumPy that is newer than any, and fails on import: no lock may take it."""

import sys
import zipfile
from pathlib import Path

NAME = "numpy-999.0.0"
FILES = {
    "numpy/__init__.py": 'raise ImportError("this is not the locked NumPy")\n',
    f"{NAME}.dist-info/METADATA": "Metadata-Version: 2.1\nName: numpy\nVersion: 999.0.0\n",
    f"{NAME}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
FILES[f"{NAME}.dist-info/RECORD"] = "".join(f"{name},,\n" for name in FILES)

folder = Path(sys.argv[1])
folder.mkdir()
with zipfile.ZipFile(folder / f"{NAME}-py3-none-any.whl", "w") as wheel:
    for name, text in FILES.items():
        wheel.writestr(name, text)
