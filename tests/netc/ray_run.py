"""A run on a local cluster of two workers, one of which is killed; for `test_ray.py`.

    python -m tests.netc.ray_run FOLDER

The folder has `pets.netdef` and `photos`. What was said is printed as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import ray

import netc.ray_engine
from netc.shards import PART, ShardWorker
from runtime.batches import Arrays
from tests.netc.command import netc as run_netc


class Mortal(ShardWorker):
    """A worker that is killed in the middle of a shard, once, when two have been written."""

    def results(self, files: Sequence[str]) -> tuple[list[str | None], list[Arrays | None]]:
        made = super().results(files)
        marker = Path(self.job.root) / "killed"
        if len([*Path(self.job.folder).glob(f"{PART}*")]) >= 2 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return made


def main(folder: Path) -> None:
    """The runs: one with the death, one that goes on, one of another model."""
    os.chdir(folder)
    setattr(netc.ray_engine, "ShardWorker", Mortal)  # noqa: B010  # it is not its own
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=netc.ray_engine.STORE,
        include_dashboard=False,
        log_to_driver=False,
    )
    call = ["run", "pets.netdef", "--image", "photos/**", "--engine", "ray", "--workers", "2"]
    call += ["--out", "results"]
    told = [run_netc(*call)]
    call[call.index("2")] = "1"
    lost = sorted(Path("results").glob(f"{PART}*"))[0]
    lost.unlink()
    Path("photos/new.png").write_bytes(Path("photos/0.png").read_bytes())
    told.append(run_netc(*call))
    told.append(run_netc(*call))
    told.append(run_netc(*call, "--seed", "1"))
    ray.shutdown()
    print(json.dumps([[t.exit_code, t.stdout, t.stderr] for t in told]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
