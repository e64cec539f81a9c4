"""One org: its data folder, and the services that work on the folder."""

import logging
from pathlib import Path

from salesforce_emulator.clock import rest_time
from salesforce_emulator.config import ORG_FILE, EmulatorConfig
from salesforce_emulator.faults.active_plan import ActivePlan
from salesforce_emulator.faults.journal import Journal
from salesforce_emulator.faults.plan import Plan
from salesforce_emulator.jobs import job
from salesforce_emulator.jobs.expiry import Expiry
from salesforce_emulator.jobs.files import JobFiles
from salesforce_emulator.jobs.job import Job, JobRequest
from salesforce_emulator.jobs.queue import JobQueue
from salesforce_emulator.jobs.store import JobStore
from salesforce_emulator.processing.job_writer import JobWriter
from salesforce_emulator.processing.processor import Processor
from salesforce_emulator.processing.validation_rules import check_rules
from salesforce_emulator.processing.worker import Worker
from salesforce_emulator.schema.custom import load_schema
from salesforce_emulator.schema.schema_file import naming_the_line
from salesforce_emulator.soql import cursors
from salesforce_emulator.storage import authorizations, object_tables, refresh_tokens, sessions, usage
from salesforce_emulator.storage.authorizations import Authorizations
from salesforce_emulator.storage.database import Database
from salesforce_emulator.storage.locks import ProcessLock, locked
from salesforce_emulator.storage.organization import read_organization
from salesforce_emulator.storage.refresh_tokens import RefreshTokens
from salesforce_emulator.storage.sessions import Sessions
from salesforce_emulator.storage.standard_records import note_permissions
from salesforce_emulator.storage.usage import Usage

log = logging.getLogger(__name__)


class Org:
    """The org in a folder, which is created if it does not exist; two processes may open the same org.

    Attributes:
        config: settings of this process.
        schema: objects, fields and validation rules.
        journal: journal of requests.
        faults: plan of faults in force.
        database: SQLite database of the org.
        organization: its id, and whether it is a sandbox.
        sessions: access tokens.
        refresh_tokens: refresh tokens that the web server flow has issued.
        authorizations: what apps ask for in the web server flow, until they have a token.
        usage: what has been used of the limits.
        jobs: store of the ingest jobs.
        worker: processes closed jobs, in a thread of its own.

    Raises:
        SchemaError: the schema file is not valid, or does not fit this org.
        BadPlan: the plan of faults is not valid.
    """

    def __init__(self, config: EmulatorConfig) -> None:
        self.config = config
        with naming_the_line(config.schema_file):
            self.schema = load_schema(config.schema_file)
            check_rules(self.schema)
        self.journal = Journal(config.clock)
        self.faults = ActivePlan(Plan.load(config.faults_file) if config.faults_file else Plan(), config.seed)
        folder = config.data_dir
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.database = Database(folder / ORG_FILE)
        with locked(
            folder / "opening.lock"
        ):  # a second process waits here: SQLite can't wait while the journal mode changes
            try:
                with naming_the_line(config.schema_file):
                    self._initialize()
            except BaseException:  # such as a schema that does not fit this org
                self.database.close()
                raise
            self._process_lock = ProcessLock(folder / "processes")
        self.sessions = Sessions(
            self.database, self.organization.id, config.access_token, config.token_seconds, config.clock
        )
        self.refresh_tokens = RefreshTokens(self.database)
        self.authorizations = Authorizations(self.database, config.clock)
        files = JobFiles(folder / "jobs", self._process_lock.name)
        self.usage = Usage(self.database, config.limits, config.clock)
        self._expiry = Expiry(self.database, files, config)
        self.jobs = JobStore(self.database, files, self._expiry, config, self._process_lock.name)
        self._queue = JobQueue(self.database, files, config, self._process_lock.name)
        files.remove_orphans(self._process_lock.has_ended, self.jobs.is_known)
        writer = JobWriter(self.database, self._queue, self.usage, config)
        processor = Processor(self._queue, writer, self.schema, config, self.faults)
        self.worker = Worker(
            processor, self._maintain, one_by_one=config.seed is not None, has_thread=config.has_worker_thread
        )

    def activate_plan(self, plan: Plan) -> None:
        """Replace the plan of faults in force; jobs that the previous plan has stopped go on."""
        for job_id in sorted(self.faults.replace(plan)):
            self.worker.submit(job_id)

    def close_job(self, job_id: str) -> Job:
        """Close the job and queue it for processing.

        Raises:
            ApiError: the job can't be closed, for a reason that `JobStore.close` names.
        """
        return self._submit(self.jobs.close(job_id))

    def create_closed_job(self, request: JobRequest, part: Path) -> Job:
        """Create a closed job with its data in one transaction, and queue it for processing."""
        return self._submit(self.jobs.create_closed(request, part))

    def _submit(self, job: Job) -> Job:
        self.worker.submit(job.id)
        return job

    def _initialize(self) -> None:
        with self.database.writing() as connection:
            for module in (job, cursors, object_tables, sessions, refresh_tokens, authorizations, usage):
                module.create_tables(connection)
            self.schema = object_tables.apply_schema(
                connection,
                self.schema,
                self.config.seed,
                rest_time(self.config.clock()),
                sandbox=self.config.sandbox,
            )
            note_permissions(connection, hard_delete=self.config.hard_delete)
            self.organization = read_organization(connection)
            objects, fields = object_tables.count_unnamed(connection, self.schema)
        if objects or fields:
            log.warning(
                "This org holds more than its schema names (custom objects: %d, custom fields: %d), and hides that;"
                " start it with the schema file that names it",
                objects,
                fields,
            )
        if self.config.sandbox and not self.organization.is_sandbox:
            log.warning("This org was not made as a sandbox, and is none; start a new org in another folder")

    def _maintain(self) -> list[str]:
        """Save the usage, expire jobs, and return the ids of jobs taken over from processes that have died."""
        self.usage.save()
        self._expiry.expire()
        return self._queue.adopt(self._process_lock.has_ended)

    def close(self) -> None:
        """Stop after the current chunk of rows, and close the database."""
        self.worker.stop()
        self.usage.save()
        self.database.close()
        self._process_lock.close()
