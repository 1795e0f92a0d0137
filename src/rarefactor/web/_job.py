"""What a page shows of long work, and how it hears of it.

Convention: the same piece of HTML stands in the page when it is loaded and comes with each piece of news. Events are
``job`` (how work stands), the same as ``job-run``, ``job-scan`` and so on by its kind, for pages that show one kind of
work, ``job-said`` (the step at work, in words for those who listen) and ``job-done`` (its state).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from rarefactor.web._events import Hub, write_event
from rarefactor.web._page import read_hub, read_place, read_runner, read_templates
from rarefactor.web._runner import Job

router = APIRouter()

JOB = "job"
_JUST = timedelta(seconds=5)
_ENDS = {"done": "Done.", "failed": "Stopped: this needs mending.", "cancelled": "Cancelled."}


@dataclass(slots=True)
class Announcer:
    """Publishes how work stands; a step is said once."""

    hub: Hub
    _said: dict[str, str] = field(default_factory=dict[str, str])

    def __call__(self, job: Job) -> None:
        """Tell whoever listens to the topic of the work."""
        said = _ENDS.get(job.state) or (job.steps[-1].name if job.steps else "Working …")
        drawn = draw_job(job)
        for event in _name_events(job):
            self.hub.publish(job.topic, event, drawn)
        if self._said.get(job.topic) != said:
            self._said[job.topic] = said
            self.hub.publish(job.topic, f"{JOB}-said", said)
        if not job.is_running:
            self.hub.publish(job.topic, f"{JOB}-done", job.state)


def _name_events(job: Job) -> tuple[str, str]:
    return JOB, f"{JOB}-{job.kind.partition(' ')[0]}"


def draw_job(job: Job | None) -> str:
    """Return the piece of HTML that says how work stands."""
    return read_templates().get_template("job.html.j2").render(job=job)


@router.get("/studies/{study}/events")
async def listen(request: Request, study: str) -> StreamingResponse:
    """Stream the news of a study."""
    place = read_place(request, study)
    return stream_news(request, place.name)


def stream_news(request: Request, topic: str) -> StreamingResponse:
    """Return the stream of a topic: how its work stands now, then what is new."""
    return StreamingResponse(_stream(request, topic), media_type="text/event-stream")


async def _stream(request: Request, topic: str) -> AsyncGenerator[bytes]:
    news = read_hub(request).listen(topic)
    yield await anext(news)  # from here on nothing is missed
    job = read_runner(request).find(topic)
    if job and job.is_running:
        for event in _name_events(job):
            yield write_event(event, draw_job(job))
    elif job and job.ended and datetime.now(UTC) - job.ended < _JUST:  # between the page and its stream
        yield write_event(f"{JOB}-done", job.state)
    async for each in news:
        yield each
