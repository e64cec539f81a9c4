"""An org with one job, whose results are responses that the test hands in."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.wire import JOB_ID, pass_lifespan


@dataclass
class OneJob:
    """An org with one job; each download of a result gets the next of these responses, and finally always the last."""

    answers: Mapping[str, list[ASGIApp]]
    job: Mapping[str, object] = field(default_factory=dict)
    listing: Mapping[str, object] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await pass_lifespan(receive, send)
        name = scope["path"].rpartition("/")[2]
        if name in self.answers:
            answers = self.answers[name]
            answer: ASGIApp = answers[min(self.asked[name], len(answers) - 1)]
            self.asked[name] += 1
        elif name == "ingest":
            answer = JSONResponse(dict(self.listing))
        else:
            answer = JSONResponse({"id": JOB_ID, "state": "JobComplete", "numberRecordsProcessed": 0, **self.job})
        await answer(scope, receive, send)
