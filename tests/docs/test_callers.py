"""What docs/callers.md says: settings, options, addresses and figures that there are."""

import re
import tomllib
from pathlib import Path

from salesforce_bulk_ingest.serving.health import KEPT_SECONDS, LIVE, READY
from salesforce_bulk_ingest.serving.http_protocol import DEFAULT_LIMITS
from salesforce_bulk_ingest.serving.issued_tokens import ALGORITHMS
from salesforce_bulk_ingest.serving.resource_metadata import METADATA_PATHS
from salesforce_bulk_ingest.settings import FILE_NAMES, FLAGS, Settings

TEXT = (Path(__file__).parents[2] / "docs" / "callers.md").read_text(encoding="utf-8")


def test_the_settings_are_those_of_a_server_that_starts() -> None:
    [block] = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    given = tomllib.loads(block)
    settings = Settings.model_validate(given)
    assert settings.oauth_issuer == given["oauth_issuer"] and set(given) <= FILE_NAMES
    assert f"`{settings.read_scope}` reads, `{settings.write_scope}` reads and writes" in TEXT


def test_every_option_exists() -> None:
    assert set(re.findall(r"`(--[a-z-]+)", TEXT)) <= {flag.name for flag in FLAGS.values()}


def test_the_addresses_and_figures_are_those_of_the_code() -> None:
    for path in (LIVE, READY, *METADATA_PATHS):
        assert f"`{path}`" in TEXT
    limits = DEFAULT_LIMITS
    assert f"has {limits.head_seconds} s to arrive, the next byte of a body {limits.body_seconds} s" in TEXT
    assert f"`max_connections` ({limits.connections})" in TEXT and KEPT_SECONDS == 10
    assert {name[:2] for name in ALGORITHMS} == {"RS", "PS", "ES", "Ed"}
