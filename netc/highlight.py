"""The colours of the language for Pygments, which finds this lexer as `netdef` and by `*.netdef`.

pygmentize -l netdef googlenet.netdef
"""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from compiler.builtins import BUILTINS
from compiler.ops import OPS
from grammar.lexemes import LEARNING, RESERVED

IN_PLACES = ("input", "output", "labels", "from", "as", "like")  # names elsewhere
TRUTHS = ("true", "false")
LOGIC = ("and", "or", "not")
BEHIND = r"[ \t]+(?!->|as\b|like\b)[\w({\[-]"  # what comes after the first word of a statement
LEARNS = bygroups(Text.Whitespace, Text.Whitespace, Keyword)
STATEMENTS = tuple(sorted(RESERVED - {"block", "net", *TRUTHS, *LOGIC}))


class NetdefLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """Network definitions."""

    name = "Network definition"
    aliases: ClassVar[list[str]] = ["netdef"]
    filenames: ClassVar[list[str]] = ["*.netdef"]
    mimetypes: ClassVar[list[str]] = ["text/x-netdef"]
    url = ""
    version_added = ""

    tokens: ClassVar = {
        "root": [
            (r"[ \t\r\n]+", Text.Whitespace),
            (r"#.*", Comment.Single),
            (r'"', String.Double, "string"),
            (
                r"(block|net|train)([ \t]+)([A-Za-z_]\w*)",
                bygroups(Keyword.Declaration, Text.Whitespace, Name.Function),
            ),
            # The words of a training are names elsewhere, where nothing like this follows them.
            (rf"(?m)(^|(?<=[;{{]))([ \t]*)({'|'.join(sorted(LEARNING))})(?={BEHIND})", LEARNS),
            (r"(?<=\w[ \t])(with|only|grid)(?=[ \t]+[\w\"])", Keyword),
            (r"(as|like)([ \t]+)([A-Za-z_]\w*)", bygroups(Keyword, Text.Whitespace, Name.Label)),
            include("values"),
            (r"[{}\[\]():;,.]", Punctuation),
        ],
        "values": [
            (r"[A-Za-z_]\w*(?=[ \t]*=(?!=))", Name.Attribute),
            # A value that may have the name of an op: pad=pad.
            (r"(?<=[^=!<>]=)(?!(?:true|false|not|in)\b)[A-Za-z_]\w*\b(?![ \t]*\()", Name),
            (words(TRUTHS, suffix=r"\b"), Keyword.Constant),
            (words(LOGIC, suffix=r"\b"), Operator.Word),
            (words(("block", "net"), suffix=r"\b"), Keyword.Declaration),
            (words((*STATEMENTS, *IN_PLACES), suffix=r"\b"), Keyword),
            (r"(?:f32|i64)\b", Keyword.Type),
            (words(tuple(OPS), suffix=r"\b"), Name.Builtin),
            (words((*BUILTINS, "picture"), suffix=r"\b"), Name.Builtin.Pseudo),
            (r"[A-Za-z_]\w*(?=[ \t]*\()", Name.Function),
            (r"[A-Za-z_]\w*", Name),
            (r"\d+(?:x\d+)+", Number.Integer),
            (r"\d[\d_]*(?:\.\d[\d_]*(?:[eE][-+]?\d+)?|[eE][-+]?\d+)", Number.Float),
            (r"\d[\d_]*", Number.Integer),
            (r"->|\.\.\.|==|!=|<=|>=|\*\*|//|[-+*/%<>=]", Operator),
        ],
        "string": [
            (r'"|$', String.Double, "#pop"),
            (r"\\.|\{\{|\}\}", String.Escape),
            (r"\{", String.Interpol, "interpolation"),
            (r'[^"\\{}\n]+', String.Double),
            (r"\}", String.Double),
        ],
        "interpolation": [
            (r"\}", String.Interpol, "#pop"),
            (r'(?=["\n])', String.Interpol, "#pop"),
            (r"[ \t]+", Text.Whitespace),
            include("values"),
            (r"[\[\](),.]", Punctuation),
        ],
    }
