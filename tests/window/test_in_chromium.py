"""The window in a real browser."""

import re
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from salesforce_emulator.config import CALLBACK_URL, PASSWORD, USERNAME
from tests.salesforce_emulator.api.logins import authorization_url
from tests.salesforce_emulator.caller import Caller, csv_text
from tests.window.conftest import NARROW, WIDE

EVIL = "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
STUCK = {"fault": "stuck-job"}
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")


def complaints_of(page: Page) -> list[str]:
    """What the browser will have found wrong with the page: errors of scripts, of files and of the policy."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def paths_of(org: Caller) -> list[str]:
    """One page of each kind, full of what a load may hold."""
    long = "word " * 40 + "x" * 300
    rows = [["LastName", "FirstName", "Email", "Description"]]
    rows += [
        [f"{number} {EVIL}"[:80], "a\u202eb\x07", "no address" if number % 2 else "", long] for number in range(60)
    ]
    job = org.load(csv_text(rows), "Contact")
    misnamed = org.load(csv_text([[EVIL], ["A"]]))
    org.go_wrong({"fault": "answer", "on": "upload", "status": 400, "message": long})
    record_id = org.succeeded(job)[0]["sf__Id"]
    return [
        "/",
        "/faults",
        "/objects/Contact",
        f"/objects/Contact/{record_id}",
        f"/jobs/{job['id']}",
        f"/jobs/{job['id']}?rows=successful",
        f"/jobs/{misnamed['id']}",
        f"/jobs/{org.create()}",
    ]


def login_paths_of(org: Caller) -> list[str]:
    """Each page on which an app gets access, and the page that refuses it."""
    url = authorization_url(org, login_hint=USERNAME)
    consent = httpx2.post(url, data={"username": USERNAME, "pw": PASSWORD}).headers["Location"]
    return [url, consent, authorization_url(org, client_id=EVIL * 3)]


def test_everything_can_be_reached_with_scripts_off(org: Caller, still: Page) -> None:
    org.load("Name,Site\n" + "".join(f"Account{number},{'x' * 100}\n" for number in range(30)) + "Good,here\n")
    still.goto("/")
    still.click("text=insert Account")
    still.click("text=Next rows")
    expect(still.locator("#rows tbody tr")).to_have_count(5)
    still.click("#rows tbody th a >> nth=0")
    expect(still.locator("h1")).to_have_text("Failed row 26")
    still.click("text=insert Account")
    still.click("text=Successful 1")
    still.click("#rows tbody td a >> nth=0")
    expect(still.locator("h1")).to_contain_text("Account 001")
    still.click("text=Accounts")
    still.click("text=User >> nth=0")
    expect(still.locator("h1")).to_contain_text("Users 1 record")
    still.click("text=Faults and requests")
    expect(still.locator("#requests tbody tr")).not_to_have_count(0)


def test_work_in_progress_is_followed_with_scripts_off(org: Caller, still: Page) -> None:
    org.go_wrong(STUCK)
    job_id = org.submit("Name\nA\n")
    org.until(job_id, "InProgress")
    still.goto(f"/jobs/{job_id}")
    expect(still.locator("h1")).to_contain_text("InProgress")
    org.go_right()
    expect(still.locator("h1")).to_contain_text("JobComplete", timeout=20_000)


def test_the_overview_follows_jobs_by_itself(org: Caller, page: Page) -> None:
    complaints = complaints_of(page)
    page.goto("/")
    expect(page.locator("#jobs")).to_contain_text("none yet")
    job_id = org.create()
    row = page.locator(f"tr[id='{job_id}']")
    expect(row).to_contain_text("Open")
    org.upload(job_id, b"Name\nA\n")
    org.patch(job_id, "UploadComplete")
    expect(row).to_contain_text("JobComplete")
    expect(page.locator("#news")).to_have_text("1 job, 1 JobComplete")
    assert complaints == []


def test_a_page_that_changes_keeps_its_place_and_the_focus(org: Caller, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 300})
    org.load("LastName,Company\n" + "".join(f"Lead{number},{'x' * 39}\n" for number in range(20)), "Lead")
    page.goto("/objects/Lead")
    last = page.locator("#records tbody a").last
    last.focus()
    page.evaluate("document.querySelector('#records-table').scrollLeft = 50")
    place = page.evaluate("[scrollY, document.activeElement.href]")
    org.load("LastName,Company\nNewest,Co\n", "Lead")
    expect(page.locator("#records tbody")).to_contain_text("Newest")
    assert page.evaluate("[scrollY, document.activeElement.href]") == place
    assert place[0] > 0
    assert page.evaluate("document.querySelector('#records-table').scrollLeft") == 50


def test_a_page_that_nobody_sees_asks_for_nothing(org: Caller, page: Page) -> None:
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.unseen === true})")
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "fetch" else None)
    page.evaluate("window.unseen = true")
    page.clock.run_for(60_000)
    assert asked == []
    with page.expect_request("**/"):
        page.evaluate("window.unseen = false; document.dispatchEvent(new Event('visibilitychange'))")


def test_a_page_says_when_the_org_is_gone_and_goes_on_when_it_is_back(
    org: Caller, context: BrowserContext, page: Page
) -> None:
    page.goto("/")
    expect(page.get_by_role("alert")).to_be_hidden()
    context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("The org does not answer any more.")
    org.create()
    context.set_offline(False)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#jobs")).to_contain_text("1 Open")


def test_nothing_that_was_loaded_ever_runs(org: Caller, page: Page) -> None:
    complaints = complaints_of(page)
    for path in paths_of(org):
        page.goto(path)
        with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):  # and after it has renewed
            pass
        assert "hacked" not in page.title()
    assert complaints == []


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_no_page_is_wider_than_the_screen(org: Caller, page: Page, viewport: dict[str, int]) -> None:
    page.set_viewport_size(viewport)
    for path in (*paths_of(org), *login_paths_of(org)):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_failed_rows_of_jobs_are_seen_on_a_narrow_screen(org: Caller, page: Page) -> None:
    org.load("Name\n" + "A\n" * 1000, "CampaignMember")
    paths_of(org)
    page.set_viewport_size({"width": 420, "height": 800})
    page.goto("/")
    expect(page.locator("#jobs-table th", has_text="Failed")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(browser: Browser, org: Caller, scheme: str) -> None:
    """WCAG 2.2, success criterion 1.4.3: a contrast of 4.5 to 1."""
    paths = paths_of(org)
    org.patch(org.create(), "Aborted")
    org.go_wrong(STUCK)
    org.until(org.submit("Name\nA\n"), "InProgress")
    with browser.new_context(base_url=str(org.http.base_url), color_scheme=scheme) as seen:
        page = seen.new_page()
        for path in (*paths, *login_paths_of(org)):
            page.goto(path)
            assert page.evaluate(CONTRAST) == []


def test_the_keyboard_goes_straight_to_the_content(org: Caller, page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize(
    ("button", "answer"), [("Allow", r"code=aPrx.*&state=a\+state"), ("Deny", "error=access_denied&.*&state=a")]
)
def test_a_user_logs_in_with_scripts_off_and_the_app_gets_what_they_decide(
    org: Caller, still: Page, button: str, answer: str
) -> None:
    complaints = complaints_of(still)
    still.route(f"{CALLBACK_URL}**", lambda route: route.fulfill(body="Go back to the app.", content_type="text/plain"))
    still.goto(authorization_url(org))
    still.keyboard.type("nobody@example.com")  # the first field has the focus
    still.keyboard.press("Tab")
    still.keyboard.type("nonsense")
    still.keyboard.press("Enter")
    expect(still.get_by_role("alert")).to_contain_text("Please check your username and password.")
    still.get_by_label("Username").fill(USERNAME)
    still.get_by_label("Password").fill(PASSWORD)
    still.get_by_role("button", name="Log In").click()
    expect(still.locator("h1")).to_have_text("Allow access?")
    still.get_by_role("button", name=button).click()
    expect(still).to_have_url(re.compile(rf"{re.escape(CALLBACK_URL)}\?{answer}"))
    assert complaints == []


def test_a_login_page_is_not_renewed_while_someone_types(org: Caller, page: Page) -> None:
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(authorization_url(org))
    page.get_by_label("Password").fill("half a pass")
    loaded = len(asked)
    page.clock.run_for(60_000)
    assert len(asked) == loaded
    expect(page.get_by_label("Password")).to_have_value("half a pass")
