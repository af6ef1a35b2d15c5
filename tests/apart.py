"""Test processes side by side keep out of each other's way. Read before the settings are.

pytest-django gives each a database of its own; here each gets a part of the broker and a folder.
"""

import os
from pathlib import Path

if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # "gw0", "gw1"
    os.environ["REDIS_URL"] += f"?db={int(worker.removeprefix('gw')) % 16}"
    folder = Path(os.environ["VITRINE_DATA"]) / worker
    (folder / "static").mkdir(parents=True)
    os.environ["VITRINE_DATA"] = str(folder)
