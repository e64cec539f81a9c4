"""Describes: asked once, shared, kept for some minutes, and never in the way of an upload."""

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from inline_snapshot import snapshot

from salesforce_bulk_ingest.base.findings import Findings
from salesforce_bulk_ingest.base.shared_task import SharedTasks
from salesforce_bulk_ingest.operations.describes import KEPT_SECONDS, MOST_KEPT, DescribeCache
from salesforce_bulk_ingest.salesforce.client import SalesforceClient
from salesforce_bulk_ingest.salesforce.errors import NotFound, SalesforceError, Unreachable
from salesforce_bulk_ingest.salesforce.models import FieldDescribe, SObjectDescribe
from tests.support.orgs import agent, call, closed
from tests.support.watched_org import WatchedOrg

Answer = Callable[[str], SObjectDescribe]
INSERT = {"object": "Account", "operation": "insert"}


def plain(name: str) -> SObjectDescribe:
    account = FieldDescribe(
        name="AccountId",
        label="Account ID",
        type="reference",
        reference_to=("Account",),
        relationship_name="Account",
        createable=True,
    )
    return SObjectDescribe(name=name, label=name, fields=(account,))


class Org(SalesforceClient):
    """Answers describes, once it is let, and counts them."""

    def __init__(self, answer: Answer = plain) -> None:
        self.answer = answer
        self.asked: Counter[str] = Counter()
        self.let = anyio.Event()
        self.let.set()

    async def describe(self, sobject: str) -> SObjectDescribe:
        self.asked[sobject] += 1
        await self.let.wait()
        return self.answer(sobject)


class Clock:
    """Goes forward when it is told to."""

    now = 1.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def cache_of(org: Org, **options: Any) -> AsyncIterator[DescribeCache]:
    async with anyio.create_task_group() as tasks:
        yield DescribeCache(org, SharedTasks(tasks), **options)
        tasks.cancel_scope.cancel()


def refusing(error: SalesforceError) -> Answer:
    def refuse(name: str) -> SObjectDescribe:
        raise error

    return refuse


async def test_a_describe_is_asked_for_once_in_some_minutes_whatever_its_case() -> None:
    org, clock = Org(), Clock()
    async with cache_of(org, clock=clock) as describes:
        for name in ("Contact", "contact", "CONTACT"):
            assert (await describes.get(name)).name == "Contact"
        assert org.asked.total() == 1
        clock.now += KEPT_SECONDS
        await describes.get("Contact")
    assert org.asked.total() == 2


async def test_callers_at_the_same_time_share_one_call() -> None:
    org = Org()
    org.let = anyio.Event()
    async with cache_of(org) as describes, anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(describes.get, "Contact")
        await anyio.wait_all_tasks_blocked()
        org.let.set()
    assert org.asked == {"Contact": 1}


async def test_callers_at_the_same_time_share_a_failure_and_the_next_one_asks_again() -> None:
    org = Org(refusing(Unreachable("gone")))
    org.let = anyio.Event()
    failed = 0

    async def ask(describes: DescribeCache) -> None:
        nonlocal failed
        with pytest.raises(Unreachable):
            await describes.get("Contact")
        failed += 1

    async with cache_of(org) as describes:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask, describes)
            await anyio.wait_all_tasks_blocked()
            org.let.set()
        assert (failed, org.asked.total()) == (3, 1)
        org.answer = plain
        assert (await describes.get("Contact")).name == "Contact"


async def test_a_caller_that_leaves_does_not_take_the_others_along() -> None:
    org = Org()
    org.let = anyio.Event()
    got: list[str] = []

    async def ask(describes: DescribeCache) -> None:
        got.append((await describes.get("Contact")).name)

    async with cache_of(org) as describes, anyio.create_task_group() as tasks:
        leaving = anyio.CancelScope()

        async def ask_and_leave() -> None:
            with leaving:
                await ask(describes)

        tasks.start_soon(ask_and_leave)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ask, describes)
        await anyio.wait_all_tasks_blocked()
        leaving.cancel()
        await anyio.wait_all_tasks_blocked()
        org.let.set()
    assert (got, org.asked.total()) == (["Contact"], 1)


async def test_only_so_many_are_kept() -> None:
    org = Org()
    async with cache_of(org) as describes:
        for number in range(MOST_KEPT + 1):
            await describes.get(f"Object{number}__c")
        await describes.get(f"Object{MOST_KEPT}__c")
        await describes.get("Object0__c")
    assert (org.asked[f"Object{MOST_KEPT}__c"], org.asked["Object0__c"]) == (1, 2)


async def test_the_parents_that_a_header_names_are_described_too() -> None:
    org = Org()
    async with cache_of(org) as describes:
        described = await describes.for_upload("Contact", ["LastName", "Account.Ext__c", "account.Name", "No.Such"])
    assert described.sobject == plain("Contact")
    assert described.parents == {"Account": plain("Account")}
    assert (described.failures, org.asked) == ({}, {"Contact": 1, "Account": 1})


async def test_a_parent_that_a_header_may_speak_of_is_described_for_advice_and_its_failure_is_not_told() -> None:
    def only_contact(name: str) -> SObjectDescribe:
        if name != "Contact":
            raise NotFound(404, "NOT_FOUND", "The requested resource does not exist")
        return plain(name)

    header = ["LastName", "Account ERP Id", "Account Name", "Zodiac sign"]
    for answer, parents in ((plain, {"Account": plain("Account")}), (only_contact, {})):
        org = Org(answer)
        async with cache_of(org) as describes:
            described = await describes.for_upload("Contact", header)
        assert (described.parents, described.failures) == (parents, {})
        assert org.asked == {"Contact": 1, "Account": 1}


@pytest.mark.parametrize(
    "error",
    [
        NotFound(404, "NOT_FOUND", "The requested resource does not exist"),
        Unreachable("acme.my.salesforce.com could not be reached: no route."),
    ],
)
async def test_an_object_that_can_not_be_described_is_a_warning(error: SalesforceError) -> None:
    async with cache_of(Org(refusing(error))) as describes:
        described = await describes.for_upload("Contct", ["Account.Ext__c"])
    findings = Findings()
    described.report(findings, None)
    [finding] = findings.sorted()
    assert described.sobject is None
    assert (finding.level, finding.what) == (
        "warning",
        f"Columns and values of Contct could not be checked against the org: {str(error).removesuffix('.')}.",
    )


async def test_an_object_that_is_not_there_is_an_error_for_a_new_job_alone() -> None:
    error = NotFound(404, "NOT_FOUND", "The requested resource does not exist")
    async with cache_of(Org(refusing(error))) as describes:
        described = await describes.for_upload("Contct", ["Name"])
    findings = Findings()
    described.report(findings, "Contct")
    assert [(finding.level, finding.what) for finding in findings.sorted()] == snapshot(
        [("error", "There is no object Contct that this user can see, so no job can be made for it.")]
    )


async def test_a_parent_that_can_not_be_described_leaves_the_object_to_check() -> None:
    def only_contact(name: str) -> SObjectDescribe:
        if name != "Contact":
            raise NotFound(404, "NOT_FOUND", "The requested resource does not exist")
        return plain(name)

    async with cache_of(Org(only_contact)) as describes:
        described = await describes.for_upload("Contact", ["Account.Ext__c"])
    findings = Findings()
    described.report(findings, None)
    assert described.sobject == plain("Contact")
    assert [dataclasses.asdict(finding) for finding in findings.sorted()] == snapshot(
        [
            {
                "level": "warning",
                "what": "Columns and values of Account could not be checked against the org: The requested resource does not exist.",
                "do": "Check the object's name.",
                "column": None,
                "lines": (),
                "count": 1,
                "job": {},
                "fails": None,
                "rows": (),
                "cells": None,
                "kind": "describe",
            }
        ]
    )


async def test_an_org_that_does_not_answer_is_not_waited_for() -> None:
    org = Org()
    org.let = anyio.Event()
    async with cache_of(org, patience_seconds=0) as describes:
        described = await describes.for_upload("Contact", [])
    assert described.sobject is None
    assert str(described.failures["Contact"]) == "Salesforce did not answer within 0 s."


async def test_a_describe_is_asked_for_once(org: WatchedOrg) -> None:
    async with agent(org.url) as client:
        for name in ("One", "Two", "Three"):
            await call(client, "create-ingest-job", body=INSERT, data={"csv": f"Name\n{name}\n"})
    assert len([request for request in org.recorder.calls if "describe" in request]) == 1


async def test_an_object_that_can_not_be_described_keeps_no_rows_back(org: WatchedOrg) -> None:
    org.go_wrong({"on": "describe", "fault": "server-error"})
    async with agent(org.url) as client:
        job = await call(client, "create-ingest-job", body=INSERT, data={"csv": "Name\nUndescribed\n"})
        assert job["findings"] == snapshot(
            [
                {
                    "level": "warning",
                    "what": 'Columns and values of Account could not be checked against the org: "An unexpected error occurred".',
                    "do": "Try again, or go on without this check.",
                    "lines": [],
                    "count": 1,
                }
            ]
        )
        assert (await closed(client, job["id"]))["numberRecordsFailed"] == 0
