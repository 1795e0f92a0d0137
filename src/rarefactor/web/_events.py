"""News for open pages, as server-sent events.

Convention: a topic is a study's name; an event has a name and a text, mostly a piece of HTML that htmx swaps in. News
are for those who listen now: whoever comes later reads the state of the page itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

BEAT_S = 15.0
_MOST = 1000


@dataclass(slots=True)
class Hub:
    """Passes on news from any thread to whoever listens."""

    _listeners: dict[str, set[_Listener]] = field(default_factory=dict[str, "set[_Listener]"])
    _closed: bool = False

    def publish(self, topic: str, event: str, data: str) -> None:
        """Tell all who listen to a topic; safe in any thread."""
        for listener in tuple(self._listeners.get(topic, ())):
            listener.tell(write_event(event, data))

    def close(self) -> None:
        """End all streams: the server goes."""
        self._closed = True
        for listener in [each for group in self._listeners.values() for each in group]:
            listener.tell(None)

    async def listen(self, topic: str) -> AsyncIterator[bytes]:
        """Yield the news of a topic as bytes of a stream, and a beat while there are none."""
        listener = _Listener(asyncio.get_running_loop(), asyncio.Queue(_MOST))
        self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield b": open\n\n"
            while not self._closed:
                news = await listener.next_news()
                if news is None:
                    return
                yield news
        finally:
            self._listeners[topic].discard(listener)


@dataclass(frozen=True, slots=True, eq=False)
class _Listener:
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[bytes | None]

    def tell(self, news: bytes | None) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._put, news)

    def _put(self, news: bytes | None) -> None:
        if self.queue.full():  # whoever reads so slowly reads the page anew
            self.queue.get_nowait()
        self.queue.put_nowait(news)

    async def next_news(self) -> bytes | None:
        try:
            return await asyncio.wait_for(self.queue.get(), BEAT_S)
        except TimeoutError:
            return b": beat\n\n"


def write_event(event: str, data: str) -> bytes:
    r"""Return an event as the stream writes it.

    Examples
    --------
    >>> write_event("progress", "<p>\n1</p>")
    b'event: progress\ndata: <p>\ndata: 1</p>\n\n'
    """
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {event}\n{lines}\n".encode()
