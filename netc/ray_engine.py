"""`netc run --engine ray`: very many pictures, on all of a machine or a cluster, into Parquet.

    files ▸ those that have no results yet ▸ shards ▸ a pool of workers ▸ a Parquet file a shard

Ray Data deals shards of names to the workers and starts lost ones anew; pictures are read, and
results written, where they are computed: nothing large passes through the process that asked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

from compiler.options import CompileOptions
from netc.errors import say
from netc.models import is_onnx
from netc.options import NetChoice
from netc.runnable import Engine, runnable_of_model
from netc.shards import PART, Job, Shard, ShardWorker, picture_spec
from runtime.decode import SUFFIXES
from runtime.devices import parse_device
from runtime.errors import CallError, MachineError, first_line
from runtime.files import reasons, write_whole
from runtime.inputs import expand
from runtime.models import own_data

if TYPE_CHECKING:
    from netc.execute import RunOptions

ADDRESS = (
    "`ray status` tells of a cluster, which may want its token here (RAY_AUTH_TOKEN); without "
    "--address it is this machine alone"
)
GOES_ON = "what is done stays done: the same call goes on"
REMEDY = "pip install '.[ray]' in a checkout of netc"
BATCH = 8
CONNECT = 10.0  # seconds to wait for an answer at an address
LARGEST = 2048  # pictures of a shard
SHARDS = 8  # for each worker, so that a slow one holds up little
STORE = 100 * 2**20  # bytes of Ray's object store here: only names pass through it
# In the folder of the results; Parquet's readers leave names with a line before aside.
MODEL, RUN = "_model.onnx", "_run.json"


@dataclass(frozen=True)
class Done:
    """How many pictures were done, how many of them broken, and the processor's time for them."""

    pictures: int = 0
    broken: int = 0
    seconds: float = 0.0

    def and_more(self, row: Mapping[str, Any]) -> Done:
        """With what a worker says of a shard."""
        pictures, broken = self.pictures + int(row["pictures"]), self.broken + int(row["broken"])
        return Done(pictures, broken, self.seconds + float(row["seconds"]))


@dataclass(frozen=True)
class Workers:
    """How many workers there are, the processors of each, and whether each has a GPU."""

    count: int
    threads: int
    gpu: bool


def run_on_ray(
    file: str,
    options: RunOptions,
    choice: NetChoice,
    address: str | None = None,
    workers: int | None = None,
) -> Done:
    """The whole of `netc run --engine ray`."""
    folder = checked(options)
    ray = loaded()
    files = [*dict.fromkeys(f for text in options.images for f in expand(text, SUFFIXES))]
    with reasons(folder):
        folder.mkdir(parents=True, exist_ok=True)
    model = model_file(file, options, choice, folder)
    # Opened here first: what is wrong with it is told once, not by every worker.
    runnable = runnable_of_model(model, Engine("cpu"), shapes(choice))
    picture_spec(runnable)
    size = options.batch_size or runnable.runner.pinned or BATCH
    before = finished(folder)
    left = [name for name in files if name not in before]
    if not left:
        say(f"{folder} has the results of all {len(files):,} pictures")
        return Done()
    with cluster(ray, address, workers):
        team = team_of(ray, options.device, workers, len(left))
        job = Job(
            str(model.resolve()),
            str(Path.cwd()),
            str(folder.resolve()),
            worker_device(options.device, team),
            not options.tf32,
            size,
            options.tta,
            team.threads,
            shapes(choice),
        )
        say(opening(runnable.name, len(left), len(files), team))
        done = work(ray, job, shards_of(left, team.count), team)
    say(f"wrote {done.pictures:,} pictures to {folder} ({done.seconds:.1f} s of processors)")
    if done.broken:
        rest = "is" if done.broken == 1 else "are"
        say(f"{done.broken:,} {rest} broken: see the column error", err=True)
    return done


def shapes(choice: NetChoice) -> dict[str, tuple[int, ...]] | None:
    """The sizes that the call gives to inputs, as workers take them."""
    return dict(choice.shapes) if choice.shapes else None


def checked(options: RunOptions) -> Path:
    """The folder of the results; raises `CallError` for what only one machine does."""
    if not options.images or options.inputs or options.random:
        raise CallError("--engine ray runs pictures: give --image, no --input and no --random")
    if options.form not in (None, "parquet") or options.out is None:
        raise CallError("--engine ray writes a folder of Parquet files: --out FOLDER")
    if options.out.exists() and not options.out.is_dir():
        raise CallError(f"{options.out} is a file: --engine ray writes a folder of Parquet files")
    if options.placement or options.device == "numpy":
        raise CallError("--engine ray runs ONNX Runtime: no --device numpy, no --placement")
    if parse_device(options.device).index:
        raise CallError("Ray gives each worker a GPU of its own: --device cuda, without a number")
    return options.out


def loaded() -> Any:
    """Ray; raises `MachineError` without it, or without what it needs for data."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # it would report over the network
    try:
        ray = import_module("ray")
        import_module("ray.data")
        import_module("pyarrow.parquet")
    except ImportError as error:
        raise MachineError(f"Ray Data is not installed ({error})", REMEDY) from None
    return ray


def model_file(file: str, options: RunOptions, choice: NetChoice, folder: Path) -> Path:
    """The ONNX file that the workers open: the given one, or what a definition compiles to.

    It is noted what makes the results; raises `CallError` where others are in the folder already.
    """
    if is_onnx(file):
        choice.refuse(options.weights)
        if options.dtype != "f32":
            raise CallError("an ONNX file has its precision inside: no --dtype")
        remember(folder, Path(file), options, choice)
        return Path(file)
    net = choice.single(file, options.weights)
    with TemporaryDirectory(prefix="_", dir=folder) as scratch:
        made = net.write(Path(scratch) / MODEL, CompileOptions(options.seed, dtype=options.dtype))
        remember(folder, made, options, choice)
        for path in [*own_data(made), made]:  # the model last: whoever sees it sees its weights
            path.replace(folder / path.name)
    return folder / MODEL


def remember(folder: Path, model: Path, options: RunOptions, choice: NetChoice) -> None:
    """Note what makes the results in a folder, or hold it to what is noted there."""
    digest = hashlib.sha256()
    for path in [model, *sorted(own_data(model))]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    told: dict[str, Any] = {"model": digest.hexdigest(), "tta": options.tta, "tf32": options.tf32}
    told["shapes"] = {name: list(shape) for name, shape in choice.shapes.items()}
    path = folder / RUN
    if not path.exists():
        if any(folder.glob(f"{PART}*")):
            raise CallError(f"{folder} holds Parquet files of another run: choose another folder")
        write_whole(path, json.dumps(told).encode())
    try:
        same = json.loads(path.read_text(encoding="utf-8")) == told
    except ValueError:
        same = False
    if not same:
        raise CallError(f"{folder} holds the results of another model, weights or --tta")


def finished(folder: Path) -> set[str]:
    """The pictures that have results already."""
    parquet: Any = import_module("pyarrow.parquet")
    found: set[str] = set()
    for path in sorted(folder.glob(f"{PART}*.parquet")):
        try:
            found.update(parquet.read_table(path, columns=["sample"])["sample"].to_pylist())
        except Exception as error:  # a broken file makes pyarrow raise nearly anything
            raise CallError(f"{path} is not what was written: {error}; delete it") from None
    return found


@contextmanager
def cluster(ray: Any, address: str | None, workers: int | None) -> Iterator[None]:
    """A cluster: the one at an address, else one on this machine that ends with the run."""
    if ray.is_initialized():  # by who calls
        yield
        return
    if address is not None:
        check_reachable(address)
    cpus = max(os.cpu_count() or 1, workers or 1)
    here = {"num_cpus": cpus, "object_store_memory": STORE, "include_dashboard": False}
    try:
        with hushed():
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=True,
                **({} if address else here),
            )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise MachineError(f"Ray cannot be reached: {first_line(error)}", ADDRESS) from None
    try:
        yield
    finally:
        ray.shutdown()


def check_reachable(address: str) -> None:
    """Raise `CallError` or `MachineError` for an address where nobody listens: Ray waits long."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise CallError(f"--address is HOST:PORT of a cluster's head, not {address}")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT).close()
    except (OSError, OverflowError) as error:
        raise MachineError(f"nobody listens at {address}: {first_line(error)}", ADDRESS) from None


def team_of(ray: Any, device: str, workers: int | None, pictures: int) -> Workers:
    """A worker for each GPU, or each processor, or as many as told; raises `MachineError`."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cpus = sum(int(node.get("CPU", 0)) for node in nodes)
    gpus = sum(int(node.get("GPU", 0)) for node in nodes)
    kind = parse_device(device).kind
    on_gpu = kind not in ("auto", "cpu", "openvino") or (kind == "auto" and gpus > 0)
    if on_gpu and not gpus:
        raise MachineError(f"{device} cannot be had: Ray knows of no GPU", "--device cpu")
    most = gpus if on_gpu else cpus
    if workers is not None and workers > most:
        what = "GPUs" if on_gpu else "processors"
        message = f"{workers} workers need as many {what}, Ray has {most}"
        raise MachineError(message, "fewer --workers")
    count = max(1, min(workers or most, pictures))
    largest = max(int(node.get("CPU", 0)) for node in nodes)
    return Workers(count, max(1, min(cpus // count, largest)), on_gpu)


def worker_device(device: str, team: Workers) -> str:
    """Where a worker runs."""
    if device != "auto":
        return device
    return "cuda" if team.gpu else "cpu"


def opening(name: str, left: int, count: int, team: Workers) -> str:
    """What is about to be done, in a line."""
    begun = f", {count - left:,} are done" if left < count else ""
    threads = f"{team.threads} threads" if team.threads > 1 else "1 thread"
    what = "a GPU" if team.gpu else threads
    several = f"{team.count} workers" if team.count > 1 else "1 worker"
    return f"{name}: {left:,} pictures{begun}; {several} of {what}"


def shards_of(files: Sequence[str], workers: int) -> list[Shard]:
    """The pictures in equal parts: several for each worker, none too large."""
    size = max(1, min(LARGEST, ceil(len(files) / (workers * SHARDS))))
    return [Shard(tuple(files[at : at + size])) for at in range(0, len(files), size)]


def work(ray: Any, job: Job, shards: Sequence[Shard], team: Workers) -> Done:
    """Do all shards."""
    from rich.console import Console
    from rich.progress import Progress

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    ray.data.DataContext.get_current().enable_progress_bars = False
    items = [{"files": json.dumps(shard.files)} for shard in shards]
    blocks = min(len(items), team.count * 4 * SHARDS)
    results = ray.data.from_items(items, override_num_blocks=blocks).map_batches(
        ShardWorker,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=team.count),
        num_cpus=team.threads,
        num_gpus=1 if team.gpu else None,
        fn_constructor_kwargs={"job": job},
    )
    total = sum(len(shard.files) for shard in shards)
    done = Done()
    with hushed() as stream:
        console = Console(file=stream)
        hidden = not console.is_terminal
        try:
            with Progress(console=console, transient=True, disable=hidden) as bar:
                task = bar.add_task("pictures", total=total)
                for row in results.iter_rows():
                    check_worked(row["failure"])
                    done = done.and_more(row)
                    bar.update(task, completed=done.pictures)
        except ray.exceptions.RayError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise MachineError(
                f"a worker failed: {lines[-1] if lines else error}", GOES_ON
            ) from None
    return done


def check_worked(failure: str) -> None:
    """Raise what kept a worker from working, if anything did."""
    if failure:
        message, remedy = json.loads(failure)
        raise MachineError(message, remedy) if remedy else CallError(message)


@contextmanager
def hushed() -> Iterator[IO[str]]:
    """What Ray's own processes say on standard error is left out; gives that stream for us."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  # no path of anybody's
        os.dup2(nowhere.fileno(), 2)
    try:
        with os.fdopen(os.dup(kept), "w") as stream:
            yield stream
    finally:
        os.dup2(kept, 2)
        os.close(kept)
