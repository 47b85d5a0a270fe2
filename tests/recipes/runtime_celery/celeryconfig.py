"""Where the tasks wait: in a directory, which takes no server; in production name a broker here."""

import os
from pathlib import Path

QUEUE = Path(os.environ.get("SHOP_QUEUE", ".queue")).absolute()
for each in (QUEUE / "tasks", QUEUE / "results"):
    each.mkdir(parents=True, exist_ok=True)

broker_url = "filesystem://"
broker_transport_options = {
    "data_folder_in": str(QUEUE / "tasks"),
    "data_folder_out": str(QUEUE / "tasks"),
    "control_folder": str(QUEUE / "control"),
}
result_backend = f"file://{QUEUE / 'results'}"
