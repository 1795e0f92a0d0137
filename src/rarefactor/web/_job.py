"""What a page shows of long work, and how it hears of it.

Convention: the same piece of HTML stands in the page when it is loaded and comes with each piece of news.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from rarefactor.web._events import Hub
from rarefactor.web._page import read_hub, read_place, read_templates
from rarefactor.web._runner import Job

router = APIRouter()

JOB = "job"


def tell_job(hub: Hub, job: Job) -> None:
    """Publish how work stands: the event ``job`` at each step, and ``job-done`` when it has ended."""
    hub.publish(job.topic, JOB, draw_job(job))
    if not job.is_running:
        hub.publish(job.topic, f"{JOB}-done", job.state)


def draw_job(job: Job | None) -> str:
    """Return the piece of HTML that says how work stands."""
    return read_templates().get_template("job.html.j2").render(job=job)


@router.get("/studies/{study}/events")
async def listen(request: Request, study: str) -> StreamingResponse:
    """Stream the news of a study."""
    place = read_place(request, study)
    return StreamingResponse(read_hub(request).listen(place.name), media_type="text/event-stream")
