"""Read the curves of a run folder with TensorBoard, and hold them against metrics.jsonl.

    python check_events.py FOLDER

The last line of stdout is a JSON object: what was read, or why it was skipped.
"""

import json
import sys

import numpy as np

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError as missing:
    print(json.dumps({"tensorboard": f"skipped: {missing}"}))
    sys.exit()

curves = EventAccumulator(sys.argv[1]).Reload()
metrics = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
for tag, key in {"loss/train_running": "running_loss", "loss/val": "val_loss", "accuracy/val": "val_acc", "lr": "lr"}.items():
    got = curves.Scalars(tag)
    if [e.step for e in got] != [m["epoch"] for m in metrics] or not np.allclose([e.value for e in got], [m[key] for m in metrics], rtol=1e-6):
        sys.exit(f"{tag} is {got}, and {key} is in {metrics}")
print(json.dumps({"tensorboard": f"{len(metrics)} epochs of {len(curves.Tags()['scalars'])} curves"}))
