"""`netc serve`, by a client of the protocol, and by hand where no client would do such things."""

from __future__ import annotations

import io
import json
import re
import signal
import socket
import subprocess
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

import netc as package
from runtime import session
from tests.netc.command import netc

NET = """
net animals {
    input picture: f32[3, H, W] from picture(mean=[0.5, 0.5, 0.5])
    input hint: f32[3]
    picture -> conv(3, 3x3, pad=1) -> gap -> flatten as seen
    add(seen, hint)
    output scores labels "names.txt"
}
"""
NAMES = ("cat", "dog", "eel")


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of NET at a free port: its `host:port`, and its process."""
    (folder / "net.netdef").write_text(NET)
    (folder / "names.txt").write_text("\n".join(NAMES))
    call = [sys.executable, "-m", "netc", "serve", "net.netdef", "--port", "0", *options]
    process = subprocess.Popen(
        call, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://(.*)/v2/models/animals", process.stdout.readline())
        assert found is not None, process.communicate()
        yield found[1], process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served"), "--max-request", "1") as (address, _):
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> InferenceServerClient:
    return InferenceServerClient(address)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> package.Net:
    folder = tmp_path_factory.mktemp("here")
    (folder / "names.txt").write_text("\n".join(NAMES))
    (folder / "net.netdef").write_text(NET)
    return package.load(folder / "net.netdef")


def feeds(count: int, side: int = 5, seed: int = 0) -> dict[str, Any]:
    """A batch of random numbers."""
    draw = np.random.default_rng(seed)
    picture = draw.normal(size=(count, 3, side, side)).astype(np.float32)
    return {"picture": picture, "hint": draw.normal(size=(count, 3)).astype(np.float32)}


def inputs(arrays: dict[str, Any], *, binary: bool = True) -> list[InferInput]:
    """Arrays as a client sends them."""
    found = []
    for name, array in arrays.items():
        one = InferInput(name, list(array.shape), "FP32")
        one.set_data_from_numpy(array, binary_data=binary)
        found.append(one)
    return found


def post(address: str, body: bytes, **headers: str) -> tuple[int, Any]:
    """A request by hand: the status and the JSON of the answer."""
    connection = HTTPConnection(address, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("POST", "/v2/models/animals/infer", body, named)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def get(address: str, path: str) -> tuple[int, str]:
    """The status and the text at an address."""
    connection = HTTPConnection(address, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_client_finds_the_model(client: InferenceServerClient) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("animals") and client.is_model_ready("animals", "1")
    assert client.get_server_metadata()["name"] == "netc"
    assert client.get_model_metadata("animals") == {
        "name": "animals",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [
            {"name": "picture", "datatype": "FP32", "shape": [-1, 3, -1, -1]},
            {"name": "hint", "datatype": "FP32", "shape": [-1, 3]},
        ],
        "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 3]}],
    }


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("packing", [None, "gzip", "deflate"])
@pytest.mark.parametrize("count", [1, 19])
def test_the_numbers_are_those_of_the_net(
    client: InferenceServerClient, net: package.Net, binary: bool, packing: str | None, count: int
) -> None:
    given = feeds(count)
    result = client.infer(
        "animals",
        inputs(given, binary=binary),
        outputs=[InferRequestedOutput("scores", binary_data=binary)],
        request_compression_algorithm=packing,
        request_id="seven",
    )
    assert result.get_response()["id"] == "seven"
    np.testing.assert_allclose(result.as_numpy("scores"), net.run(given)["scores"], atol=1e-5)


def test_the_best_classes_come_by_name(client: InferenceServerClient, net: package.Net) -> None:
    given = feeds(2)
    wanted = InferRequestedOutput("scores", class_count=2)
    found = client.infer("animals", inputs(given), outputs=[wanted]).as_numpy("scores")
    scores = net.run(given)["scores"]
    for row, texts in zip(scores, found, strict=True):
        best = np.argsort(-row)[:2]
        assert [t.decode().split(":")[1:] for t in texts] == [[str(i), NAMES[i]] for i in best]
        assert [float(t.decode().split(":")[0]) for t in texts] == pytest.approx(
            list(row[best]), abs=1e-5
        )


def test_a_picture_file_is_decoded_and_brought_to_the_input(
    client: InferenceServerClient, net: package.Net
) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 4, 3), dtype=np.uint8))
    file = io.BytesIO()
    image.save(file, "PNG")
    one = InferInput("picture", [1], "BYTES")
    one.set_data_from_numpy(np.array([file.getvalue()], dtype=object))
    hint = np.zeros((1, 3), np.float32)
    found = client.infer("animals", [one, *inputs({"hint": hint})]).as_numpy("scores")
    np.testing.assert_allclose(
        found, net.run({"picture": image, "hint": hint})["scores"], atol=1e-5
    )


def test_many_clients_get_their_own_numbers(address: str, net: package.Net) -> None:
    def ask(seed: int) -> tuple[Any, Any]:
        given = feeds(1 + seed % 3, 5 + seed % 2, seed)
        with InferenceServerClient(address) as own:
            return given, own.infer("animals", inputs(given)).as_numpy("scores")

    with ThreadPoolExecutor(16) as pool:
        for given, found in pool.map(ask, range(64)):
            np.testing.assert_allclose(found, net.run(given)["scores"], atol=1e-5)
    status, text = get(address, "/metrics")
    assert status == 200
    assert float(re.findall(r'requests_total{code="200"} (\S+)', text)[0]) >= 64
    samples, batches = (float(re.findall(rf"samples_{k} (\S+)", text)[0]) for k in ("sum", "count"))
    assert samples >= 64 and batches < samples
    assert sys.platform != "linux" or "process_cpu_seconds_total" in text


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("hint", (1, 4), r"the input hint is \[-1, 3\], not \[1, 4\]"),
        ("hint", (2, 3), "every input needs the same number of samples, there are 1 of picture, 2"),
        ("picture", (0, 3, 5, 5), r"not \[0, 3, 5, 5\]"),
        ("other", (1, 3), "there is no input other; there are picture, hint"),
    ],
)
def test_a_client_is_told_what_is_wrong(
    client: InferenceServerClient, name: str, shape: tuple[int, ...], message: str
) -> None:
    given = feeds(1) | {name: np.zeros(shape, np.float32)}
    with pytest.raises(InferenceServerException, match=message):
        client.infer("animals", inputs(given))


def test_there_is_one_model_in_one_version(client: InferenceServerClient) -> None:
    with pytest.raises(
        InferenceServerException, match="no model plants, version 1; there is animals"
    ):
        client.infer("plants", inputs(feeds(1)))
    with pytest.raises(InferenceServerException, match="no model animals, version 2"):
        client.infer("animals", inputs(feeds(1)), model_version="2")


def test_an_output_that_there_is_not(client: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="no output boxes; there are scores"):
        client.infer("animals", inputs(feeds(1)), outputs=[InferRequestedOutput("boxes")])


def test_requests_that_no_client_makes(address: str) -> None:
    assert post(address, b"nonsense") == (400, {"error": "the request is no JSON"})
    assert post(address, b"[" * 100_000) == (400, {"error": "the request is no JSON"})
    assert post(address, b"{}", Inference_Header_Content_Length="many")[0] == 400
    assert post(address, b"{}", Inference_Header_Content_Length="3")[0] == 400
    assert post(address, b"{}", Content_Encoding="br")[0] == 415
    assert post(address, b"{}", Content_Encoding="gzip")[0] == 400
    assert get(address, "/v2/models/animals/infer")[0] == 405
    assert get(address, "/else") == (404, '{"error":"there is no /else"}')


def test_too_large_a_request_is_refused_packed_or_not(address: str) -> None:
    limit = {"error": "a request has at most 1,048,576 bytes"}
    assert post(address, bytes(2**20 + 1)) == (413, limit)
    assert post(address, zlib.compress(bytes(2**26)), Content_Encoding="deflate") == (413, limit)


def test_a_stop_answers_what_has_come(tmp_path: Path) -> None:
    with served(tmp_path, "--delay", "700") as (address, process), ThreadPoolExecutor(1) as pool:
        client = InferenceServerClient(address)
        answer = pool.submit(client.infer, "animals", inputs(feeds(1)))
        while b"waiting_requests 1.0" not in get(address, "/metrics")[1].encode():
            assert not answer.done()
        process.send_signal(signal.SIGTERM)
        assert answer.result().as_numpy("scores").shape == (1, 3)
        assert process.wait(30) == 0
        assert process.stderr is not None and process.stderr.read() == ""


def test_threads_of_the_model_do_not_spin_between_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, spinning = session.create, list[bool]()

    def seen(model: Any, device: Any, settings: Any, *others: Any) -> Any:
        spinning.append(settings.spin)
        return create(model, device, settings, *others)

    monkeypatch.setattr(session, "create", seen)
    monkeypatch.setattr("netc.serving.serve", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    Path("net.netdef").write_text("net tiny { input x: f32[4]; dense(2); output y }")
    assert netc("serve", "net.netdef", "--device", "cpu").exit_code == 0
    assert spinning == [False]


def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = netc("serve", "lenet5", "--net", "lenet5", "--port", port)
    assert result.exit_code == 2
    assert f"cannot listen at 127.0.0.1 port {port}: Address already in use" in result.output


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "netc.serving", None)
    result = netc("serve", "lenet5", "--net", "lenet5")
    assert result.exit_code == 3 and "pip install '.[serve]'" in result.output
