"""Requests and answers of the protocol, byte by byte."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest

from runtime.inputs import InputSpec, TensorSpec
from runtime.serving.protocol import (
    ModelText,
    RequestError,
    parse_request,
    render_answer,
)

SPECS = (InputSpec("x", (2,)), InputSpec("n", ("T",), "int64"), InputSpec("b", (1,), "bool"))
MODEL = ModelText(
    "m", SPECS, (TensorSpec("y", (2,)), TensorSpec("k", (), "int32")), {"y": ("cat", "dog")}
)


def tensor(name: str, datatype: str, shape: list[int], data: Any = None, **more: Any) -> Any:
    """One input as a request has it."""
    plain = {"name": name, "datatype": datatype, "shape": shape}
    return plain | ({} if data is None else {"data": data}) | more


X = tensor("x", "FP32", [1, 2], [1.5, -2])
N = tensor("n", "INT64", [1, 3], [1, 2, 2**53 + 1])
B = tensor("b", "BOOL", [1, 1], [True])


def body(*inputs: Any, **more: Any) -> bytes:
    """A request without binary data."""
    return json.dumps({"inputs": inputs, **more}).encode()


def test_numbers_in_json_keep_their_type_and_value() -> None:
    request = parse_request(body(N, X, B, id="7"), None, SPECS)
    assert request.id == "7" and list(request.feeds) == ["x", "n", "b"]
    assert request.feeds["x"].dtype == np.float32 and request.feeds["x"].tolist() == [[1.5, -2.0]]
    assert request.feeds["n"].tolist() == [[1, 2, 2**53 + 1]]
    assert request.feeds["b"].tolist() == [[True]]


def test_nested_numbers_are_as_good_as_flat_ones() -> None:
    nested = tensor("x", "FP32", [2, 2], [[1, 2], [3, 4]])
    assert parse_request(body(nested), None, SPECS[:1]).feeds["x"].tolist() == [[1, 2], [3, 4]]


def test_numbers_behind_the_json_stand_in_the_order_of_the_tensors() -> None:
    head = body(
        tensor("n", "INT64", [1, 1], parameters={"binary_data_size": 8}),
        B,
        tensor("x", "FP32", [1, 2], parameters={"binary_data_size": 8}),
    )
    tail = b"\x05" + bytes(7) + b"\x00\x00\x80\x3f\x00\x00\x00\x40"  # 5, then 1 and 2
    request = parse_request(head + tail, len(head), SPECS)
    assert request.feeds["n"].tolist() == [[5]] and request.feeds["x"].tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([X, N], "nothing is given for the input b"),
        ([X, X, N, B], "the input x is given twice"),
        ([X | {"datatype": "FP64"}, N, B], "the input x is FP32, not FP64"),
        ([X | {"datatype": "BYTES"}, N, B], "the input x is FP32, not BYTES"),
        ([X | {"datatype": 3}, N, B], "`datatype` is a text"),
        ([X | {"name": None}, N, B], "`name` is a text"),
        ([X | {"shape": [1, 3]}, N, B], r"the input x is \[-1, 2\], not \[1, 3\]"),
        ([X | {"shape": [True, 2]}, N, B], "the shape of x is a list of sizes"),
        ([X | {"shape": [-1, 2]}, N, B], "the shape of x is a list of sizes"),
        ([X | {"shape": [2, 2]}, N, B], "the `data` of x are 2 numbers, not 4"),
        ([X | {"data": ["1", "2"]}, N, B], "the `data` of x are not numbers of FP32"),
        ([X | {"data": [[1], [2, 3]]}, N, B], "the `data` of x are not numbers of FP32"),
        ([X | {"data": [True, False]}, N, B], "the `data` of x are not numbers of FP32"),
        ([X | {"data": None}, N, B], "the input x has neither `data` nor"),
        ([X, N | {"data": [1, 2, 0.5]}, B], "the `data` of n are not numbers of INT64"),
        ([X, N | {"data": [1, 2, 2**63]}, B], "the `data` of n are not numbers of INT64"),
        ([X, N, B | {"data": [1]}], "the `data` of b are not numbers of BOOL"),
        ([X | {"parameters": {"binary_data_size": 9}}, N, B], "binary_data_size of x is not wit"),
        ([X | {"parameters": {"binary_data_size": True}}, N, B], "binary_data_size of x is not"),
        ([X | {"parameters": []}, N, B], "`parameters` is an object"),
        ([X | {"parameters": {"binary_data_size": 4}}, N, B], "8 bytes, and there are 4"),
        ([3], "`inputs` is a list of objects"),
    ],
)
def test_what_is_wrong_is_told(inputs: list[Any], message: str) -> None:
    head = body(*inputs)
    with pytest.raises(RequestError, match=message):
        parse_request(head + bytes(4), len(head), SPECS)


def test_bytes_that_belong_to_no_tensor() -> None:
    head = body(X, N, B)
    with pytest.raises(RequestError, match="3 bytes behind the last tensor belong to none"):
        parse_request(head + b"abc", len(head), SPECS)


def test_an_answer_in_json() -> None:
    request = parse_request(body(X, N, B, id="7"), None, SPECS)
    arrays = {"y": np.array([[0.25, 0.75]], np.float32), "k": np.array([3], np.int32)}
    answer = render_answer(request, MODEL, arrays)
    assert answer.json_bytes is None
    assert json.loads(answer.body) == {
        "model_name": "m",
        "model_version": "1",
        "id": "7",
        "outputs": [
            {"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [0.25, 0.75]},
            {"name": "k", "datatype": "INT32", "shape": [1], "data": [3]},
        ],
    }


def test_an_answer_with_raw_numbers_and_classes() -> None:
    outputs = [
        {"name": "k", "parameters": {"binary_data": True}},
        {"name": "y", "parameters": {"binary_data": True, "classification": 1}},
    ]
    request = parse_request(body(X, N, B, outputs=outputs), None, SPECS)
    arrays = {"y": np.array([[0.25, 0.75]], np.float32), "k": np.array([3], np.int32)}
    answer = render_answer(request, MODEL, arrays)
    assert answer.body[answer.json_bytes :] == b"\x03\0\0\0" + b"\x0e\0\0\0" + b"0.750000:1:dog"
    told = json.loads(answer.body[: answer.json_bytes])["outputs"]
    assert [(t["datatype"], t["shape"], t["parameters"]["binary_data_size"]) for t in told] == [
        ("INT32", [1], 4),
        ("BYTES", [1, 1], 18),
    ]


def test_no_bytes_end_in_anything_but_a_request_or_an_error() -> None:
    head = body(tensor("x", "FP32", [1, 2], parameters={"binary_data_size": 8}), N, B)
    whole, draw = head + bytes(8), Random(5)
    wrong = 0
    for _ in range(2000):
        broken = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            broken[draw.randrange(len(broken))] = draw.choice(b'0123456789[]{}",:-eE.\x00\xff')
        try:
            parse_request(bytes(broken), draw.choice([len(head), None]), SPECS)
        except RequestError:
            wrong += 1
    assert wrong > 1000
