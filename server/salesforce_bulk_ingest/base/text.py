"""Small changes to texts for a sentence."""


def as_sentence(message: str) -> str:
    """Return a message with a full stop at its end; Salesforce's own messages come with and without one."""
    return message if message.endswith((".", "!", "?")) else f"{message}."
