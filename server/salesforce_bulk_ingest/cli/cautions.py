"""What is said at the start about settings that can be used, and yet may not be what was meant."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from salesforce_bulk_ingest.settings import EMULATOR_IGNORES, Settings, env_names, like

OURS = "BULK_INGEST_"
NEAR_OURS = 0.6
NEAR_SALESFORCE = 0.8
"""Other tools' variables begin in the same way: SALESFORCE_ORG_ID is no misspelt SALESFORCE_ORG."""


def settings_warnings(settings: Settings, environ: Mapping[str, str], home: Path) -> list[str]:
    """One line for each, without the value of a variable: it may be a secret."""
    return [*_unread_variables(environ, settings.emulator), *_wide_roots(settings.upload_roots, home)]


def _unread_variables(environ: Mapping[str, str], is_embedded: bool) -> Iterator[str]:
    known = env_names().values()
    for name in sorted(name for name, value in environ.items() if value and name not in known):
        if name.startswith(OURS):
            meant = _meant(name, OURS, NEAR_OURS)
            yield f"{name} is not read: {f'did you mean {meant}?' if meant else 'there is no such setting.'}"
        elif name.startswith(EMULATOR_IGNORES) and not is_embedded:
            if meant := _meant(name, EMULATOR_IGNORES, NEAR_SALESFORCE):
                yield f"{name} is not read: did you mean {meant}?"


def _meant(name: str, prefix: str, near: float) -> str | None:
    """The variable that this one may be a misspelling of, seen by what follows the prefix that they share."""
    ends = [known.removeprefix(prefix) for known in env_names().values() if known.startswith(prefix)]
    end = like(name.removeprefix(prefix), ends, near)
    return None if end is None else f"{prefix}{end}"


def _wide_roots(roots: Sequence[Path], home: Path) -> Iterator[str]:
    """A home holds keys and letters beside the exports."""
    for root in roots:
        if home.resolve().is_relative_to(root.resolve()):
            yield f"every file under {root} may be uploaded: name the folder of the data alone as --upload-root."
