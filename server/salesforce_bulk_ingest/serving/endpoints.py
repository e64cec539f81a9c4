"""What a port serves, path by path, and the words for a request that asks for something else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from starlette.exceptions import HTTPException
from starlette.requests import Request

LONGEST_ASKED = 200
MOST_NEAR = 3
LEAST_LIKENESS = 0.6
LIKENESS_OF_EQUALS = 0.08
"""How much less like the path asked for another path may be than the nearest one, to be named with it."""

SEE_INDEX = "GET / says what is here."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path that a port serves.

    Attributes:
        path: the path, variables in braces.
        methods: what each method does there, as words that follow the method in a sentence.
    """

    path: str
    methods: Mapping[str, str]

    def __str__(self) -> str:
        return f"{', '.join(self.methods)} {self.path}"


def near_in_words(asked: str, endpoints: Sequence[Endpoint]) -> str:
    """Return sentences for a path that is not served: which paths are near it, if any, and where all of them are."""
    near = "; ".join(map(str, nearest(asked, endpoints)))
    return f"Near it: {near}. {SEE_INDEX}" if near else SEE_INDEX


def nearest(asked: str, endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the endpoints, at most three, whose paths are like the one asked for, the nearest first."""
    asked = asked[:LONGEST_ASKED].lower().rstrip("/")
    likeness = {endpoint.path: _likeness(asked, endpoint.path.lower()) for endpoint in endpoints}
    least = max(LEAST_LIKENESS, max(likeness.values()) - LIKENESS_OF_EQUALS)
    near = [endpoint for endpoint in endpoints if likeness[endpoint.path] >= least]
    return sorted(near, key=lambda endpoint: -likeness[endpoint.path])[:MOST_NEAR]


def _likeness(asked: str, path: str) -> float:
    """Return how like two paths are, from 0 to 1; whoever asks for the end or the begin of a path means this path."""
    if asked and path.endswith(asked):
        return 1
    if asked and path.startswith(f"{asked}/"):
        return 0.9
    return SequenceMatcher(None, asked, path, autojunk=False).ratio()


def allowed_methods(error: HTTPException) -> str:
    """Return the methods that a 405 of the router allows, in one order: the router's own differs from run to run."""
    return ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))


def origin_of(request: Request, public_url: str | None) -> str:
    """Return the origin by which callers know a port: the one that the operator set, else the one that they used."""
    return public_url or f"{request.url.scheme}://{request.headers['host']}"


def methods_in_words(endpoint: Endpoint) -> str:
    """Return a sentence that says what each method of an endpoint does."""
    return f"{', '.join(f'{method} {does}' for method, does in endpoint.methods.items())}."
