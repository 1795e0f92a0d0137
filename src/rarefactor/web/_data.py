"""The data of a study: what was read, how complete it is, and what does not fit."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rarefactor.web._page import read_place, read_workspace, show

router = APIRouter()


@router.get("/studies/{study}/data")
def show_data(request: Request, study: str) -> Response:
    """Return the page."""
    place = read_place(request, study)
    checked = read_workspace(request).checked(place)
    return show(request, "data.html.j2", place=place, page="data", checked=checked)
