"""ONNX Runtime sessions: on the device that was asked for, or not at all.

ONNX Runtime falls back to the CPU silently when a provider is missing, fails to start, or fails
while running. Here `cuda` means CUDA: each way of falling back is an error with a remedy.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from runtime.bfloat16 import has_bfloat16, widened
from runtime.binding import BoundArrays, from_value, to_value, type_of
from runtime.blocked import block_width, with_blocks
from runtime.devices import OPENVINO, Device, parse_device
from runtime.errors import CallError, MachineError, first_line
from runtime.hazards import HIDING, RECURRENT
from runtime.machine import Driver, driver
from runtime.models import LARGEST_INSIDE, detached, weight_bytes
from runtime.onnx_file import check_model_file, read_model_file
from runtime.placement import RECORD, Placement, placement
from runtime.plugins import PLUGINS, add_plugin
from runtime.probe import probe
from runtime.providers import cannot, providers_for, require
from runtime.settings import Settings

Model = bytes | Path | onnx.ModelProto
BAD_MODEL = (
    raised.InvalidProtobuf,
    raised.InvalidGraph,
    raised.InvalidArgument,
    raised.NoSuchFile,
    raised.NotImplemented,
    raised.RuntimeException,
    UnicodeDecodeError,
)


BROKEN_BY_REWRITING = (raised.Fail, raised.RuntimeException, raised.NotImplemented)
# On x86 processors without VNNI, sums of 8-bit products that do not saturate at 16 bits.
WHOLE_SUMS = "session.x64quantprecision"
LONG = 1000  # nodes
LONGEST_REWRITTEN = 4000  # nodes of a training step
# How much ONNX Runtime rewrites, from all of it to nothing, and what is said of it.
LEVELS = {
    ort.GraphOptimizationLevel.ORT_ENABLE_ALL: "all of it",
    ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED: "less of it",
    ort.GraphOptimizationLevel.ORT_ENABLE_BASIC: "the least of it",
    ort.GraphOptimizationLevel.ORT_DISABLE_ALL: "none of it",
}
Level: TypeAlias = Any  # of the above; ONNX Runtime has no types
Reopen: TypeAlias = Callable[[Level], Any]


class RunError(CallError):
    """A run that ONNX Runtime refuses: an input of the wrong name, shape or type."""


class OnnxSession:
    """A model ready to run on one device; `run` may be called from several threads.

    `device` is where it runs, `note` what one would want to know of that, `inputs` the shapes by
    name with the batch first. `reopen` makes the session anew with less of ONNX Runtime's own
    rewriting, for a model that the rewriting breaks.
    """

    def __init__(
        self, session: Any, device: Device, note: str = "", reopen: Reopen | None = None
    ) -> None:
        self._session = session
        self._reopen = reopen
        self.place = device
        self.device = str(device)
        self.note = note
        self.inputs = {i.name: tuple(i.shape) for i in session.get_inputs()}
        self.outputs = tuple(o.name for o in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)
        self.types = {i.name: type_of(i) for i in session.get_inputs()}
        self.output_shapes = {o.name: tuple(o.shape) for o in session.get_outputs()}
        self.output_types = {o.name: type_of(o) for o in session.get_outputs()}
        kinds = [*self.types.values(), *self.output_types.values()]
        self._plain = ml_dtypes.bfloat16 not in kinds

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name; raises `RunError`."""
        given = self.prepared(feeds)
        try:
            values = self._run(self._session, given)
        except BROKEN_BY_REWRITING as error:
            values = self._run_less_rewritten(given, error)
        except Exception as error:  # ONNX Runtime raises its own kinds, all from C++
            raise refused(error) from None
        return dict(zip(self.outputs, values, strict=True))

    def _run(self, session: Any, given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """The outputs of ONNX Runtime itself; raises what that raises."""
        if self._plain:
            return list(session.run(None, given))
        host = Device("cpu")
        raw = {name: to_value(array, host) for name, array in given.items()}
        return [from_value(v) for v in session.run_with_ort_values(list(self.outputs), raw)]

    def _run_less_rewritten(
        self, given: Mapping[str, NDArray[Any]], error: Exception
    ) -> list[NDArray[Any]]:
        """The outputs with as much of ONNX Runtime's rewriting as does not break the model.

        A model that fails without any is at fault itself. Raises `RunError`.
        """
        reopen = self._reopen
        for level in [*LEVELS][1:]:
            if reopen is None:
                break
            try:
                session = reopen(level)
                values = self._run(session, given)
            except Exception:  # as broken as before: with less of it, perhaps not
                continue
            self._session, self._reopen = session, None
            self.note = less_rewritten(level, error)
            return values
        raise refused(error) from None

    def bind(self, feeds: Mapping[str, NDArray[Any]]) -> BoundArrays:
        """Inputs and outputs at fixed places of the device, for runs that copy nothing."""
        try:
            return BoundArrays(self._session, self.place, self.prepared(feeds))
        except RunError:
            raise
        except Exception as error:
            raise refused(error) from None

    def run_kept(
        self, feeds: Mapping[str, NDArray[Any]], held: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The outputs by name as values in the device's memory, for the next run to take.

        `held` are inputs that are such values already. Raises `RunError`.
        """
        binding = self._binding(held)
        place = ("cuda", self.place.index) if self.place.on_gpu else ("cpu", 0)
        for name in self.outputs:
            binding.bind_output(name, *place)
        self._run_bound(binding, feeds)
        return dict(zip(self.outputs, binding.get_outputs(), strict=True))

    def bound_run(
        self, held: Mapping[str, Any], into: Mapping[str, Any]
    ) -> Callable[[Mapping[str, NDArray[Any]]], None]:
        """What runs the model with inputs and all outputs at their places in the device's memory.

        It takes the other inputs, and raises `RunError`. To bind is work for every input and
        output: a step of a small net takes a tenth less time when most are bound beforehand.
        """
        binding = self._binding(held)
        for name in self.outputs:
            binding.bind_ortvalue_output(name, into[name])
        return partial(self._run_bound, binding)

    def _binding(self, held: Mapping[str, Any]) -> Any:
        """A binding to those of the inputs that are in the device's memory."""
        binding = self._session.io_binding()
        for name, value in held.items():
            if name in self.inputs:
                binding.bind_ortvalue_input(name, value)
        return binding

    def _run_bound(self, binding: Any, feeds: Mapping[str, NDArray[Any]]) -> None:
        """One run with arrays for the inputs that are not bound yet; raises `RunError`."""
        try:
            for name, array in feeds.items():
                if name in self.inputs:
                    given = np.ascontiguousarray(array, dtype=self.types[name])
                    binding.bind_ortvalue_input(name, to_value(given, self.place))
            self._session.run_with_iobinding(binding)
        except Exception as error:  # ONNX Runtime raises its own kinds, all from C++
            raise RunError(f"ONNX Runtime refuses this input: {first_line(error)}") from None

    def placement(self) -> Placement | None:
        """Which provider runs which node; None where this ONNX Runtime cannot tell."""
        return placement(self._session)

    def end_profile(self) -> Path:
        """Stop writing what each node takes; the file, of a session with `Settings.profile`."""
        return Path(self._session.end_profiling())

    def prepared(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The inputs as the model takes them, checked; raises `RunError`."""
        given = {}
        for name, shape in self.inputs.items():
            if name not in feeds:
                raise RunError(f"nothing is given for the input {name}")
            have = feeds[name].shape
            if len(have) != len(shape) or any(
                isinstance(want, int) and want != got for want, got in zip(shape, have, strict=True)
            ):
                raise RunError(f"the input {name} is {list(shape)}, the array is {list(have)}")
            if 0 in have and self._may_die_of_nothing():
                raise RunError(f"the array for {name} is {list(have)}: an LSTM or GRU needs values")
            given[name] = np.asarray(feeds[name], dtype=self.types[name], order="C")
        return given

    def _may_die_of_nothing(self) -> bool:
        """Whether it has a recurrent layer, or what may hold one (`hazards.py`)."""
        placed = self.placement()
        kinds = {kind for nodes in placed.nodes.values() for _, kind in nodes} if placed else HIDING
        return not kinds.isdisjoint(RECURRENT | HIDING)


def less_rewritten(level: Level, error: Exception) -> str:
    """What is said of a model that ONNX Runtime's rewriting breaks."""
    rendered = f"ONNX Runtime's own rewriting breaks this model ({first_line(error)})"
    return f"{rendered}: it runs with {LEVELS[level]}"


def refused(error: Exception) -> RunError:
    """What is said of an input that ONNX Runtime does not run."""
    return RunError(f"ONNX Runtime refuses this input: {first_line(error)}")


def open_session(
    model: Model,
    device: str | Device = "auto",
    settings: Settings | None = None,
    *,
    exact: bool = True,
    optimise: bool = True,
) -> OnnxSession:
    """Open a model on a device (`devices.py`); `exact` and `optimise` stand for `settings`.

    A file is checked before ONNX Runtime sees it. A GPU that cannot be had raises
    `MachineError`; `auto` takes the fastest that is there and works (`on_fastest`), and says in
    `note` why it is not CUDA.
    """
    wanted = parse_device(device)
    settings = settings or Settings(exact, optimise)
    read: bytes | onnx.ModelProto
    if isinstance(model, Path):
        model, read = check_model_file(model)
    else:
        read = model
    if isinstance(read, onnx.ModelProto) and is_long_and_open(read, settings.sizes):
        settings = replace(settings, layouts=False)
    if wanted.kind == "numpy":
        raise CallError("the NumPy device runs definitions, not ONNX models")
    if wanted.on_gpu:
        return on_gpu(model, wanted, settings)
    if wanted.is_plugin:
        return on_plugin(model, wanted, settings)
    if wanted.kind == "cpu":
        return on_cpu(model, settings)
    return on_fastest(model, settings)


def on_fastest(model: Model, settings: Settings) -> OnnxSession:
    """A session on the fastest device that is here and exact: CUDA, OpenVINO, the CPU.

    A training step, which must run in its order, has no use for OpenVINO.
    """
    found = driver()
    note = "" if found.gpus else found.problem or "no CUDA device was found"
    if found.gpus:
        try:
            return on_gpu(model, Device("cuda"), settings)
        except MachineError as error:
            note = first_line(error)
    if PLUGINS[OPENVINO].is_here and not settings.in_order:
        with contextlib.suppress(MachineError, RunError):  # then the CPU says what is wrong
            return on_plugin(model, Device("openvino"), settings)
    return on_cpu(model, settings, note)


def on_cpu(model: Model, settings: Settings, note: str = "") -> OnnxSession:
    """A session on the CPU, which computes bfloat16 nodes in float32."""
    place = Device("cpu")
    if settings.in_order and isinstance(model, onnx.ModelProto):
        width = block_width()
        model = model if width is None else with_blocks(model, width)
        if len(model.graph.node) > LONGEST_REWRITTEN:
            # The time of rewriting grows as the square: 11 s for 10,000 nodes, and 1 s without;
            # a step of 4,000 takes as long either way.
            settings = replace(settings, optimise=False)
    try:
        try:
            session = create(model, place, settings, Driver())
        except raised.Fail as error:
            level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
            session = create(model, place, settings, Driver(), level)
            note = less_rewritten(level, error)
        except raised.NotImplemented:
            proto = proto_of(model)
            if not has_bfloat16(proto):
                raise
            model = widened(proto)
            session = create(model, place, settings, Driver())
    except (*BAD_MODEL, raised.Fail, RuntimeError, ValueError) as error:
        raise RunError(f"this is no model that ONNX Runtime takes: {first_line(error)}") from None
    reopen = partial(create, model, place, settings, Driver()) if settings.optimise else None
    return OnnxSession(session, place, note, reopen)


def on_gpu(model: Model, device: Device, settings: Settings) -> OnnxSession:
    """A session of which the GPU runs at least a part; raises `MachineError`."""
    found = require(device)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        ort.preload_dlls()
    try:
        session = create(model, device, settings, found)
    except BAD_MODEL as error:
        raise RunError(f"this is no model that ONNX Runtime takes: {first_line(error)}") from None
    except Exception as error:  # what CUDA and cuDNN say arrives in several kinds
        remedy = "pip install tensorrt '.[cuda]' in a checkout of netc brings the libraries"
        if device.kind == "cuda":
            remedy = "repair the CUDA installation"
        raise cannot(device, f"it does not start: {first_line(error)}", remedy) from None
    if session.get_providers()[0] != device.provider:
        raise cannot(
            device,
            f"{device.provider} does not start: {probe(device).reason}",
            "pip install '.[cuda]' in a checkout of netc brings the libraries",
            "ONNX Runtime fell back to " + session.get_providers()[0],
        )
    session.disable_fallback()
    placed = placement(session)
    if placed is not None and device.provider not in placed.counts:
        raise cannot(
            device, "ONNX Runtime placed no node on it", "update ONNX Runtime", str(placed)
        )
    reopen = partial(create, model, device, settings, found) if settings.optimise else None
    return OnnxSession(session, device, reopen=reopen)


def on_plugin(model: Model, device: Device, settings: Settings) -> OnnxSession:
    """A session of which a plugin runs at least a part; raises `MachineError`."""
    try:
        session = create(model, device, settings, Driver())
    except (*BAD_MODEL, raised.Fail, RuntimeError) as error:
        raise RunError(f"this is no model that {device} takes: {first_line(error)}") from None
    session.disable_fallback()
    placed = placement(session)
    if placed is not None and device.provider not in placed.counts:
        raise MachineError(f"{device} runs no layer of this model ({placed})", "--device cpu")
    reopen = partial(create, model, device, settings, Driver()) if settings.optimise else None
    return OnnxSession(session, device, reopen=reopen)


def create(
    model: Model, device: Device, settings: Settings, found: Driver, level: Level | None = None
) -> Any:
    """A session of ONNX Runtime itself, its messages silenced; raises what that raises.

    `level` is how much it rewrites, where that is neither all of it nor none.
    """
    ort.set_default_logger_severity(4)  # of providers that do not load; `probe` finds the reason
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = settings.threads
    options.add_session_config_entry(RECORD, "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(settings.spin)))
    options.add_session_config_entry(WHOLE_SUMS, "1")
    if settings.in_order:
        options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
        options.enable_mem_pattern = options.enable_mem_reuse = False
    if settings.profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(settings.profile)
    for name, size in settings.sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    if not settings.optimise:
        level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    elif level is None and not settings.layouts:
        level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    if level is not None:
        options.graph_optimization_level = level
    beside = settings.weights
    if not isinstance(model, Path | bytes) and weight_bytes(model) > LARGEST_INSIDE:
        model, beside = detached(model)  # too much for one protobuf message
    weights = [to_value(array, Device("cpu")) for array in beside.values()]
    if weights:
        options.add_external_initializers(list(beside), weights)
    match model:
        case Path():
            source: str | bytes = str(model)
        case bytes():
            source = model
        case _:
            source = model.SerializeToString()
    if device.is_plugin:
        add_plugin(options, device, settings)
        session = ort.InferenceSession(source, options, enable_fallback=0)
    else:
        providers = providers_for(device, settings, found)
        session = ort.InferenceSession(source, options, providers=providers, enable_fallback=0)
    session.weights_in_use = weights  # it reads them in place
    check_text(session)
    return session


def is_long_and_open(model: onnx.ModelProto, sizes: Mapping[str, int]) -> bool:
    """Whether ONNX Runtime's search for better layouts would take longer than it spares.

    Where the sizes of tensors are open its time grows as the square of the number of convolutions:
    7 s for 4,000 of them, and a fifteenth of that without.
    """
    if len(model.graph.node) < LONG:
        return False
    shapes = [info.type.tensor_type.shape.dim[1:] for info in model.graph.input]
    return any(not d.dim_value and d.dim_param not in sizes for shape in shapes for d in shape)


def check_text(session: Any) -> None:
    """Raise `UnicodeDecodeError` here, not later, when a name in a model is no UTF-8 text."""
    for port in session.get_inputs() + session.get_outputs():
        str((port.name, port.type, port.shape))
    str(session.get_modelmeta().custom_metadata_map)


def proto_of(model: Model) -> onnx.ModelProto:
    """A model with its weights as ONNX's own message."""
    if isinstance(model, onnx.ModelProto):
        return model
    if isinstance(model, bytes):
        return onnx.load_model_from_string(model)
    return read_model_file(model)
