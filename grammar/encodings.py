"""What a file that is no UTF-8 text was perhaps saved as."""

from __future__ import annotations

import re
from collections.abc import Callable

LOOKED_AT = 20_000  # bytes at the beginning of a file
KANA, HAN = "\u3040-\u30ff", "\u4e00-\u9fff\u3000-\u303f\uff00-\uffef"


def is_korean(text: str) -> bool:
    """Whether all that is not ASCII are syllables of Hangul."""
    return only(text, "\uac00-\ud7a3")


def is_japanese(text: str) -> bool:
    """Whether all that is not ASCII is kana, with Han characters."""
    return only(text, KANA + HAN) and re.search(f"[{KANA}]", text) is not None


def is_chinese(text: str) -> bool:
    """Whether all that is not ASCII are Han characters, most of them common ones.

    The 3,755 common ones of GB 2312 begin with the bytes 0xB0 to 0xD7.
    """
    if not only(text, HAN):
        return False
    leading = [c.encode("gb2312")[0] for c in text if not c.isascii()]
    return 2 * sum(0xB0 <= byte <= 0xD7 for byte in leading) > len(leading)


def is_cyrillic(text: str) -> bool:
    """Whether all that is not ASCII are Cyrillic letters, in words of their own."""
    mixed = re.search("[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]", text)
    return only(text, "\u0400-\u04ff") and mixed is None


def is_western(text: str) -> bool:
    """Whether all that is not ASCII are Latin letters and signs of print."""
    return only(text, "\u00a0-\u017f\u2010-\u2122")


def only(text: str, letters: str) -> bool:
    """Whether a text has other characters than ASCII, all of them among some."""
    return re.fullmatch(f"[\\x00-\\x7f{letters}]*", text) is not None and not text.isascii()


GUESSES: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("euc_kr", "CP949 (Korean)", is_korean),
    ("shift_jis", "Shift_JIS (Japanese)", is_japanese),
    ("euc_jp", "EUC-JP (Japanese)", is_japanese),
    ("gb2312", "GB18030 (Chinese)", is_chinese),
    ("cp1251", "CP1251 (Cyrillic)", is_cyrillic),
    ("cp1252", "CP1252 (Western)", is_western),
)


def looks_like(text: str) -> str | None:
    """The encoding of a text that was read as UTF-8, its other bytes as lone surrogates.

    >>> looks_like("\ub808\uc774\uc5b4".encode("cp949").decode("utf-8", "surrogateescape"))
    'CP949 (Korean)'
    """
    try:
        raw = text[:LOOKED_AT].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None
    head = raw[:200]
    zeros = max(head[start::2].count(0) for start in (0, 1))
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or zeros > len(head) // 4:
        return "UTF-16"
    for encoding, name, fits in GUESSES:
        try:
            if fits(raw.decode(encoding)):
                return name
        except UnicodeDecodeError:
            continue
    return None
