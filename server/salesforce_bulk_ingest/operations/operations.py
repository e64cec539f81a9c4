"""The nine operations on one org, grouped by subject, as the MCP server calls them."""

from dataclasses import dataclass

from salesforce_bulk_ingest.operations.jobs import JobOperations
from salesforce_bulk_ingest.operations.load import LoadOperations
from salesforce_bulk_ingest.operations.policy import Policy
from salesforce_bulk_ingest.operations.results import ResultOperations
from salesforce_bulk_ingest.operations.suggestions import Suggestions


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations for callers that want answers; callers that want bytes use the gateway.

    Attributes:
        policy: the rules that the operator set.
        jobs: list, create, read, close, abort and delete jobs.
        load: check rows and send them.
        results: pages of failed, successful and unprocessed rows.
        suggestions: what hosts list and complete.
    """

    policy: Policy
    jobs: JobOperations
    load: LoadOperations
    results: ResultOperations
    suggestions: Suggestions
