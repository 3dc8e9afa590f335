"""Finds the lines of a BUILD file that Pants does not tell: of a target, and of a text in it."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import Sequence

from image_definitions.dockerfile import Comment


@dataclass(frozen=True)
class BuildFile:
    """A BUILD file's calls, those of targets first, and its comments."""

    path: str
    targets: tuple[ast.Call, ...]
    calls: tuple[ast.Call, ...]
    comments: tuple[Comment, ...]

    @classmethod
    def parse(cls, path: str, text: str) -> BuildFile:
        """Reads a BUILD file; of one that is no Python it knows nothing."""
        try:
            tree = ast.parse(text)
            tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
        except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
            return cls(path, (), (), ())
        statements = (node.value for node in tree.body if isinstance(node, ast.Expr))
        targets = tuple(node for node in statements if isinstance(node, ast.Call))
        # A macro's file, or a comprehension, calls below the top as well.
        calls = (*targets, *(node for node in ast.walk(tree) if isinstance(node, ast.Call) and node not in targets))
        comments = tuple(Comment(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
        return cls(path, targets, calls, comments)

    def line_of_target(self, name: str) -> int:
        """The line of the call that makes the target `name`, a macro's included; 0 when none can be told."""
        call = self._call(name)
        return call.lineno if call else 0

    def line_of_text(self, name: str, *texts: str) -> int:
        """The line of the first of `texts` that stands as a string in the call of target `name`, or that call's."""
        return self._line(name, texts) or self.line_of_target(name)

    def names(self, name: str, *texts: str) -> bool:
        """Whether one of `texts` stands as a string in the call of target `name`."""
        return bool(self._line(name, texts))

    def _line(self, name: str, texts: Sequence[str]) -> int:
        call = self._call(name)
        nodes = [node for node in ast.walk(call) if isinstance(node, ast.Constant)] if call else []
        return next((node.lineno for text in texts for node in nodes if node.value == text), 0)

    def comments_of(self, name: str) -> list[tuple[Comment, int]]:
        """The comments above and within the call of target `name`, each with the line that it speaks of."""
        call = self._call(name)
        if call is None:
            return []
        commented = {comment.line for comment in self.comments}
        first = call.lineno
        while first - 1 in commented:
            first -= 1
        last = call.end_lineno or call.lineno
        code = {
            line
            for node in ast.walk(call)
            if isinstance(node, ast.expr)
            for line in (node.lineno, node.end_lineno or node.lineno)
        }
        found = []
        for comment in self.comments:
            if first <= comment.line <= last:
                below = [line for line in sorted(code) if line > comment.line]
                found.append((comment, comment.line if comment.line in code else below[0] if below else last))
        return found

    def _call(self, name: str) -> ast.Call | None:
        named = [(call, value) for call in self.calls for value in [_name(call)] if value is not None]
        for call, value in named:
            if value == name:
                return call
        # A macro derives names from its own, as `NAME-wheels`.
        derived = [(call, value) for call, value in named if value and name.startswith(value)]
        if derived:
            return max(derived, key=lambda pair: len(pair[1]))[0]
        # Without a name, a target has that of the folder.
        folder = self.path.rpartition("/")[0].rpartition("/")[2]
        unnamed = [call for call in self.targets if _name(call) is None and not _function(call).startswith("__")]
        return unnamed[0] if name == folder and len(unnamed) == 1 else None


def _function(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _name(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
            return keyword.value.value
    return None
