"""An org whose requests are remembered, for tests of what is sent and what is not."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from salesforce_bulk_ingest.emulator import ACCESS_TOKEN, EmulatorConfig, create_app
from tests.orgs import Recorder
from tests.serving import running

DATA = "/services/data/v63.0"


@dataclass
class WatchedOrg:
    """An embedded org behind a recorder.

    Attributes:
        url: of the org.
        recorder: of its requests.
    """

    url: str
    recorder: Recorder

    def forget(self) -> None:
        """Begin anew."""
        self.recorder.calls.clear()
        self.recorder.bodies.clear()

    @property
    def changes(self) -> list[str]:
        """The requests that may have changed something, with the id of a job replaced by its kind."""
        changing = [call for call in self.recorder.calls if not call.startswith(("GET", "DELETE /emulator"))]
        return [re.sub(r"\b750\w{12,15}\b", "JOB", call.replace(f"{DATA}/jobs/", "")) for call in changing]

    @property
    def uploads(self) -> list[bytes]:
        """The bodies of uploads, in the order in which they ended."""
        return [body for call, body in self.recorder.bodies if call.startswith("PUT")]

    def records(self, soql: str) -> list[dict[str, Any]]:
        """All records that a query selects."""
        found: list[dict[str, Any]] = []
        with self._http() as http:
            page = http.get(f"{DATA}/query", params={"q": soql}).raise_for_status().json()
            while True:
                found += [{name: record[name] for name in record if name != "attributes"} for record in page["records"]]
                if page["done"]:
                    return found
                page = http.get(page["nextRecordsUrl"]).raise_for_status().json()

    def go_wrong(self, *rules: Mapping[str, object]) -> None:
        """Put a plan of faults into force."""
        with self._http() as http:
            http.post("/emulator/faults", json={"rules": rules}).raise_for_status()

    def go_right(self) -> None:
        """End all faults."""
        with self._http() as http:
            http.delete("/emulator/faults").raise_for_status()

    def _http(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}, trust_env=False)


@contextmanager
def watched_org(folder: Path) -> Iterator[WatchedOrg]:
    """An embedded org in a folder."""
    recorder = Recorder(create_app(EmulatorConfig(data_dir=folder)))
    with running(recorder) as url:
        yield WatchedOrg(url, recorder)
