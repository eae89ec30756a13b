"""Definitions that nobody would write: none may end in anything but a report.

`python -m tests.fuzz 20000` checks that many inputs through the real command and tells of each
that raises, leaves another exit code than 0 or 1, says nothing, or takes more than a second of
work; `--seed` varies them. A failing input is written to the current folder.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

from grammar.diagnostics import DefinitionError
from grammar.format import format_source
from grammar.lexemes import scan
from grammar.source import Source
from tests.campaigns import Failure, campaign
from tests.mistakes import all_cases
from tests.netc.command import netc
from tests.strategies import scattered

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ["lenet5", "kernels", "one_d", "gan2014", "dcgan", "three_d"]
LIBRARY += ["squeezenet", "shufflenet", "vit", "unet", "segmentation", "super_resolution", "yolov3"]
LARGEST_SEED = 4000  # characters; larger files take their time when they are right
VALID_WORDS = """
    net block let use input output for in repeat if else assert expect as like from labels and or
    not true false conv relu concat add { } ( ) [ ] -> : , ; = == < . ... 3x3 0 -1 1e9 1e999
    999999999999 "{" "a{b}" _ ** // % i64 seq split param const gather take matmul reduce_mean
    l2norm resize layernorm dense axis= like= affine= pad_mode= "circular" part= .low .shape .c
    [0] [-1] [1:] [::2] a,b= f(v)= "p{l}" "" enumerate zip sum round sqrt (x) ,(a,b) x -1,
"""
WORDS = [*VALID_WORDS.split(), '"', "#", "\t", "\n", "é", "×", "\x00", "\ufeff"]
SECONDS = 1.0


def seeds() -> list[str]:
    """Right and wrong definitions to start from."""
    paths = [*(ROOT / "netdefs" / f"{name}.netdef" for name in LIBRARY)]
    paths += sorted((ROOT / "tests" / "examples").glob("*.netdef"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    texts += [case.text for case in all_cases()]
    return [text for text in texts if len(text) <= LARGEST_SEED]


def inputs(count: int, seed: int) -> Iterator[bytes]:
    """Files: right ones in any layout, right ones with mutations, words and bytes at random."""
    texts = seeds()
    for number in range(count):
        choices = Random(f"{seed} {number}")
        kind = choices.random()
        if kind < 0.15:
            yield layout(choices.choice(texts), choices).encode()
        elif kind < 0.8:
            yield mutated(choices, texts).encode("utf-8", "surrogatepass")
        elif kind < 0.9:
            many = choices.choices(WORDS, k=choices.randrange(200))
            yield choices.choice([" ", "", "\n"]).join(many).encode()
        else:
            yield choices.randbytes(choices.randrange(2000))


def layout(text: str, choices: Random) -> str:
    """A text in another layout, if it is one that can be laid out."""
    try:
        return scattered(text, choices)
    except IndexError:  # a bracket without partner
        return text


def mutated(choices: Random, texts: list[str]) -> str:
    """A definition with a few words deleted, doubled, replaced, moved or cut off."""
    words = pieces(choices.choice(texts))
    for _ in range(choices.choice([1, 1, 1, 2, 5, 20])):
        if not words:
            break
        at, other = choices.randrange(len(words)), choices.randrange(len(words))
        match choices.randrange(8):
            case 0:
                del words[at]
            case 1:
                words.insert(at, choices.choice(WORDS))
            case 2:
                words[at] = choices.choice(WORDS)
            case 3:
                words[at], words[other] = words[other], words[at]
            case 4:
                words.insert(at, words[other])
            case 5:
                del words[min(at, other) : min(at, other) + choices.randrange(30)]
            case 6:
                words[at] = "".join(choices.sample(words[at], len(words[at])))
            case 7:
                words[at:at] = pieces(choices.choice(texts))[: choices.randrange(60)]
    return "".join(words)


def pieces(text: str) -> list[str]:
    """The words and signs of a text with the space before each."""
    found, end = [], 0
    for lexeme in scan(text):
        found.append(text[end : lexeme.end])
        end = lexeme.end
    return found


def failures(count: int, seed: int, *, timed: bool) -> Iterator[Failure]:
    """The inputs among `count` for which `netc check` or the formatter fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.netdef"
        for content in inputs(count, seed):
            path.write_bytes(content)
            start = time.process_time()
            try:
                result = netc("check", path)
            except Exception:
                yield Failure(content, traceback.format_exc(limit=-3))
                continue
            seconds = time.process_time() - start
            if result.exit_code not in (0, 1):
                yield Failure(content, f"exit code {result.exit_code}: {result.stderr}")
            elif result.exit_code == 0 and not result.stdout.strip():
                yield Failure(content, "no word, though the file is not found to be fine")
            elif timed and seconds > SECONDS:
                yield Failure(content, f"{seconds:.1f} seconds")
            with suppress(DefinitionError, UnicodeDecodeError):
                text = format_source(Source("x", content.decode()))
                if format_source(Source("x", text)) != text:
                    yield Failure(content, "formatting it twice changes it again")


def main() -> int:
    """The command."""
    return campaign(
        __doc__, partial(failures, timed=True), lambda _, number: f"fuzz{number}.netdef"
    )


if __name__ == "__main__":
    sys.exit(main())
