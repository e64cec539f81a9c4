"""The warnings about settings that can be used, and yet may not be what the user meant."""

from tests.cli.conftest import RunHere
from tests.support.commands import TOKEN, Environ, anonymous


def test_what_may_not_be_what_was_meant_is_a_warning(run_here: RunHere, environ: Environ) -> None:
    """Whatever is set: the command runs on."""
    odd = {
        "BULK_INGEST_ALLOWED_HOSTS": TOKEN,
        "BULK_INGEST_COLOUR": "red",
        "SALESFORCE_INSTANCE_ULR": "https://acme.my.salesforce.com",
        "SALESFORCE_ORG_ID": "00D000000000001",
        "SALESFORCE_USERNAME": "ann@acme.example",
    }
    for args in ([], ["--emulator"]):
        done = run_here("check", "--upload-root", environ["HOME"], "--upload-root", "/", *args, **odd)
        ours = """\
salesforce-bulk-ingest: warning: BULK_INGEST_ALLOWED_HOSTS is not read: did you mean BULK_INGEST_ALLOWED_HOST?
salesforce-bulk-ingest: warning: BULK_INGEST_COLOUR is not read: there is no such setting.
"""
        theirs = """\
salesforce-bulk-ingest: warning: SALESFORCE_INSTANCE_ULR is not read: did you mean SALESFORCE_INSTANCE_URL?
"""
        roots = """\
salesforce-bulk-ingest: warning: every file under /home/me may be uploaded: name the folder of the data alone as --upload-root.
salesforce-bulk-ingest: warning: every file under / may be uploaded: name the folder of the data alone as --upload-root.
"""
        assert anonymous(done.stderr, environ) == f"{ours}{'' if args else theirs}{roots}"
        assert "policy" in done.stdout
