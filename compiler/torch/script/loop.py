"""What is the same in every script: data, the loop, files, processes.

A line that ends in `#? word` is written where the training has what the word stands for, and one
that ends in `#! word` where it has not: data, noise, pictures, resized (by a clause), folders (of
pictures), classes, augments, average, shows, expects, norms (whose statistics run), frozen (layers
that stay as after training).
"""

from __future__ import annotations

from collections.abc import Collection

NUMBERS = '''
def generator(*key):
    """Random numbers that depend on a key only: a run that goes on draws what it would have."""
    digest = hashlib.sha256(":".join(map(str, key)).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def initialise(nets, seed):
    """The first numbers of each array, by the seed and its name; others are as PyTorch has them."""
    for net, arrays in INITIAL.items():
        parameters = dict(nets[net].named_parameters())
        for name, (kind, size) in arrays.items():
            shape, size = tuple(parameters[name].shape), np.float32(size)
            digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
            random = np.random.Generator(np.random.SFC64(int.from_bytes(digest[:16], "little")))
            if kind == "constant":
                values = np.full(shape, size)
            elif kind == "uniform":
                values = (random.random(shape, dtype=np.float32) * 2 - 1) * size
            else:
                values = random.standard_normal(shape, dtype=np.float32) * size
            parameters[name].data.copy_(torch.from_numpy(np.asarray(values)))
'''
CHOSEN = '''
def chosen(net, names):
    """Some of a net's parameters."""
    parameters = dict(net.named_parameters())
    return [parameters[name] for name in names]
'''
APART = '''
def apart(parameters, decay):
    """The parameters in two groups: biases and the scales of norms do not decay."""
    wide, narrow = ([p for p in parameters if (p.dim() > 1) == w] for w in (True, False))
    return [{"params": wide, "weight_decay": decay}, {"params": narrow, "weight_decay": 0.0}]
'''
PLATEAU = '''
def plateau(rate, by, patience, history):
    """Times `by` when nothing has become better for so many epochs; then it waits anew."""
    best, waited = math.inf, 0
    for measured in history:
        waited = 0 if measured < best else waited + 1
        best = min(best, measured)
        if waited == patience:
            rate, waited = rate * by, 0
    return rate
'''
LION = '''
class Lion(torch.optim.Optimizer):
    """Steps of one size along the sign of the mean gradient (Chen et al. 2023, algorithm 2)."""

    def __init__(self, params, lr, betas, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), rate = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                mean = self.state[p].setdefault("mean", torch.zeros_like(p))
                p.mul_(1 - rate * group["weight_decay"])
                p.sub_(rate * torch.sign(beta1 * mean + (1 - beta1) * p.grad))
                mean.mul_(beta2).add_(p.grad, alpha=1 - beta2)
'''
UPDATE = '''
class Update:
    """What moves some parameters, and its rate; gradients are bounded before."""

    def __init__(self, optimiser, rate, clip=None, clip_value=None, average=None):  #? average
    def __init__(self, optimiser, rate, clip=None, clip_value=None):  #! average
        self.optimiser, self.rate = optimiser, rate
        self.clip, self.clip_value = clip, clip_value
        self.parameters = [p for group in optimiser.param_groups for p in group["params"]]
        learned = self.parameters if average is not None else []  #? average
        self.average, self.averages = average, [p.detach().clone() for p in learned]  #? average
        self.averages = []  #! average

    def rate_at(self, first, *done):
        """The rate so far into the run, of a schedule that begins at `first` where it is told."""
        return self.rate(*done) if first is None else self.rate(*done, first)

    def move(self, rate):
        """One step of the optimiser along the gradients that there are."""
        if self.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        if self.clip_value is not None:
            torch.nn.utils.clip_grad_value_(self.parameters, self.clip_value)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad()
        with torch.no_grad():  #? average
            for mean, p in self.pairs():  #? average
                mean.mul_(self.average).add_(p, alpha=1 - self.average)  #? average

    def pairs(self):  #? average
        """Each average and its parameter; none where no average is kept."""  #? average
        return zip(self.averages, self.parameters, strict=bool(self.averages))  #? average

    @torch.no_grad()  #? average
    def exchange(self):  #? average
        """The averages in the place of the parameters; a second time the other way."""  #? average
        for mean, p in self.pairs():  #? average
            kept = p.clone()  #? average
            p.copy_(mean)  #? average
            mean.copy_(kept)  #? average
'''
SAMPLES = '''
class Samples:
    """The samples by part, arrays or lists of pictures; `rows` are those that count, in order."""

    def __init__(self, parts, rows=None):
        counts = {name: len(values) for name, values in parts.items()}
        if len(set(counts.values())) > 1 or not min(counts.values()):
            raise ValueError(f"there must be as many of each part: {counts}")
        self.parts = parts
        self.rows = np.arange(min(counts.values())) if rows is None else rows

    def __len__(self):
        return len(self.rows)

    def take(self, places):
        """The samples at some places, each part [count, …]."""
        rows, found = self.rows[places], {}
        for name, values in self.parts.items():
            if isinstance(values, list):  #? pictures
                found[name] = np.stack([PICTURES[name](values[row]) for row in rows])  #? pictures
                continue  #? pictures
            taken = values[rows]
            if taken.dtype == np.uint8:
                taken = taken / np.float32(255)
            found[name] = taken.astype(np.int64 if name in CLASSES else np.float32)
        return found

    def split(self, share, seed):
        """The samples without a share of them, and that share, chosen by the seed."""
        count = round(len(self) * share)
        if not count:
            return self, None
        shuffled = generator(seed, "split").permutation(len(self))
        rest, held = np.sort(shuffled[count:]), np.sort(shuffled[:count])
        return Samples(self.parts, self.rows[rest]), Samples(self.parts, self.rows[held])


def read(path):
    """The samples at a path, and those that lie beside them to be held out."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as stored:
            return Samples({name: fitting(name, stored[name]) for name in PARTS}), None
    inner = next((path / n for n in ("train", "training") if (path / n).is_dir()), None)  #? folders
    if inner is not None:  #? folders
        names = ("val", "valid", "validation", "test")  #? folders
        other = next((path / n for n in names if (path / n).is_dir()), None)  #? folders
        return read(inner)[0], None if other is None else read(other)[0]  #? folders
    if path.is_dir():  #? folders
        return Samples(read_folder(path)), None  #? folders
    raise ValueError(f"{path}: this script reads .npz files and folders of pictures")  #? folders
    raise ValueError(f"{path}: this script reads .npz files with the arrays {[*PARTS]}")  #! folders


def fitting(name, array):
    """The array of a part, of the shape that the nets take; raises ValueError for another."""
    shape, have = PARTS[name], array.shape[1:]
    if name in CLASSES:
        whole = array.ndim and array.size == len(array) and np.array_equal(array, np.rint(array))
        if not whole or array.min() < 0 or array.max() >= shape:
            raise ValueError(f"{name}: a class is a whole number from 0 to {shape - 1}")
        return array.reshape(-1)
    if name in RESIZED and array.dtype == np.uint8:  #? resized
        last = array.ndim == 3 or array.shape[-1] in (3, 4)  #? resized
        planes = array if last else array.transpose(0, 2, 3, 1)  #? resized
        one = planes.ndim == 4 and planes.shape[-1] == 1  #? resized
        return list(planes[..., 0] if one else planes)  #? resized
    if array.dtype == np.uint8 and have != shape and have == (*shape[1:], shape[0]):
        array = np.moveaxis(array, -1, 1)
    elif have != shape and have != shape[1:] * (shape[0] == 1):
        raise ValueError(f"{name} is {list(have)} a sample, not {list(shape)}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} holds a number that is none (NaN or inf)")
    return array.reshape(-1, *shape)
'''
FOLDER = '''
def read_folder(path):
    """Pictures in folders that are named for their classes, in alphabetical order."""
    folders = sorted(f for f in path.iterdir() if f.is_dir() and f.name[0] != ".")
    count = PARTS["LABEL"]  #? classes
    if len(folders) > count:  #? classes
        raise ValueError(f"{path} has {len(folders)} folders for {count} classes")  #? classes
    endings = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"}
    files, numbers = [], []
    for number, folder in enumerate(folders or [path]):
        inside = sorted(f for f in folder.rglob("*") if f.suffix.lower() in endings)
        files += inside
        numbers += [number] * len(inside)
    return {"PICTURE": files, "LABEL": np.array(numbers)}  #? classes
    return {"PICTURE": files}  #! classes
'''
BATCHES = '''
class Batches(torch.utils.data.Dataset):
    """What each tick of a run is fed, by its number only; a process takes its share of it.

    Samples come from shuffles one behind another, so every batch is full and each sample has its
    turn before any has two.
    """

    def __init__(self, samples, batch, seed):
        self.samples, self.batch, self.seed = samples, batch, seed
        self.rank, self.count = rank(), processes()

    def order(self, draw):  #? data
        """The samples of one draw, of all processes."""  #? data
        count = len(self.samples)  #? data
        places = np.arange(draw * self.batch, (draw + 1) * self.batch)  #? data
        rounds, found = places // count, np.empty_like(places)  #? data
        for each in np.unique(rounds):  #? data
            shuffled = generator(self.seed, "order", each).permutation(count)  #? data
            found[rounds == each] = shuffled[places[rounds == each] % count]  #? data
        return found  #? data

    def __getitem__(self, tick):
        feeds = {}
        turn, place = divmod(tick, len(TURN))  #? data
        draw = TURN[place][2]  #? data
        if draw is not None:  #? data
            draw += turn * DRAWS  #? data
            feeds = self.samples.take(self.order(draw)[self.rank :: self.count])  #? data
            alone = (draw,) if self.count == 1 else (draw, self.rank)  #? augments
            feeds = augmented(feeds, self.seed, *alone)  #? augments
        for name, whole in noises(self.seed, tick, self.batch).items():  #? noise
            feeds[name] = whole[self.rank :: self.count]  #? noise
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in feeds.items()}
'''
NOISES = '''
def noises(seed, tick, count):
    """What is drawn anew for each sample."""
    found = {}
    for name, (shape, kind) in NOISE.items():
        random = generator(seed, "noise", name, tick)
        if kind == "normal":
            found[name] = random.standard_normal((count, *shape), dtype=np.float32)
        else:
            drawn = random.random((count, *shape), dtype=np.float32)
            found[name] = drawn * np.float32(2) - np.float32(1)
    return found
'''
PROCESSES = '''
def rank():
    """Which of the processes this is."""
    return dist.get_rank() if dist.is_initialized() else 0


def processes():
    """How many there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def join():
    """Meet the other processes, if torchrun started any; the device of this one."""
    cuda = torch.cuda.is_available()
    if "RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    if not cuda:
        return torch.device("cpu")
    local = int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()
    return torch.device("cuda", local)


def add_up(tensors):
    """The sum of each tensor over all processes, in its place."""
    if processes() == 1 or not tensors:
        return
    flat = torch.cat([t.detach().reshape(-1) for t in tensors])
    dist.all_reduce(flat)
    with torch.no_grad():
        for t, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            t.copy_(part.view_as(t))
'''
LOOP = '''
def take_step(number, nets, updates, feeds, batch, moves):
    """The gradients of one batch; where it `moves`, those of all processes. What was measured."""
    begin_training(nets)
    measured = STEPS[number](nets, feeds)
    sums = {name: values.sum() / batch for name, values in measured.items()}
    parameters = [p for update in updates for p in update.parameters]
    (SIGNS[number] * sums[OBJECTIVES[number]] / ACCUMULATE).backward(inputs=parameters)
    vector = torch.stack([value.detach() for value in sums.values()])
    shared = [vector]
    if processes() > 1:  #? norms
        running = [b for net in nets.values() for b in net.buffers()]  #? norms
        running = [b for b in running if b.is_floating_point()]  #? norms
        for b in running:  #? norms
            b /= processes()  #? norms
        shared += running  #? norms
    if moves:
        shared += [p.grad for p in parameters if p.grad is not None]
    add_up(shared)
    return dict(zip(sums, vector.tolist(), strict=True))


def begin_training(nets):
    """Every layer in training, but for those that no step moves."""
    for name, net in nets.items():
        net.train(name not in STILL)
    for name, layers in FROZEN.items():  #? frozen
        for layer in layers:  #? frozen
            nets[name].get_submodule(layer).eval()  #? frozen


@contextmanager
def after_training(nets, updates):
    """Every layer as after training, and moving averages in the place of parameters."""
    for net in nets.values():
        net.eval()
    for update in updates:  #? average
        update.exchange()  #? average
    yield
    for update in updates:  #? average
        update.exchange()  #? average


@torch.no_grad()
def evaluate(nets, samples, batch, seed, device):
    """The mean of each objective and report over samples, which the processes share."""
    sums = {}
    for start in range(0, len(samples), batch):
        count = min(batch, len(samples) - start)
        places = np.arange(start, start + count)[rank() :: processes()]
        if not len(places):
            continue
        feeds = samples.take(places)
        feeds = evaluated(feeds)  #? augments
        for name, whole in noises(seed, -1 - start, count).items():  #? noise
            feeds[name] = whole[rank() :: processes()]  #? noise
        feeds = {n: torch.from_numpy(np.ascontiguousarray(a)).to(device) for n, a in feeds.items()}
        for step in STEPS:
            for name, values in step(nets, feeds).items():
                sums[name] = sums.get(name, 0.0) + float(values.double().sum())
    vector = torch.tensor([sums.get(n, 0.0) for n in MEASURED], dtype=torch.float64)
    vector = vector.to(device)
    add_up([vector])
    return dict(zip(MEASURED, (vector / len(samples)).tolist(), strict=True))


def data_of(args):
    """The samples to train on, and those that are held out."""
    samples, beside = read(Path(args.data))
    if args.val:
        return samples, read(Path(args.val))[0]
    if args.split is None and beside is not None:
        return samples, beside
    return samples.split(SPLIT if args.split is None else args.split, args.seed)


def train(args, report=None):
    """The whole run, or what is left of it; the last epoch's line of the log."""
    device, out = join(), Path(args.out)
    if args.batch_size < processes():
        raise SystemExit(f"a batch of {args.batch_size} is too small for {processes()} processes")
    samples, held_out = data_of(args)  #? data
    samples = held_out = None  #! data
    nets = {name: make() for name, make in NETS.items()}
    initialise(nets, args.seed)
    for text in args.weights:
        name, _, path = text.rpartition("=")
        nets[name or next(iter(nets))].load_state_dict(load_file(path), strict=False)
    for net in nets.values():
        net.to(device)
    updates = updates_of(nets)
    every = [update for step in updates for update in step]
    progress = {"turn": 0, "seconds": 0.0, "sums": {}, "counted": 0, "rows": [], "best": None}
    run = {"seed": args.seed, "batch": args.batch_size, "samples": len(samples)}  #? data
    run = {"seed": args.seed, "batch": args.batch_size}  #! data
    if args.resume and (out / "state.pt").is_file():
        progress = load_state(out / "state.pt", run, nets, every, device)
    count = math.ceil(len(samples) / (args.batch_size * DRAWS)) if DRAWS else 100  #? data
    count = 100  #! data
    turns = min(count * args.epochs, args.max_steps or math.inf)
    rows = progress["rows"]
    first = progress["turn"] * len(TURN)
    batches = DataLoader(
        Batches(samples, args.batch_size, args.seed),
        batch_size=None,
        sampler=range(first, turns * len(TURN)),
        num_workers=args.workers,
        pin_memory=device.type == "cuda",
    )
    ticks = enumerate(batches, first)
    saved = time.monotonic()
    while progress["turn"] < turns:
        began, done, values = time.monotonic(), progress["turn"] / count, {}
        history = [worth(row) for row in rows]
        for number, moves, _ in TURN:
            tick, feeds = next(ticks)
            feeds = {name: values.to(device) for name, values in feeds.items()}
            mine = generator(args.seed, "dropout", tick, rank())
            torch.manual_seed(int(mine.integers(2**62)))
            made = take_step(number, nets, updates[number], feeds, args.batch_size, moves)
            if not math.isfinite(made[OBJECTIVES[number]]):
                raise SystemExit(f"the loss is no number at step {progress['turn'] + 1}")
            for name, value in made.items():
                values.setdefault(name, []).append(value)
            for update in updates[number] if moves else []:
                update.move(update.rate_at(args.lr, done, args.epochs, history))
        progress["turn"] += 1
        progress["counted"] += 1
        for name, found in values.items():
            mean = math.fsum(found) / len(found)
            progress["sums"][name] = progress["sums"].get(name, 0.0) + mean
        progress["seconds"] += time.monotonic() - began
        if progress["turn"] % count and progress["turn"] < turns:
            if rank() == 0 and time.monotonic() - saved > SAVE_EVERY:
                save(out, nets, every, progress, run)
                saved = time.monotonic()
            continue
        if progress["turn"] % count == 0:
            rate = updates[TURN[0][0]][0].rate_at(args.lr, done, args.epochs, history)
            row = {"epoch": progress["turn"] // count, "turn": progress["turn"], "rate": rate}
            row |= {name: total / progress["counted"] for name, total in progress["sums"].items()}
            with after_training(nets, every):
                if held_out is not None:
                    found = evaluate(nets, held_out, args.batch_size, args.seed, device)
                    row |= {f"val_{name}": value for name, value in found.items()}
                if rank() == 0:  #? shows
                    show(out, nets, samples, args.seed, row["epoch"], device)  #? shows
            row["seconds"] = round(progress["seconds"], 3)
            rows.append(row)
            progress["sums"], progress["counted"] = {}, 0
            best = progress["best"]
            better = BEST is not None and (best is None or worth(row) < best)
            progress["best"] = worth(row) if better else best
            if rank() == 0:
                if better:
                    save_weights(out, "best", nets, every)
                write_log(out / "log.csv", rows)
            if report is not None:
                report(row)
            elif rank() == 0:
                print(described(row, args.epochs), flush=True)
        if rank() == 0:
            save(out, nets, every, progress, run)
            saved = time.monotonic()
    return rows[-1] if rows and progress["turn"] == count * args.epochs else None


def worth(row):
    """What an epoch is compared by, the smaller the better."""
    name, larger = BEST or (OBJECTIVES[0], False)
    value = row.get(f"val_{name}", row.get(name, math.nan))
    return -value if larger else value
'''
FILES = '''
def write(path, fill):
    """A file whole or not at all: it is written beside its place, which it then takes."""
    beside = path.with_name(f".{path.name}.part")
    fill(beside)
    beside.replace(path)


def state_of(net):
    """The arrays of a net by the definition's names."""
    state = net.state_dict()
    return {n: t.contiguous() for n, t in state.items() if not n.endswith("num_batches_tracked")}


def save_weights(out, word, nets, updates):
    """`weights.safetensors`, or a file for each net where several learn."""
    learning = {name: net for name, net in nets.items() if name not in STILL}
    with after_training(nets, updates):
        for name, net in learning.items():
            file = f"{word}.{name}.safetensors" if len(learning) > 1 else f"{word}.safetensors"
            write(out / file, lambda path, net=net: save_file(state_of(net), path))


def save(out, nets, updates, progress, run):
    """The weights, and last the state from which a run goes on."""
    save_weights(out, "weights", nets, updates)
    state = {
        "run": run,
        "progress": progress,
        "nets": {name: net.state_dict() for name, net in nets.items()},
        "optimisers": [update.optimiser.state_dict() for update in updates],
        "averages": [update.averages for update in updates],
    }
    write(out / "state.pt", lambda path: torch.save(state, path))


def load_state(path, run, nets, updates, device):
    """The nets and optimisers as they were; how far the run was."""
    state = torch.load(path, map_location=device, weights_only=True)
    if state["run"] != run:
        raise SystemExit(f"{path} is of a run with {state['run']}, not {run}")
    for name, net in nets.items():
        net.load_state_dict(state["nets"][name])
    kept = zip(updates, state["optimisers"], state["averages"], strict=True)
    for update, optimiser, averages in kept:
        update.optimiser.load_state_dict(optimiser)
        update.averages = averages
    return state["progress"]


def write_log(path, rows):
    """The epochs as CSV."""

    def shown(value):
        whole = float(value).is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else repr(value)

    def fill(target):
        with target.open("w", newline="") as file:
            names = list(dict.fromkeys(name for row in rows for name in row))
            writer = csv.DictWriter(file, names, lineterminator="\\n")
            writer.writeheader()
            writer.writerows({n: shown(v) for n, v in row.items()} for row in rows)

    write(path, fill)


def described(row, epochs):
    """An epoch in a line."""
    values = {n: v for n, v in row.items() if n not in ("epoch", "turn", "rate", "seconds")}
    text = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
    return f"epoch {row['epoch']}/{epochs}  {text}  rate {row['rate']:.3g}"
'''
SHOW = '''
@torch.no_grad()
def show(out, nets, samples, seed, epoch, device):
    """Pictures of the same draw after each epoch, side by side."""
    for function, rows, columns, name in SHOWS:
        count = rows * columns
        feeds = {}
        feeds |= samples.take(np.arange(count) % len(samples))  #? data
        feeds = evaluated(feeds)  #? augments
        feeds |= noises(seed, -1, count)  #? noise
        feeds = {n: torch.from_numpy(np.ascontiguousarray(a)).to(device) for n, a in feeds.items()}
        planes = function(nets, feeds)[name].cpu().numpy()
        planes = planes[:, None] if planes.ndim == 3 else planes
        low = -1.0 if planes.min() < 0 else 0.0
        planes = np.clip((planes - low) / (1.0 - low), 0, 1)
        _, channels, high, wide = planes.shape
        sheet = np.ones((channels, rows * (high + 1) - 1, columns * (wide + 1) - 1))
        for place, plane in enumerate(planes):
            top, left = (place // columns) * (high + 1), (place % columns) * (wide + 1)
            sheet[:, top : top + high, left : left + wide] = plane
        values = np.rint(sheet * 255).astype(np.uint8)
        image = Image.fromarray(values[0] if channels == 1 else values.transpose(1, 2, 0))
        write(out / f"{name}.{epoch:04d}.png", lambda path, i=image: i.save(path, "PNG"))
'''
MAIN = '''
def on_ray(args):
    """The run in workers of Ray Train, which goes on from the state where one is lost."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray import train as ray_train
    from ray.train.torch import TorchTrainer

    def worker(given):
        train(argparse.Namespace(**given), ray_train.report)

    given = {**vars(args), "resume": True}
    gpus = torch.cuda.is_available()
    trainer = TorchTrainer(
        worker,
        train_loop_config=given,
        scaling_config=ray_train.ScalingConfig(num_workers=args.ray, use_gpu=gpus),
        run_config=ray_train.RunConfig(
            storage_path=str(Path(args.out) / "ray"),
            failure_config=ray_train.FailureConfig(max_failures=3),
        ),
    )
    trainer.fit()
    with (Path(args.out) / "log.csv").open(newline="") as file:
        rows = [{n: float(v) for n, v in row.items()} for row in csv.DictReader(file)]
    return rows[-1] if int(rows[-1]["epoch"]) == args.epochs else None


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="the samples")  #? data
    parser.add_argument("--val", help="the held-out part")  #? data
    parser.add_argument("--split", type=float, help="hold out this share of the data")  #? data
    parser.add_argument("--out", required=True, help="the folder of weights, state and log")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch-size", type=int, default=BATCH, help="of all processes together")
    parser.add_argument("--lr", type=float, help="the rate, or the one that a schedule begins at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", action="append", default=[], metavar="[NET=]FILE")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--max-steps", type=int, help="end after so many steps")
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare batches")
    parser.add_argument("--ray", type=int, metavar="N", help="run in N workers of Ray Train")
    args = parser.parse_args()
    out = Path(args.out).resolve()
    if (out / "state.pt").exists() and not args.resume:
        parser.error(f"{out} holds a run already: --resume goes on with it, or name another")
    out.mkdir(parents=True, exist_ok=True)
    for name in ("data", "val", "out"):  #? data
        path = getattr(args, name)  #? data
        setattr(args, name, str(Path(path).resolve()) if path else None)  #? data
    args.out = str(out)  #! data
    row = (on_ray if args.ray else train)(args)  #? expects
    failed = unmet(row) if row else 0  #? expects
    (on_ray if args.ray else train)(args)  #! expects
    if dist.is_initialized():
        dist.destroy_process_group()
    sys.exit(failed)  #? expects
'''


def chosen_lines(text: str, words: Collection[str]) -> str:
    """A text with the lines that belong to some words, and without those of others."""
    lines = []
    for line in text.strip("\n").splitlines():
        body, mark, word = line.rpartition("  #")
        if mark and word[:2] in ("? ", "! "):
            if (word[2:] in words) != (word[0] == "?"):
                continue
            line = body
        lines.append(line)
    return "\n".join(lines)
