"""Reporting checklists: each item answered by rule from what the report holds, or left to the authors.

Convention: the items stand in ``checklists/*.json`` and are condensed in words of our own, which stand with the other
words of the report. An answer is a fact (a rule in :mod:`rarefactor.report._checklists_facts`, or a text that the
authors gave under ``about``) and the places where the report shows it. It stands only if the fact is there and at least
one of its places is in the document: what the report does not hold is never claimed. What does not stand is asked of
the authors, at its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from rarefactor.report._about import place_of
from rarefactor.report._bibliography import cite
from rarefactor.report._cells import cell
from rarefactor.report._checklists_facts import FACTS
from rarefactor.report._places import Places
from rarefactor.report._profile_remark import profile_remark
from rarefactor.report._source import Source
from rarefactor.report._words import Words, sentences
from rarefactor.report.format import EMPTY
from rarefactor.report.tree import (
    Block,
    Cell,
    Heading,
    Link,
    Paragraph,
    Row,
    Runs,
    Table,
    Text,
)

ANCHOR = "checklists"
_OTHERWISE = {"background": "summary", "discussion": "summary", "declarations": ANCHOR}
_WORDS = Words("checklists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a checklist.

    ``answers`` are names of facts with the places that show them (patterns of link targets), ``needs`` texts of the
    authors that belong to it, ``ask`` what is asked of them where nothing answers it, ``place`` where it is asked.
    """

    item: str
    topic: str
    asks: str
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    needs: tuple[str, ...]
    ask: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """A checklist: ``source`` are the papers that it is from."""

    name: str
    title: str
    source: tuple[str, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the report says to an item: sentences, where they are shown, and what is left to the authors by place."""

    item: Item
    said: Runs = ()
    links: tuple[Link, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()


def read_checklists(source: Source) -> tuple[Checklist, ...]:
    """Return the checklists that a study is held to: TRIPOD+AI only where a risk model is given for use."""
    published = any(row.estimate == 1 for row in source.results.select(analysis="risk_model", measure="allowed"))
    names = ("strobe", "remark", "quips", *(("tripod",) if published else ()))
    return tuple(_read(name) for name in names)


def answer_items(source: Source, checklist: Checklist, places: Places) -> tuple[Answer, ...]:
    """Return what the document says to each item."""
    return tuple(_answer(source, item, places) for item in checklist.items)


def write_checklists(source: Source, blocks: Sequence[Block], after: Sequence[Block] = ()) -> tuple[Block, ...]:
    """Return the numbered blocks of a report with its checklists behind them, and with what is asked at its place.

    ``after`` are the blocks that will follow the checklists: places of the report too, but for their tables, which
    have no numbers yet.
    """
    lists = read_checklists(source)
    profile = profile_remark(source, Places(blocks), sum(isinstance(block, Table) for block in blocks) + 1)
    heading = Heading(text=_WORDS.text("heading"), anchor=ANCHOR)
    places = Places((*blocks, heading, *profile, *(block for block in after if not isinstance(block, Table))))
    answered = {each.name: answer_items(source, each, places) for each in lists}
    parts: list[Block] = [heading, _introduction(lists), *profile]
    for each in lists:
        parts += [Heading(text=each.title, anchor=each.name, level=2), _tabulate(each, answered[each.name])]
    return tuple(_ask((*blocks, *parts), lists, answered))


def _read(name: str) -> Checklist:
    text = resources.files("rarefactor.report").joinpath("checklists", f"{name}.json").read_text(encoding="utf-8")
    content = json.loads(text)
    words = Words(f"checklists/{name}")
    return Checklist(
        name=name,
        title=words.text("title"),
        source=tuple(content["source"]),
        items=tuple(_item(item, words) for item in content["items"]),
    )


def _item(content: Mapping[str, Any], words: Words) -> Item:
    item = content["item"]
    return Item(
        item=item,
        topic=words.names("topics")[content["topic"]],
        asks=words.names("items")[item],
        answers=tuple((fact, tuple(where)) for fact, where in content.get("answers", {}).items()),
        needs=tuple(content.get("needs", ())),
        ask=words.names("authors").get(item, ""),
        place=content.get("place", "methods"),
    )


def _answer(source: Source, item: Item, places: Places) -> Answer:
    said: list[Runs] = []
    links: list[Link] = []
    for fact, patterns in item.answers:
        sentence, where = FACTS[fact](source), places.find(patterns)
        if sentence and where:
            said.append(sentence)
            links += where
    given = [key for key in item.needs if _is_given(source, key, places)]
    if given:
        said.append(_WORDS.runs("stated", texts=", ".join(_WORDS.names("texts")[key] for key in given)))
        links += places.find([f"section-{place_of(key)}" for key in given])
    asked = [(place_of(key), _WORDS.names("asks")[key]) for key in item.needs if key not in given]
    if item.ask and not said:
        asked.append((item.place, item.ask))
    return Answer(item=item, said=sentences(*said), links=tuple(dict.fromkeys(links)), asked=tuple(asked))


def _is_given(source: Source, key: str, places: Places) -> bool:
    text = source.study.about.given.get(key)
    return text is not None and places.says(place_of(key), text)


def _introduction(lists: Sequence[Checklist]) -> Paragraph:
    papers = cite(*dict.fromkeys(key for each in lists for key in each.source))
    return Paragraph(runs=_WORDS.runs("introduction", papers=papers))


def _tabulate(checklist: Checklist, answers: Sequence[Answer]) -> Table:
    done = sum(not answer.asked for answer in answers)
    return Table(
        name=checklist.name,
        number=0,
        caption=_WORDS.text("caption", checklist=checklist.title, done=done, items=len(answers)),
        header=(Row(cells=tuple(cell(head) for head in _WORDS.items("heads"))),),
        rows=tuple(_rows(answers)),
        widths=(6, 33, 38, 23),
        rules="rows",
    )


def _rows(answers: Sequence[Answer]) -> Iterator[Row]:
    topic = ""
    for answer in answers:
        item = answer.item
        if item.topic != topic:
            topic = item.topic
            yield Row(cells=(cell(topic, span=4),), kind="head")
        shown = (cell(item.item), cell(item.asks), _in_short(answer), _where(answer.links))
        yield Row(cells=shown, kind="level")  # stays below the head of its topic


def _in_short(answer: Answer) -> Cell:
    asked = " ".join(ask for _, ask in answer.asked)
    if not asked:
        return Cell(runs=answer.said)
    gap = (Text("\n"),) if answer.said else ()
    return Cell(runs=(*answer.said, *gap, *_WORDS.runs("for_authors", asked=asked)))


def _where(links: Sequence[Link]) -> Cell:
    if not links:
        return cell(EMPTY)
    return Cell(runs=tuple(part for link in links for part in (Text("\n"), link))[1:])


def _ask(
    blocks: Sequence[Block], lists: Sequence[Checklist], answered: Mapping[str, Sequence[Answer]]
) -> Iterator[Block]:
    """Put what is asked of the authors at its place, once, with the items that ask for it."""
    anchors = {block.anchor for block in blocks if isinstance(block, Heading)}
    asks: dict[str, dict[str, list[str]]] = {}
    for each in lists:
        for answer in answered[each.name]:
            for place, ask in answer.asked:
                at = next(name for name in (place, _OTHERWISE.get(place, ANCHOR), ANCHOR) if name in anchors)
                asks.setdefault(at, {}).setdefault(ask, []).append(
                    _WORDS.text("item_of_checklist", checklist=each.name.upper(), item=answer.item.item)
                )
    for block in blocks:
        if isinstance(block, Heading) and block.anchor in asks:
            yield replace(block, ask="\n".join(_one_ask(*ask) for ask in asks.pop(block.anchor).items()))
        else:
            yield block


def _one_ask(ask: str, items: Sequence[str]) -> str:
    return _WORDS.text("ask_with_items", ask=ask.rstrip("."), items=", ".join(items))
