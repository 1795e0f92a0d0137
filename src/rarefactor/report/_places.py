"""Where a document shows what: the targets that links may lead to, found by patterns of their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from rarefactor.report._labels import label_block
from rarefactor.report.tree import Block, Figure, Heading, Link, Paragraph, Table, text_of


class Places:
    """What a document holds: the targets that links may lead to, and the words of each section."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.labels: dict[str, str] = {}
        self._words: dict[str, list[str]] = {}
        anchor = ""
        for block in blocks:
            if isinstance(block, Heading):
                anchor = block.anchor
                self.labels.setdefault(f"section-{anchor}", block.text)
            elif isinstance(block, Table | Figure):
                kind = "table" if isinstance(block, Table) else "figure"
                self.labels.setdefault(f"{kind}-{block.name}", label_block(block))
            elif isinstance(block, Paragraph):
                self._words.setdefault(anchor, []).append(text_of(block.runs))

    def find(self, patterns: Sequence[str]) -> tuple[Link, ...]:
        """Return links to what the document holds of some targets, in the order of the patterns."""
        found = [target for pattern in patterns for target in self.labels if fnmatchcase(target, pattern)]
        return tuple(Link(self.labels[target], target) for target in dict.fromkeys(found))

    def says(self, anchor: str, words: str) -> bool:
        """Whether a paragraph of the section holds these words."""
        return any(words in text for text in self._words.get(anchor, ()))
