"""Arrays from files: what lies about its size, or is no plain array, costs nothing."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.arrays import ArrayError, save_array, save_arrays, store_npy, store_npz
from tests.memory import peak_of

LITTLE = 16 * 2**20  # bytes; each file here claims at least ten times as much


def header(shape: str, dtype: str = "'<f4'") -> bytes:
    """The head of an .npy file of format 1.0."""
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def npz(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    """An archive with these members."""
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refused(action: Callable[[], Any]) -> str:
    """The message of a refusal, which must take hardly any memory."""
    said = []

    def run() -> None:
        with pytest.raises(ArrayError) as caught:
            action()
        said.append(str(caught.value))

    assert peak_of(run) < LITTLE
    return said[0]


def read_all(path: Path) -> None:
    for stored in store_npz(path).values():
        stored.read()


def test_arrays_come_back_as_they_were_saved(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "file": np.array([], dtype=np.float64).reshape(0, 4),
        "allow_pickle": np.asfortranarray(np.arange(12, dtype=np.int64).reshape(3, 4)),
        "scalar": np.float32(2.5),
    }
    save_arrays(tmp_path / "a.npz", arrays)
    stored = store_npz(tmp_path / "a.npz")
    assert list(stored) == list(arrays)
    for name, array in arrays.items():
        assert stored[name].shape == np.shape(array)
        assert stored[name].dtype == str(np.asarray(array).dtype)
        np.testing.assert_array_equal(stored[name].read(), array)
    with np.load(tmp_path / "a.npz") as numpys:
        np.testing.assert_array_equal(numpys["a"], arrays["a"])


def test_numpys_own_files_are_read_packed_or_not(tmp_path: Path) -> None:
    array = np.linspace(0, 1, 50).reshape(5, 10)
    np.savez(tmp_path / "plain.npz", x=array)
    np.savez_compressed(tmp_path / "packed.npz", x=array)
    np.save(tmp_path / "x.npy", array)
    for stored in (
        store_npz(tmp_path / "plain.npz")["x"],
        store_npz(tmp_path / "packed.npz")["x"],
        store_npy(tmp_path / "x.npy"),
    ):
        np.testing.assert_array_equal(stored.read(), array)


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    arrays = {"a": np.arange(5), "b": np.ones(3)}
    save_arrays(tmp_path / "one.npz", arrays)
    save_arrays(tmp_path / "two.npz", arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    save_array(tmp_path / "a.npy", np.arange(5))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.arange(5))


def test_an_npy_is_mapped_so_that_one_row_costs_one_row(tmp_path: Path) -> None:
    np.save(tmp_path / "big.npy", np.zeros((64, 1024, 1024), np.float32))
    stored = store_npy(tmp_path / "big.npy")
    assert peak_of(lambda: np.array(stored.read()[3])) < LITTLE


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (header("(1000000000,)") + b"\0" * 16, "claims 4,000,000,000 bytes"),
        (header("(4,)") + b"\0" * 20, "claims 16 bytes"),
        (header("(-4,)"), "claims the shape [-4]"),
        (header("(4,)")[:30], "has a header that cannot be read"),
        (header("(2,)", "'|O'") + pickle.dumps([1, 2]), "holds pickled objects"),
        (header("(2,)", "[('a', '<f4')]") + b"\0" * 8, "holds no numbers"),
        (header("(2,)", "'<c8'") + b"\0" * 16, "holds no numbers"),
        (header("(" * 3000 + ")" * 3000) + b"\0", "has a header that cannot be read"),
        (header("(" * 5), "has a header that cannot be read"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1), "claims a header of 4,294,967,295"),
        (b"\x93NUMPY\x03\x00" + struct.pack("<I", 10), "the NumPy format 3.0"),
        (b"PK", "is no NumPy array"),
        (b"", "is no NumPy array"),
    ],
)
def test_a_broken_npy_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    assert says in refused(lambda: store_npy(tmp_path / "x.npy"))
    npz(tmp_path / "x.npz", {"x.npy": content})
    assert says in refused(lambda: read_all(tmp_path / "x.npz"))


def test_a_member_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    packed = npz(tmp_path / "x.npz", {"x.npy": header("(50000000,)") + b"\0" * 64}, 8)
    assert "claims 200,000,000 bytes" in refused(lambda: read_all(packed))


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    block = b"\0" * 2**20
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as member,
    ):
        member.write(header(f"({300 * 2**18},)"))
        for _ in range(300):
            member.write(block)
    assert path.stat().st_size < 2**20
    assert "as a zip bomb does" in refused(lambda: read_all(path))


def test_an_archive_that_claims_the_impossible_is_refused(tmp_path: Path) -> None:
    path = npz(tmp_path / "x.npz", {"x.npy": header("(2,)") + b"\0" * 8})
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 2**31)  # the unpacked size
    path.write_bytes(content)
    assert "which is impossible" in refused(lambda: read_all(path))


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    body = header("(4096,)") + b"\0" * 4096 * 4
    path = npz(tmp_path / "x.npz", {"a.npy": body})
    content = path.read_bytes()
    entry, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    record = content[entry:end]
    directory = b"".join(record.replace(b"a.npy", b"%c.npy" % (97 + i)) for i in range(20))
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 20, 20, len(directory), entry, 0)
    path.write_bytes(content[:entry] + directory + tail)
    assert "overlap" in refused(lambda: read_all(path)).lower()


@pytest.mark.parametrize(
    ("members", "how", "says"),
    [
        ({"x.npy": header("(1,)") + b"\0" * 4}, zipfile.ZIP_LZMA, "packed in a way"),
        ({"../../x.txt": b"hello"}, zipfile.ZIP_STORED, "which is no NumPy array"),
    ],
)
def test_an_archive_that_is_none_of_numpys_is_refused(
    tmp_path: Path, members: dict[str, bytes], how: int, says: str
) -> None:
    path = npz(tmp_path / "x.npz", members, how)
    assert says in refused(lambda: read_all(path))


def test_a_packed_member_that_is_damaged_is_refused_when_it_is_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.random.default_rng(0).standard_normal(5000))
    content = bytearray(buffer.getvalue())
    content[20000:20010] = b"0123456789"
    (tmp_path / "x.npz").write_bytes(content)
    assert "cannot be read" in refused(lambda: read_all(tmp_path / "x.npz"))


def test_a_member_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ä=np.ones(3))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content.replace("ä".encode(), b"\xc3a", 1))
    assert "cannot be read" in refused(lambda: store_npz(tmp_path / "a.npz"))


def test_a_file_cut_short_or_missing_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.ones(1000))
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[:2000])
    assert "cannot be read" in refused(lambda: read_all(tmp_path / "x.npz"))
    assert "there is no file" in refused(lambda: store_npz(tmp_path / "none.npz"))
    assert "there is no file" in refused(lambda: store_npy(tmp_path / "none.npy"))
