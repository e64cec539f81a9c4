"""Answers of the API from their bodies: their form, and that they are about what was asked for."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from salesforce_bulk_ingest.salesforce.errors import UnexpectedAnswer
from salesforce_bulk_ingest.salesforce.models import WrongId

ModelT = TypeVar("ModelT", bound=BaseModel)


def parsed(model: type[ModelT], body: bytes, asked: str) -> ModelT:
    """Return the answer in a body.

    Args:
        model: the form of the answer.
        body: the body.
        asked: what was asked for, as a part of a sentence.

    Raises:
        UnexpectedAnswer: the body is not of this form.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        causes = (detail.get("ctx", {}).get("error") for detail in error.errors(include_url=False))
        wrong_id = next((cause for cause in causes if isinstance(cause, WrongId)), None)
        if wrong_id is not None:
            raise about_other(asked, str(wrong_id)) from error
        raise UnexpectedAnswer(
            "The answer is not one of the Salesforce API: is the instance right, and not in maintenance?"
        ) from error


def about_other(asked: str, answered: str) -> UnexpectedAnswer:
    """Return the error for an answer about something else than was asked for: a proxy may mix up answers."""
    return UnexpectedAnswer(f"Asked for {asked}, Salesforce answered about {answered}.")
