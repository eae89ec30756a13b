"""The Pygments lexer of definitions: colours in documents, notebooks and `pygmentize -l netdef`.

Pygments finds it by the entry point `netdef`; nothing else in netc needs it.
"""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

CONSTANTS = ("true", "false")
WORD_OPERATORS = ("and", "or", "not")
DEFINING = ("block", "net")
STATEMENTS = ("use", "let", "assert", "expect", "for", "in", "repeat", "if", "else")
INTERFACE = ("input", "output")  # words only where a statement begins
INFIX = ("as", "like", "from", "labels")  # words only before a name or string

DECLARES = bygroups(Text.Whitespace, Keyword.Declaration)
DECLARES_INSIDE = bygroups(Punctuation, Text.Whitespace, Keyword.Declaration)


class NetdefLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """Lexer of the netc definition language."""

    name = "netdef"
    aliases: ClassVar = ["netdef"]
    filenames: ClassVar = ["*.netdef"]
    mimetypes: ClassVar = ["text/x-netdef"]
    url = ""
    version_added = ""

    tokens: ClassVar = {
        "root": [
            (r"#[^\n]*", Comment.Single),
            (r'"', String.Double, "string"),
            (
                rf"\b({'|'.join(DEFINING)})(\s+)([A-Za-z_]\w*)",
                bygroups(Keyword.Declaration, Text.Whitespace, Name.Class),
            ),
            (rf"^([ \t]*)({'|'.join(INTERFACE)})(?=\s+[A-Za-z_])", DECLARES),
            (rf"([;{{])(\s*)({'|'.join(INTERFACE)})(?=\s+[A-Za-z_])", DECLARES_INSIDE),
            (rf"\b({'|'.join(INFIX)})(?=\s+[\"A-Za-z_])", Keyword),
            include("expression"),
        ],
        "expression": [
            (r"\n", Text.Whitespace),
            (r"[^\S\n]+", Text.Whitespace),
            (r"\bin(?=\.)", Name.Builtin.Pseudo),
            (words(CONSTANTS, prefix=r"\b", suffix=r"\b"), Keyword.Constant),
            (words(WORD_OPERATORS, prefix=r"\b", suffix=r"\b"), Operator.Word),
            (words(DEFINING + STATEMENTS, prefix=r"\b", suffix=r"\b"), Keyword),
            (r"\d+(?:x\d+)+\b", Number.Other),
            (r"\d[\d_]*(?:\.\d[\d_]*(?:[eE][-+]?\d+)?|[eE][-+]?\d+)", Number.Float),
            (r"\d[\d_]*", Number.Integer),
            (r"[A-Za-z_]\w*(?=\s*\()", Name.Function),
            (r"([A-Za-z_]\w*)(\s*)(=)(?!=)", bygroups(Name.Attribute, Text.Whitespace, Operator)),
            (r"[A-Za-z_]\w*", Name),
            (r"->|==|!=|<=|>=|//|\*\*|[-+*/%<>=]", Operator),
            (r"\.\.\.|[()\[\]{},:;.]", Punctuation),
        ],
        "string": [
            (r'"', String.Double, "#pop"),
            (r"\\.", String.Escape),
            (r"\{\{|\}\}", String.Escape),
            (r"\{", String.Interpol, "interpolation"),
            (r'[^"\\{}\n]+|\}', String.Double),
            (r"\n", Text.Whitespace, "#pop"),
        ],
        "interpolation": [
            (r"\}", String.Interpol, "#pop"),
            (r'(?=["\n])', String.Interpol, "#pop"),
            include("expression"),
        ],
    }
