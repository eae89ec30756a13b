"""`netc serve`: a network on a port, spoken to over HTTP in the Open Inference Protocol, version 2.

Starlette answers, uvicorn listens; `runtime/serving` reads requests and gathers them to batches.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from netc import __version__
from netc.runnable import Runnable
from runtime.batches import Arrays, run_pinned
from runtime.errors import CallError, MachineError
from runtime.serving.batching import Batcher, FullError
from runtime.serving.protocol import (
    Answer,
    ModelText,
    Request,
    chosen_outputs,
    parse_request,
    render_answer,
)
from runtime.valid_sizes import check_sizes

LENGTH = "Inference-Header-Content-Length"
LARGE = 2**16  # bytes from which a request is read in a thread: others are answered meanwhile
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
SAMPLES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class ServeOptions:
    """How a model is served: where, in which batches, and what is too much."""

    host: str = "127.0.0.1"
    port: int = 8000
    largest: int = 8  # samples of a batch
    delay: float = 0.0  # seconds that a batch waits to be full
    most_waiting: int = 256  # requests in the queue
    most_bytes: int = 64 * 2**20  # of a request, unpacked too


class Measured:
    """What `/metrics` tells, in the text form of Prometheus."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # processor time and memory, where Linux tells
        given: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("netc_requests", "Inference requests by status.", ["code"], **given)
        self.seconds = Histogram(
            "netc_request_seconds", "From a request to its answer.", buckets=SECONDS, **given
        )
        self.batches = Histogram(
            "netc_batch_samples", "Samples that ran together.", buckets=SAMPLES, **given
        )
        self.computing = Histogram(
            "netc_batch_seconds", "The model's own time for a batch.", buckets=SECONDS, **given
        )
        queue = Gauge("netc_waiting_requests", "Requests that wait for the model.", **given)
        queue.set_function(waiting)

    def ran(self, count: int, seconds: float) -> None:
        """Take note of a batch."""
        self.batches.observe(count)
        self.computing.observe(seconds)


class Service:
    """One model behind its addresses."""

    def __init__(self, runnable: Runnable, options: ServeOptions) -> None:
        self.runnable = runnable
        self.options = options
        self.model = ModelText(runnable.name, runnable.inputs, runnable.outputs, runnable.labels)
        self.measured = Measured(lambda: self.batcher.waiting)
        largest = runnable.runner.pinned or options.largest
        self.batcher = Batcher(
            partial(run_pinned, runnable.runner),
            largest,
            options.most_waiting,
            options.delay,
            self.measured.ran,
        )
        self.ready = True

    def application(self) -> Starlette:
        """The addresses of the protocol, and `/metrics`."""
        model = "/v2/models/{name}"
        routes = [Route("/v2", self.about), Route("/metrics", self.metrics)]
        routes += [Route("/v2/health/live", self.alive), Route("/v2/health/ready", self.is_ready)]
        for base in (model, model + "/versions/{version}"):
            routes += [
                Route(base, self.metadata),
                Route(base + "/ready", self.is_ready),
                Route(base + "/infer", self.infer, methods=["POST"]),
            ]
        return Starlette(
            routes=routes,
            lifespan=self.life,
            exception_handlers={HTTPException: refused, 404: nothing_there},
        )

    @asynccontextmanager
    async def life(self, application: Starlette) -> AsyncIterator[None]:
        """While it serves; what waits at the end is still answered."""
        yield
        self.ready = False
        await self.batcher.close()

    async def about(self, request: HttpRequest) -> Response:
        """What kind of server this is."""
        extensions = ["binary_tensor_data", "classification"]
        return JSONResponse({"name": "netc", "version": __version__, "extensions": extensions})

    async def alive(self, request: HttpRequest) -> Response:
        """Whether the server answers."""
        return Response()

    async def is_ready(self, request: HttpRequest) -> Response:
        """Whether the server, or the model, takes requests."""
        if "name" in request.path_params:
            self.check_name(request)
        return Response(status_code=200 if self.ready else 503)

    async def metadata(self, request: HttpRequest) -> Response:
        """The model's inputs and outputs."""
        self.check_name(request)
        return JSONResponse(self.model.metadata())

    async def metrics(self, request: HttpRequest) -> Response:
        """Counters and times, for Prometheus."""
        return Response(generate_latest(self.measured.registry), media_type="text/plain")

    def check_name(self, request: HttpRequest) -> None:
        """Raise 404 unless the request is for the model that is here, in its one version."""
        name = request.path_params["name"]
        version = request.path_params.get("version", self.model.version)
        if (name, version) != (self.model.name, self.model.version):
            here = f"{self.model.name}, version {self.model.version}"
            raise HTTPException(
                404, f"there is no model {name}, version {version}; there is {here}"
            )

    async def infer(self, request: HttpRequest) -> Response:
        """Run the model for one request, together with others that wait."""
        started = time.perf_counter()
        response = await answered(self.outputs(request))
        self.measured.requests.labels(str(response.status_code)).inc()
        self.measured.seconds.observe(time.perf_counter() - started)
        return response

    async def outputs(self, http: HttpRequest) -> Response:
        """The answer to a request; raises `CallError` and `HTTPException`."""
        self.check_name(http)
        body = await read_body(http, self.options.most_bytes)
        request = await in_thread(len(body), self.read, body, json_length(http))
        arrays = await self.batcher.infer(request.feeds)
        size = sum(array.nbytes for array in arrays.values())
        answer = await in_thread(size, self.render, request, arrays)
        headers = {} if answer.json_bytes is None else {LENGTH: str(answer.json_bytes)}
        kind = "application/octet-stream" if headers else "application/json"
        return Response(answer.body, media_type=kind, headers=headers)

    def read(self, body: bytes, json_bytes: int | None) -> Request:
        """A request that the model takes."""
        request = parse_request(body, json_bytes, self.runnable.inputs)
        chosen_outputs(request, self.model)
        for spec in self.runnable.inputs:
            if not spec.fits(request.feeds[spec.name].shape[1:]):
                raise CallError(f"the input {spec.name} cannot be {request.feeds[spec.name].shape}")
        check_sizes(self.runnable.inputs, self.runnable.violated, "the request", request.feeds)
        return request

    def render(self, request: Request, arrays: Arrays) -> Answer:
        """The bytes of an answer."""
        return render_answer(request, self.model, arrays)


async def in_thread(size: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function makes of so many bytes; much work is done in a thread."""
    if size < LARGE:
        return function(*arguments)
    return await asyncio.to_thread(function, *arguments)


async def answered(work: Awaitable[Response]) -> Response:
    """The response, or the protocol's error for what went wrong."""
    try:
        return await work
    except FullError as error:
        return problem(503, str(error), {"Retry-After": "1"})
    except HTTPException as error:
        return problem(error.status_code, error.detail)
    except MachineError as error:
        return problem(500, str(error))
    except CallError as error:
        return problem(400, str(error))
    except Exception as error:  # the server goes on, whatever a request meets
        return problem(500, f"netc failed at this request: {type(error).__name__}: {error}")


def problem(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    """An error as the protocol has it."""
    return JSONResponse({"error": text}, status_code=status, headers=headers)


async def refused(request: HttpRequest, error: Exception) -> Response:
    """The answer to what no address takes, such as a GET of `infer`."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, dict(error.headers or {}))


async def nothing_there(request: HttpRequest, error: Exception) -> Response:
    """The answer to an address that there is not."""
    assert isinstance(error, HTTPException)
    unknown = error.detail == "Not Found"
    return problem(404, f"there is no {request.url.path}" if unknown else error.detail)


def json_length(request: HttpRequest) -> int | None:
    """How many bytes of the body are JSON, if not all."""
    text = request.headers.get(LENGTH)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise HTTPException(400, f"{LENGTH} is a number of bytes")
    return int(text)


async def read_body(request: HttpRequest, most: int) -> bytes:
    """A request's body, unpacked; raises `HTTPException` when it is more than `most` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(413, f"a request has at most {most:,} bytes")
        parts.append(part)
    body = b"".join(parts)
    packing = request.headers.get("Content-Encoding", "identity")
    if packing == "identity":
        return body
    if packing not in ("gzip", "deflate"):
        raise HTTPException(415, f"a request is packed by gzip or deflate, not by {packing}")
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | (16 if packing == "gzip" else 0))
    try:
        body = unpacking.decompress(body, most + 1)
    except zlib.error:
        raise HTTPException(400, f"the request is not packed by {packing}") from None
    if len(body) > most:
        raise HTTPException(413, f"a request has at most {most:,} bytes")
    if not unpacking.eof:
        raise HTTPException(400, "the packed request ends too soon")
    return body


def listen(options: ServeOptions) -> socket.socket:
    """The open port; raises `CallError` where there can be none."""
    try:
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        return socket.create_server((options.host, options.port), family=family, backlog=1024)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CallError(f"cannot listen at {options.host} port {options.port}: {reason}") from None


def serve(runnable: Runnable, options: ServeOptions, tell: Callable[[str], object]) -> None:
    """Serve until a signal; `tell` is given the address once requests are taken.

    SIGTERM and Ctrl-C stop it: no new request is taken, those that came are answered. Then the
    function returns after SIGTERM, and Ctrl-C ends the process as it always does.
    """
    port = listen(options)
    service = Service(runnable, options)
    host = f"[{options.host}]" if ":" in options.host else options.host
    tell(f"http://{host}:{port.getsockname()[1]}/v2/models/{service.model.name}")
    config = uvicorn.Config(
        service.application(),
        log_level="error",
        access_log=False,
        lifespan="on",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=30,
    )
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again after the last answer
    uvicorn.Server(config).run(sockets=[port])
