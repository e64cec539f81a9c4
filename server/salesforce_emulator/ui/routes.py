"""The URLs of the web pages."""

from starlette.routing import Route

from salesforce_emulator.ui.faults import show_faults
from salesforce_emulator.ui.jobs import show_job, show_row
from salesforce_emulator.ui.objects import show_object, show_record
from salesforce_emulator.ui.overview import show_overview
from salesforce_emulator.ui.page import Asset, Page
from salesforce_emulator.ui.setup_urls import show_bulk_load_job

ROUTES = [
    Route("/", Page("overview.html", show_overview)),
    Route("/jobs/{job_id}", Page("job.html", show_job)),
    Route("/jobs/{job_id}/{kind}/{position}", Page("row.html", show_row)),
    Route("/objects/{object}", Page("object.html", show_object)),
    Route("/objects/{object}/{record_id}", Page("record.html", show_record)),
    Route("/faults", Page("faults.html", show_faults)),
    Route("/lightning/setup/AsyncApiJobStatus/page", show_bulk_load_job),
    Route("/window.css", Asset("window.css", "text/css")),
    Route("/window.js", Asset("window.js", "text/javascript")),
    Route("/window.svg", Asset("window.svg", "image/svg+xml")),
]
