"""A checked network in Python: measured, compiled, run and verified."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from compiler.analysis import Analysis
from compiler.driver import Checked, compile_graph
from compiler.graph import Graph, Input
from compiler.options import CompileOptions, PixelLayout
from grammar.diagnostics import DefinitionError
from netc.given import compile_options, documented, kind_of, list_of, path_of, text_of, whole
from netc.summary import net_summary
from runtime.errors import CallError

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray
    from PIL.Image import Image

    from compiler.pictures import Picture
    from compiler.training.optimisers import Optimiser
    from netc.gradient import Gradient
    from netc.notebook import Drawn, LayerRow, Listing, ParameterRow, Shown
    from netc.sessions import Session
    from netc.training import History
    from runtime.pictures import Augment
    from runtime.verify.comparison import Comparison
    from runtime.weights.rename import WeightsFile

    Photograph: TypeAlias = str | Path | Image | NDArray[Any]


class Net:
    """A checked network."""

    def __init__(self, checked: Checked) -> None:
        if checked.errors or checked.analysis is None:
            raise DefinitionError(checked.diagnostics)
        self.graph: Graph = checked.graph
        self.analysis: Analysis = checked.analysis
        self.warnings = checked.diagnostics
        self.doc = checked.doc
        self._kept: tuple[tuple[str, int, str, int], Session] | None = None

    @property
    def name(self) -> str:
        """What the definition calls it."""
        return self.graph.name

    def summary(self) -> dict[str, Any]:
        """Totals, inputs, outputs, valid domain, and every layer with shapes and costs."""
        return net_summary(self.graph, self.analysis)

    def __repr__(self) -> str:
        return f"<Net {self.name}: {self.analysis.parameters:,} parameters>"

    def __str__(self) -> str:
        from netc.tables import totals

        return "\n".join([self.name, *totals(self.graph, self.analysis)])

    def _repr_html_(self) -> str:
        """Picture, totals and layers, as a notebook shows them."""
        from netc.notebook import summary_html

        return summary_html(self.graph, self.analysis, self.plot())

    def __call__(self, given: Any, **options: Any) -> Any:
        """What comes out, one row a sample: an array, or arrays by name where outputs are several.

        `given` and `options` are those of `run`.
        """
        outputs = self.run(given, **options)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    @property
    def layers(self) -> Listing[LayerRow]:
        """The layers with shape, parameters, MACs, receptive field and line, by number or name."""
        from netc.notebook import layer_listing

        return layer_listing(self.analysis)

    @property
    def parameters(self) -> Listing[ParameterRow]:
        """The arrays that are counted as parameters: name, shape, count; `weights` has numbers."""
        from netc.notebook import parameter_listing

        return parameter_listing(self.graph)

    @overload
    def plot(
        self,
        path: None = None,
        depth: int | None = None,
        *,
        style: str = "flow",
        horizontal: bool = False,
    ) -> Drawn: ...
    @overload
    def plot(
        self,
        path: str | Path,
        depth: int | None = None,
        *,
        style: str = "flow",
        horizontal: bool = False,
    ) -> Path: ...
    @documented
    def plot(
        self,
        path: str | Path | None = None,
        depth: int | None = None,
        *,
        style: str = "flow",
        horizontal: bool = False,
    ) -> Path | Drawn:
        """Draw it into an .svg, .html, .png or .pdf file, whole or not at all; returns its path.

        Without a path the picture itself is returned, which a notebook shows. `depth` is how many
        levels of blocks are open, by default as many as stay readable. Other styles are "volumes",
        "u" and "connections".
        """
        from netc.notebook import Drawn
        from netc.plot import PlotOptions, check, drawn, plot

        levels = None if depth is None else whole("depth", depth, 0)
        options = PlotOptions(text_of("style", style), levels, bool(horizontal))
        if path is None:
            check(Path("cell.svg"), options)
            return Drawn(self.name, drawn(self.graph, self.analysis, options))
        return plot(self.graph, self.analysis, path_of(path), options)

    @documented
    def maps(
        self,
        picture: Photograph | Sequence[Photograph],
        path: str | Path | None = None,
        *,
        layers: Sequence[str] = (),
        most: int = 64,
        at: tuple[int, int] | None = None,
        chosen: int | None = None,
        gradients: bool = True,
        seed: int = 0,
    ) -> Path | Shown:
        """Draw what every layer makes of a picture, or of two side by side; returns the path.

        A picture is a file, an array of pixels, a Pillow picture, or one sample of the input. What
        is written is an .html or .png, or a folder; without a path the page itself is returned,
        which a notebook shows. `layers` are names or patterns, `most` how many
        maps of each; `at` is the output (row, column) whose receptive field is drawn, `chosen` the
        class whose score is explained by saliency and Grad-CAM, unless `gradients` are left out.
        """
        from netc.maps import MapOptions, maps_of
        from netc.maps.page import page
        from netc.maps.write import check_form, write_maps
        from netc.notebook import Shown

        given = list(picture) if isinstance(picture, list | tuple) else [picture]
        place = None if path is None else path_of(path)
        if place is not None:
            check_form(place)
        names = tuple(text_of("a layer", name) for name in list_of("layers", layers))
        options = MapOptions(names, whole("most", most, 1), at, chosen, gradients, seed)
        pictures = [path_of(one) if isinstance(one, str | os.PathLike) else one for one in given]
        maps = maps_of(self, pictures, options)
        read = [one for one in pictures if isinstance(one, Path)]
        return Shown(self.name, page(maps)) if place is None else write_maps(maps, place, read)

    @documented
    def report(
        self,
        path: str | Path,
        *,
        bench: bool = False,
        pictures: Sequence[str | Path] = (),
        most: int = 16,
        gradients: bool = True,
        seed: int = 0,
    ) -> Path:
        """Write an .html page of everything: picture, table, text, charts; returns its path.

        With `bench` it has the measured time of each layer; with one of `pictures`, or two, their
        classes and maps, of each layer the `most` that vary the most.
        """
        from netc.report import ReportOptions, write_report

        given = [pictures] if isinstance(pictures, str | os.PathLike) else list(pictures)
        images = tuple(path_of(one) for one in given)
        options = ReportOptions(
            bool(bench), images, whole("most", most, 1), bool(gradients), whole("seed", seed, 0)
        )
        return write_report(self, path_of(path), options)

    @property
    def weights(self) -> Mapping[str, NDArray[np.float32]]:
        """Every parameter and buffer by its full name, read only.

        Those that were loaded; where there are none, the initial ones of seed 0.
        """
        from compiler.initialise import initialise

        return read_only(initialise(self.graph).values)

    @documented
    def with_weights(
        self,
        source: str | Path | WeightsFile | Mapping[str, Any],
        *,
        rename: Sequence[str] = (),
    ) -> Net:
        """This network with the parameters of a file, or of a mapping of names to arrays.

        The file is .safetensors or the index of several, .npz, .onnx, or .pt, .pth and .ckpt where
        PyTorch is installed; "hf:OWNER/REPO" is fetched from the hub, where netc[hub] is;
        `rename` holds rules such as "module.*=*". Strict: raises `CallError` with every name that
        is missing, surplus or misshapen.
        """
        from runtime.weights.fit import apply_weights
        from runtime.weights.rename import WeightsFile, parse_rule

        if isinstance(source, str | os.PathLike):
            rules = [text_of("a rule of rename", rule) for rule in list_of("rename", rename)]
            source = WeightsFile(path_of(source), tuple(map(parse_rule, rules)))
        elif rename:
            raise CallError("rename is for the names in a file")
        elif not isinstance(source, Mapping | WeightsFile):
            raise CallError(f"weights are a file or a mapping of arrays, not {kind_of(source)}")
        return self.with_graph(apply_weights(self.graph, source))

    def with_graph(self, graph: Graph) -> Net:
        """This network with the numbers or outputs of another graph."""
        net = copy.copy(self)
        net.graph, net._kept = graph, None
        return net

    @documented
    def model(
        self,
        *,
        seed: int = 0,
        optimise: bool = True,
        opset: int | None = None,
        batch: int | None = None,
        dtype: str = "f32",
        io_dtype: str = "f32",
        embed: PixelLayout | None = None,
    ) -> onnx.ModelProto:
        """The ONNX model; parameters without numbers get seeded initial ones.

        `dtype` is what it computes in, f32, f16 or bf16, `io_dtype` what its inputs and outputs
        are. With `embed` the inputs that come from pictures take pixels, uint8 in this layout, and
        the model scales and normalises them.
        """
        return self.model_of(CompileOptions(seed, optimise, opset, batch, dtype, io_dtype, embed))

    @documented
    def model_of(self, options: CompileOptions) -> onnx.ModelProto:
        """The ONNX model as `options` ask for it; see `model`."""
        from netc import __version__

        options = compile_options(options)
        model = compile_graph(self.graph, options, doc=self.doc)
        model.producer_version = __version__
        if options.embed is not None:
            from compiler.onnx.embed import embed_pictures

            model = embed_pictures(model, self.pictures(), options.embed)
        return model

    def pictures(self) -> dict[str, Picture]:
        """The inputs that say `from picture(…)`, of which there is one; raises `CallError`."""
        found = {
            node.name: node.op.picture
            for node in self.graph.inputs()
            if isinstance(node.op, Input) and node.op.picture is not None
        }
        if not found:
            raise CallError(f"no input of {self.name} says from picture(…)")
        return found

    @documented
    def compile(
        self,
        path: str | Path,
        *,
        seed: int = 0,
        optimise: bool = True,
        opset: int | None = None,
        batch: int | None = None,
        dtype: str = "f32",
        io_dtype: str = "f32",
        embed: PixelLayout | None = None,
        external: bool | None = None,
    ) -> Path:
        """Write the ONNX file, whole or not at all; returns its path.

        With `external` its weights lie in a file beside it, by default above 1.5 GB.
        """
        options = CompileOptions(seed, optimise, opset, batch, dtype, io_dtype, embed)
        return self.write(path, options, external)

    @documented
    def write(
        self, path: str | Path, options: CompileOptions, external: bool | None = None
    ) -> Path:
        """Write the ONNX file as `options` ask for it; see `compile`."""
        from runtime.models import write_model

        return write_model(self.model_of(options), path_of(path), external=external)

    def torch_source(self) -> str:
        """This network as PyTorch source: a class a block, its state called as our parameters.

        Raises `CallError` where PyTorch's modules cannot have the names that the layers have.
        """
        from compiler.torch.attributes import Unwritable
        from compiler.torch.source import write_source
        from runtime.errors import CallError

        try:
            return write_source(self.graph, self.doc)
        except Unwritable as error:
            raise CallError(f"{self.name} cannot be said in PyTorch: {error}") from None

    @documented
    def session(
        self, device: str = "auto", *, seed: int = 0, dtype: str = "f32", exact: bool = True
    ) -> Session:
        """This network opened on a device, to be run many times, from several threads.

        `device` is auto, cpu, cuda, cuda:1, tensorrt or numpy: there, or `MachineError`. `exact`
        keeps CUDA from rounding float32 products to TF32.
        """
        from netc.runnable import Engine
        from netc.sessions import Session

        engine = Engine(text_of("device", device), whole("seed", seed, 0), dtype, exact)
        return Session(self.graph, engine)

    @documented
    def run(
        self,
        given: Any,
        *,
        device: str = "auto",
        seed: int = 0,
        dtype: str = "f32",
        tensors: Sequence[str] = (),
        batch_size: int | None = None,
        tta: Augment = "none",
    ) -> dict[str, NDArray[Any]]:
        """The outputs by name, one row a sample; see `Session.run` for what may be given.

        The session is kept, so that the next run on the same device starts at once.
        """
        key = (text_of("device", device), whole("seed", seed, 0), str(dtype), os.getpid())
        kept = self._kept
        if kept is None or kept[0] != key:
            kept = self._kept = (key, self.session(device, seed=seed, dtype=dtype))
        return kept[1].run(given, tensors=tensors, batch_size=batch_size, tta=tta)

    def fit(
        self,
        data: Mapping[str, Any],
        *,
        epochs: int = 10,
        batch_size: int = 32,
        optimiser: Optimiser | None = None,
        split: float = 0.0,
        seed: int = 0,
        device: str = "auto",
        out: str | Path | None = None,
    ) -> History:
        """Train it on arrays by name, batch first: those of its inputs and of its targets.

        A target of whole numbers is classes, any other numbers that an output should come to. It
        begins with the weights that were loaded, or initial ones of the seed; `history.net` has
        those that it came to. What else a training may say stands in a `train` item.
        """
        from netc.fitting import plan_for
        from netc.training import Training

        plan = plan_for(self.graph, data, optimiser, batch_size, epochs)
        start = {f"{self.name}.{name}": array for name, array in self.graph.values.items()}
        training = Training(plan)
        history: History = training.fit(
            data, split=split, seed=seed, device=device, out=out, weights=start
        )
        history.net = self.with_weights(history.weights[self.name])
        return history

    @documented
    def gradient(
        self,
        given: Any,
        target: Any = None,
        *,
        output: str | None = None,
        weights: Any = None,
        training: bool = False,
        seed: int = 0,
    ) -> Gradient:
        """The derivatives of a number by inputs, parameters and layers, in float64.

        Without a target it is the sum of an output's numbers, of all samples, each times its own of
        `weights` (one hot for the score of a class); with one the loss of `fit`, the mean over the
        samples. `given` is what `run` takes. In `training` a batch norm takes the statistics of
        the batch, and dropout drops by the seed. A layer may stand for `output`.
        """
        from netc.gradient import gradient_of_loss, gradient_of_output

        if target is not None and (output is not None or weights is not None):
            raise CallError("a target says what is derived: no output or weights beside it")
        seed = whole("seed", seed, 0)
        if target is not None:
            return gradient_of_loss(self.graph, given, target, training, seed)
        name = None if output is None else text_of("output", output)
        return gradient_of_output(self.graph, given, name, weights, training, seed)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": None}  # a session cannot be pickled

    @documented
    def verify(
        self,
        *,
        device: str = "cpu",
        seed: int = 0,
        dtype: str = "f32",
        exact: bool = True,
        batch: int = 2,
        bisect: bool = False,
    ) -> Comparison:
        """NumPy against ONNX Runtime on random input, every layer; `exact` rules TF32 out.

        With `bisect` it ends at the first layer that differs, and `first_difference` reports on it.
        """
        from compiler.initialise import scatter
        from runtime.random_inputs import random_feeds
        from runtime.verify.compare import compare_all
        from runtime.verify.options import VerifyOptions

        text_of("device", device)
        seed, batch = whole("seed", seed, 0), whole("batch", batch, 1)
        options = VerifyOptions(device, dtype, exact, seed, batch, bisect)
        graph = scatter(self.graph, seed)
        return compare_all(graph, random_feeds(graph, seed, batch), options)


def read_only(arrays: Mapping[str, NDArray[np.float32]]) -> Mapping[str, NDArray[np.float32]]:
    """The same arrays, which cannot be written through."""
    views = {name: array.view() for name, array in arrays.items()}
    for view in views.values():
        view.flags.writeable = False
    return views
