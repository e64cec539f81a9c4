"""A close that the operator's rules name is made only once a person has confirmed it, on both surfaces."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from inline_snapshot import snapshot
from mcp import Client

from salesforce_bulk_ingest.app.chosen_files import approvals_file
from salesforce_bulk_ingest.app.embedded_org import EmbeddedOrg
from salesforce_bulk_ingest.app.mcp_surface import build_mcp
from salesforce_bulk_ingest.app.services import Services, open_services
from salesforce_bulk_ingest.cache.approvals import Approvals
from salesforce_bulk_ingest.operations.confirmation import DEFAULT_RULES, Closing, ConfirmRule
from salesforce_bulk_ingest.rest.routes import build_rest
from salesforce_bulk_ingest.salesforce.org import EMBEDDED, PRODUCTION, SANDBOX, UNKNOWN, Org
from salesforce_bulk_ingest.settings import Settings
from tests.support.orgs import call, paths_in, refusal, steady
from tests.support.watched_org import WatchedOrg

DELETE = {"object": "Account", "operation": "delete"}
CLOSE = {"state": "UploadComplete"}
IDS = "Id\n001000000000001AAA\n001000000000002AAA\n"
KEY = "a key that several servers share"


@asynccontextmanager
async def server(org_url: str, folder: Path, **settings: Any) -> AsyncIterator[Services]:
    """A server in front of the embedded org, where a person has to confirm a delete."""
    chosen = Settings(**{"emulator": True, "confirm": ("delete",), **settings})
    os.makedirs(folder, exist_ok=True)
    async with open_services(chosen, paths_in(folder), EmbeddedOrg(org_url, folder)) as services:
        yield services


def rest(services: Services) -> httpx2.AsyncClient:
    """A caller of the server's `/v1`."""
    transport = httpx2.ASGITransport(build_rest(services.gateway))
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost/v1/jobs/ingest")


async def filled_delete(client: Client) -> str:
    """The id of a new job that deletes two accounts, with its rows."""
    return str((await call(client, "create-ingest-job", body=DELETE, data={"csv": IDS}))["id"])


def sentence_in(refused: str) -> str:
    """The sentence that a refusal asks for."""
    return refused.split('"confirm": "')[1].split('"')[0]


async def test_a_close_is_refused_with_what_it_would_do_and_made_with_the_sentence(
    org: WatchedOrg, tmp_path: Path
) -> None:
    async with server(org.url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = await filled_delete(client)
        org.forget()
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        assert org.changes == []
        sentence = sentence_in(refused)
        told = steady(refused.replace(sentence[-12:], "CODE").replace(f"job {job_id[:15]}", "job JOB"))
        assert told.splitlines() == snapshot(
            [
                "INSUFFICIENT_ACCESS: The job was not closed: a person has to confirm that this is meant: delete 2 Account in embedded org. Once closed, it can be undone, but deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children.",
                'Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "UploadComplete"}, "confirm": "delete 2 Account in embedded org (job JOB, rows f7fbbe2f27a046a4) CODE"} closes the job. Show the user what it would do, and make this call only if the user agrees.',
            ]
        )
        closed = await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, confirm=f" {sentence}\n")
        assert closed["state"] == "UploadComplete"
        again = await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        assert "already" in again["summary"]


async def test_the_sentence_of_one_job_closes_no_other(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        jobs = [await filled_delete(client)]
        jobs.append(
            str(
                (await call(client, "create-ingest-job", body=DELETE, data={"csv": f"{IDS}001000000000003AAA\n"}))["id"]
            )
        )
        first, second = [
            sentence_in(await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)) for job_id in jobs
        ]
        assert first != second
        for wrong in (
            first,
            first.replace(jobs[0][:15], jobs[1][:15]),
            second.replace("3 Account", "2 Account"),
            "yes",
        ):
            refused = await refusal(client, "close-abort-ingest-job", jobId=jobs[1], body=CLOSE, confirm=wrong)
            assert sentence_in(refused) == second


async def test_a_sentence_from_before_the_upload_is_void_after_it(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = (await call(client, "create-ingest-job", body=DELETE))["id"]
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        assert "delete an unknown number of Account in embedded org" in refused
        await call(client, "upload-data-ingest-job", jobId=job_id, body={"csv": IDS})
        refused = await refusal(
            client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, confirm=sentence_in(refused)
        )
        assert "delete 2 Account in embedded org" in refused


async def test_a_server_with_the_same_key_takes_the_sentence_and_one_with_another_key_does_not(
    org_url: str, tmp_path: Path
) -> None:
    async with server(org_url, tmp_path / "one", confirm_key=KEY) as services, Client(build_mcp(services, None)) as one:
        job_id = await filled_delete(one)
        sentence = sentence_in(await refusal(one, "close-abort-ingest-job", jobId=job_id, body=CLOSE))
    closing = {"jobId": job_id, "body": CLOSE, "confirm": sentence}
    async with server(org_url, tmp_path / "two") as services, Client(build_mcp(services, None)) as stranger:
        assert "an unknown number of Account" in await refusal(stranger, "close-abort-ingest-job", **closing)
    async with (
        server(org_url, tmp_path / "three", confirm_key=KEY) as services,
        Client(build_mcp(services, None)) as other,
    ):
        forged = closing | {"confirm": sentence.replace("2 Account", "1 Account")}
        assert "an unknown number of Account" in await refusal(other, "close-abort-ingest-job", **forged)
        assert (await call(other, "close-abort-ingest-job", **closing))["state"] == "UploadComplete"


async def test_the_key_of_a_machine_outlives_the_server(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = await filled_delete(client)
        sentence = sentence_in(await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE))
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        closed = await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE, confirm=sentence)
        assert closed["state"] == "UploadComplete"


async def test_through_v1_the_sentence_is_a_header_that_stays_here(org: WatchedOrg, tmp_path: Path) -> None:
    async with server(org.url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = await filled_delete(client)
        org.forget()
        async with rest(services) as caller:
            refused = await caller.patch(f"/{job_id}", json=CLOSE)
            assert refused.status_code == 403 and org.changes == []
            (error,) = refused.json()
            assert error["errorCode"] == "INSUFFICIENT_ACCESS"
            told, sentence = error["message"].split("is this sentence: ")
            assert told == snapshot(
                "The job was not closed: a person has to confirm that this is meant: delete 2 Account in embedded org. Once a person agrees, send the same request with the header Bulk-Ingest-Confirm, whose value "
            )
            wrong = await caller.patch(f"/{job_id}", json=CLOSE, headers={"Bulk-Ingest-Confirm": sentence[:-3]})
            assert wrong.status_code == 403 and org.changes == []
            closed = await caller.patch(f"/{job_id}", json=CLOSE, headers={"Bulk-Ingest-Confirm": sentence})
            assert closed.status_code == 200 and closed.json()["state"] == "UploadComplete"


async def test_a_request_that_would_close_its_job_at_once_is_refused_where_its_close_has_to_be_confirmed(
    org: WatchedOrg, tmp_path: Path
) -> None:
    def parts(operation: str) -> dict[str, Any]:
        job = f'{{"object": "Account", "operation": "{operation}"}}'
        return {"job": (None, job, "application/json"), "content": ("content", IDS, "text/csv")}

    async with server(org.url, tmp_path, confirm=("delete", "insert > 1")) as services, rest(services) as caller:
        for operation in ("delete", "insert"):
            refused = await caller.post("", files=parts(operation))
            assert refused.status_code == 403 and "in three requests" in refused.json()[0]["message"]
        assert org.changes == []
        assert (await caller.post("", files=parts("update"))).status_code == 200
        org.forget()
        told_twice = [
            ("Content-Type", "multipart/form-data; boundary=x"),
            ("Content-Type", "multipart/form-data; boundary=y"),
        ]
        body = b"".join(
            b'--x\r\nContent-Type: %s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
            for part in (
                (b"application/json", b"job", b'{"object": "Account", "operation": "update"}'),
                (b"text/csv", b"content", IDS.encode()),
            )
        )
        for headers in (told_twice, [told_twice[0], ("Content-Encoding", "gzip")]):
            refused = await caller.post("", content=body + b"--x--\r\n", headers=headers)
            assert refused.status_code == 403 and org.changes == []


async def test_a_dry_run_says_beforehand_that_a_close_will_be_asked_about(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        checked = await call(client, "create-ingest-job", body=DELETE, data={"csv": IDS}, dryRun=True)
        assert checked["findings"] == snapshot(
            [
                {
                    "level": "warning",
                    "what": "2 of 2 rows have a key in Id that no record has. These rows fail: their records are gone, or are those of another org.",
                    "do": "Have the user check that the file is of this object, this org and this time.",
                    "column": "Id",
                    "lines": [],
                    "count": 2,
                },
                {
                    "level": "warning",
                    "what": "Closing the job has to be confirmed by a person: delete 2 Account in embedded org.",
                    "do": "Ask the user before that; the rows can be uploaded without it.",
                    "lines": [],
                    "count": 0,
                },
            ]
        )
        job_id = (await call(client, "create-ingest-job", body=DELETE))["id"]
        checked = await call(client, "upload-data-ingest-job", jobId=job_id, body={"csv": IDS}, dryRun=True)
        assert "Closing the job has to be confirmed by a person" in str(checked["findings"])
        insert = {"object": "Account", "operation": "insert"}
        checked = await call(client, "create-ingest-job", body=insert, data={"csv": "Name\nAcme\n"}, dryRun=True)
        assert "confirmed" not in str(checked)


async def test_an_abort_is_never_asked_about(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        aborted = await call(
            client, "close-abort-ingest-job", jobId=await filled_delete(client), body={"state": "Aborted"}
        )
        assert aborted["state"] == "Aborted"
        async with rest(services) as caller:
            answer = await caller.patch(f"/{await filled_delete(client)}", json={"state": "Aborted"})
            assert answer.json()["state"] == "Aborted"


async def test_nobody_is_asked_about_a_job_that_can_not_be_closed(org_url: str, tmp_path: Path) -> None:
    async with server(org_url, tmp_path) as services, Client(build_mcp(services, None)) as client:
        job_id = await filled_delete(client)
        await call(client, "close-abort-ingest-job", jobId=job_id, body={"state": "Aborted"})
        refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
        assert "The job is Aborted and can't be closed" in refused and "confirm" not in refused


async def test_the_operator_alone_approves_where_that_is_set(org: WatchedOrg, tmp_path: Path) -> None:
    approvals = Approvals(approvals_file(tmp_path))
    async with server(org.url, tmp_path, confirm_without_dialog="operator") as services:
        async with Client(build_mcp(services, None)) as client, rest(services) as caller:
            job_id = await filled_delete(client)
            org.forget()
            refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
            assert steady(refused).splitlines() == snapshot(
                [
                    "INSUFFICIENT_ACCESS: The job was not closed: a person has to confirm that this is meant: delete 2 Account in embedded org. Once closed, it can be undone, but deleted records come back as new records (new ids), without what Salesforce deletes with them, such as children.",
                    'Next: close-abort-ingest-job {"jobId": "JOB", "body": {"state": "UploadComplete"}} closes the job, once the operator has approved that on the server\'s machine with `salesforce-bulk-ingest approve JOB`. Tell the user.',
                ]
            )
            through_rest = await caller.patch(f"/{job_id}", json=CLOSE)
            assert through_rest.status_code == 403 and "salesforce-bulk-ingest approve" in through_rest.text
            assert org.changes == []
            (waiting,) = approvals.waiting()
            assert approvals.approve(waiting)
            assert (await call(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE))["state"] == "UploadComplete"


async def test_nothing_confirms_a_close_where_it_is_refused_without_a_dialog(org: WatchedOrg, tmp_path: Path) -> None:
    async with server(org.url, tmp_path, confirm_without_dialog="refuse") as services:
        async with Client(build_mcp(services, None)) as client:
            job_id = await filled_delete(client)
            org.forget()
            refused = await refusal(client, "close-abort-ingest-job", jobId=job_id, body=CLOSE)
            assert steady(refused).splitlines()[1:] == snapshot(
                [
                    "Next: Tell the user: the operator takes confirmations from dialogs alone, and this client shows none here."
                ]
            )
            assert org.changes == []


async def test_with_the_embedded_org_nothing_is_asked_unless_that_is_set(org_url: str, tmp_path: Path) -> None:
    async with (
        open_services(Settings(emulator=True), paths_in(tmp_path), EmbeddedOrg(org_url, tmp_path)) as services,
        Client(build_mcp(services, None)) as client,
    ):
        closed = await call(client, "close-abort-ingest-job", jobId=await filled_delete(client), body=CLOSE)
        assert closed["state"] == "UploadComplete"


ACME = Org("acme.my.salesforce.com", PRODUCTION, "00D000000000001EAA", 'Acme (DE), "Sales"')


@pytest.mark.parametrize(
    ("rule", "closing", "holds"),
    [
        ("delete", Closing(ACME, "750", "delete", "Contact", 1, "00"), True),
        ("DELETE", Closing(ACME, "750", "Delete", "Contact", 0, "00"), True),
        ("delete", Closing(ACME, "750", "hardDelete", "Contact"), False),
        ("harddelete", Closing(None, "750", "hardDelete", "Contact"), True),
        ("delete", Closing(ACME, "750", None, "Contact"), True),
        ("production update > 1000", Closing(ACME, "750", "update", "Contact", 1_000, "00"), False),
        ("production update > 1,000", Closing(ACME, "750", "update", "Contact", 1_001, "00"), True),
        ("production update>1000", Closing(ACME, "750", "update", "Contact"), True),
        ("production update > 1000", Closing(None, "750", "update", "Contact", 2_000, "00"), True),
        ("production update > 1000", Closing(Org("acme", SANDBOX), "750", "update", "Contact"), False),
        ("production update > 1000", Closing(Org("acme", UNKNOWN), "750", "update", "Contact"), True),
        ("production update > 1000", Closing(Org(EMBEDDED, EMBEDDED), "750", "update", "Contact"), False),
    ],
)
def test_a_rule_names_the_closes_that_it_says_and_the_unknown_counts_as_the_worst(
    rule: str, closing: Closing, holds: bool
) -> None:
    assert ConfirmRule.parse(rule).holds(closing) is holds


@pytest.mark.parametrize("text", ["", "everything", "production", "delete > many", "sandbox delete", "delete > 1,00"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an operation such as delete"):
        ConfirmRule.parse(text)


def test_the_default_rules_are_rules() -> None:
    assert len([ConfirmRule.parse(rule) for rule in DEFAULT_RULES]) == 4


def test_a_close_is_told_as_people_say_it_whatever_the_org_is_called() -> None:
    assert [
        Closing(ACME, "750000000000001AAA", "delete", "Contact", 1_204, "3f9a0c0000000000").facts,
        Closing(Org("acme--uat.sandbox.my.salesforce.com", SANDBOX), "750000000000001AAA", "update", "Lead").facts,
        Closing(None, "750000000000001AAA", None, None).facts,
        Closing(ACME, "750000000000001AAA", "delete", "Contact\n and all else", 1, "00").facts,
    ] == snapshot(
        [
            "delete 1,204 Contact in Acme DE Sales PRODUCTION (job 750000000000001, rows 3f9a0c0000000000)",
            "update an unknown number of Lead in acme--uat.sandbox.my.salesforce.com sandbox (job 750000000000001)",
            "load an unknown number of rows in an unknown org (job 750000000000001)",
            'delete 1 "Contact\\n and all else" in Acme DE Sales PRODUCTION (job 750000000000001, rows 00)',
        ]
    )
