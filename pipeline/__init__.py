"""AnimeMorph: anime portraits from photos.

This module runs before any dependency is imported, in the commands, the stages and the Python API. It switches off the
reports that several dependencies send to their makers by default, and sets how threads wait, for this process and its
children.
"""

import os
import sys

for _name, _value in {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime >= 1.29: device ID and events in ~/.cache/Microsoft, then an upload
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DVC_NO_ANALYTICS": "1",
    "ITERATIVE_DO_NOT_TRACK": "1",
    "DO_NOT_TRACK": "1",
    # A thread of torch that waits spins for a moment and then sleeps, see benchmarks/processes.py: threads that sleep
    # at once gain nothing on an idle machine, and threads that spin slow each other down on a busy one.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "1000",
}.items():
    os.environ.setdefault(_name, _value)

# openvino sends an event to Google Analytics when it is imported and has no switch. Without this module it uses a stub.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
