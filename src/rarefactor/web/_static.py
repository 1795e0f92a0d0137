"""Static files: styles, scripts, fonts.

Convention: an address with the right version is kept by the browser for good; without one it is asked for each time.
Fonts, which styles name without a version and which hardly ever change, are kept for a day.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from rarefactor.web._page import FONTS, SHARED, STATIC


class Versioned(StaticFiles):
    """Files whose addresses hold a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; a place to keep it is the browser's own only."""
        answer = await super().get_response(path, scope)
        kept = "v" in QueryParams(scope["query_string"])
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable" if kept else "no-cache"
        return answer


class Daily(StaticFiles):
    """Files that are kept for a day."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; a place to keep it is the browser's own only."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "private, max-age=86400"
        return answer


router = APIRouter(
    routes=[
        Mount("/static/fonts", Daily(directory=FONTS)),
        Mount("/static/shared", Versioned(directory=SHARED)),
        Mount("/static", Versioned(directory=STATIC)),
    ]
)
