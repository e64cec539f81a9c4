"""Remedies: advice on failed rows, by status code and, where a code has several causes, by its message.

Sources: SOAP API Developer Guide (v66), Core Data Types, StatusCode, for what a code means and which conditions pass by
themselves; Bulk API 2.0 Developer Guide for row data (`#N/A`, ids, relationship columns), for locks (General Guidelines for
Data Loads: order rows by parent) and for what still runs in a load; messages seen in live loads (API reference, 5.3).
"""

from dataclasses import dataclass
from typing import Literal

Correcting = Literal["values", "formats", "columns"]
"""The arguments that change single cells, or leave a column out."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The remedy for rows that failed with a status code.

    Attributes:
        advice: what to do, in one sentence written by this project.
        is_retryable: whether the same rows may succeed unchanged.
        argument: the argument beside rowsOf that may correct the cells at fault on the way, such as `formats` where they may
            be right and of another form than Salesforce takes; None where only the source or the org can be corrected.
    """

    advice: str
    is_retryable: bool = False
    argument: Correcting | None = None


_ADMIN = "Ask an admin of the org"

_LOCKED = Remedy(
    "Another process held these records or their parents: send these rows again, unchanged, in a new job, once no other "
    "job or process works on the same parents, with the rows of one parent next to each other.",
    is_retryable=True,
)
"""Timeouts of locks pass; deadlocks come from overlapping sets of parents (StatusCode; General
Guidelines for Data Loads)."""

_IN_TRIGGER = Remedy(
    "A trigger of the org refused these rows or broke on them: if the message asks for other data, correct the rows, else "
    "show it to an admin of the org before loading them again."
)
_IN_FLOW = Remedy(
    "A flow of the org failed on these rows: if the message asks for other data, correct the rows, else have an admin "
    "correct the flow before loading them again."
)

_DUPLICATE_RULE = Remedy(
    "A duplicate rule of the org found similar records, and a bulk load can't override it: don't send these rows again, "
    "load them as an update or upsert of the records that exist, or have an admin set the rule to Allow without Alert, or "
    "deactivate it, for the load."
)
"""`allowSave`, the way past an alert, is a header of REST and SOAP calls (REST API Developer Guide, Duplicate Rule Header),
and has no effect on bulk jobs (simple-salesforce #628). Without it a rule that allows *with an alert* refuses rows too (same
page; jsforce #1055, NPSP #2475), so Allow alone is not enough. A rule also fires when an insert became an upsert, unless
the record that the rule finds is the record that is updated."""

_BY_CODE: dict[str, Remedy] = {
    "UNABLE_TO_LOCK_ROW": _LOCKED,
    "TOO_MANY_APEX_REQUESTS": Remedy(
        "The org ran too much Apex at once: wait some minutes, then send these rows again, unchanged, in a new job.",
        is_retryable=True,
    ),
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": Remedy(
        "The org is being upgraded: send these rows again, unchanged, in a new job after that (see trust.salesforce.com).",
        is_retryable=True,
    ),
    "TERRITORY_REALIGN_IN_PROGRESS": Remedy(
        "Territories are being realigned: send these rows again, unchanged, in a new job when that is done.",
        is_retryable=True,
    ),
    "DUPLICATES_DETECTED": _DUPLICATE_RULE,
    "DUPLICATE_VALUE": Remedy(
        "The value of a unique field is taken, by a record or by another row: make it unique, leave the row out with "
        "leaveOut, or upsert by that field, if it is an external id, to update the record that has it."
    ),
    "DUPLICATE_EXTERNAL_ID": Remedy(
        "Several records have this external id, so none is chosen: have the extra records corrected, or name the record by "
        "its Id."
    ),
    "DUPLICATE_USERNAME": Remedy("Usernames are unique across all orgs: choose another one for each of these rows."),
    "REQUIRED_FIELD_MISSING": Remedy(
        "Fill in the named fields: add a column, one value for every row with set, or leave these rows out with leaveOut, "
        'such as {"cells": {"LastName": [""]}}; an empty cell or #N/A is no value.',
        argument="values",
    ),
    "MISSING_ARGUMENT": Remedy(
        "The key of these rows is empty: fill in Id, or the external id of an upsert, or insert them as new records."
    ),
    "INVALID_CROSS_REFERENCE_KEY": Remedy(
        "An Id in these rows names no record that this user can see, or one of the wrong kind: correct it, look it up in "
        "this org (a sandbox has other ids), or leave it out.",
        argument="values",
    ),
    "INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD": Remedy(
        "A lookup names a record of the wrong object: give the Id of a record of the object that the field refers to.",
        argument="values",
    ),
    "ENTITY_IS_DELETED": Remedy(
        "The record, or one that it refers to, is deleted, or its Id came twice in a delete: don't send these rows again, "
        "or have the record restored from the recycle bin first."
    ),
    "ENTITY_IS_LOCKED": Remedy(
        "An approval process has locked the record: send these rows again when it is decided, or have an admin unlock it."
    ),
    "MALFORMED_ID": Remedy(
        "The cell is no Id of that object: give 15 or 18 characters as Salesforce shows them, or name the parent by its "
        "external id in a column such as Account.Ext__c.",
        argument="values",
    ),
    "INVALID_ID_FIELD": Remedy(
        "The Id, or a lookup, is not valid: look the record up in this org and give its Id.",
        argument="values",
    ),
    "INVALID_FIELD": Remedy(
        "A cell, or the row, doesn't fit the header: do what the message says, and check delimiter and quotes."
    ),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Remedy(
        "These fields can't be written by this operation or this user: leave their columns out (columns with null), or use "
        "update or upsert where an insert was given an Id.",
        argument="columns",
    ),
    "FIELD_INTEGRITY_EXCEPTION": Remedy(
        "The value doesn't fit the field, or the other fields of the record: correct it as the message says; dates are "
        "2026-01-31, times 2026-01-31T12:00:00Z.",
        argument="values",
    ),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Remedy(
        "A rule of the org refused the values, and the message is what its author wrote: correct the rows to satisfy it, or "
        "have an admin change the rule."
    ),
    "FIELD_FILTER_VALIDATION_EXCEPTION": Remedy(
        "The lookup's filter refuses the record that was named: choose another one, or have an admin change the filter.",
        argument="values",
    ),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Remedy(
        'Translate these cells with values, such as {"Rating": {"H": "Hot"}}, or have an admin add them to the picklist; a '
        "record type may offer fewer than the field.",
        argument="values",
    ),
    "TOO_MANY_ENUM_VALUE": Remedy(
        "A multi-select cell holds more than 100 values: shorten it.",
        argument="values",
    ),
    "STRING_TOO_LONG": Remedy(
        "Shorten the cells to the length in the message: nothing truncates them on the way.",
        argument="values",
    ),
    "NUMBER_OUTSIDE_VALID_RANGE": Remedy(
        "The number has more digits than the field holds: correct it, or its unit.",
        argument="values",
    ),
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Remedy(
        "The cell doesn't have the field's type: name the form of the cells in formats beside rowsOf, or translate them "
        "with values, to numbers as 1234.5, dates as 2026-01-31, times as 2026-01-31T12:00:00Z, checkboxes as true/false.",
        argument="formats",
    ),
    "INVALID_EMAIL_ADDRESS": Remedy(
        'Correct the address, or empty the cell, with values beside rowsOf, such as {"Email": {"none": ""}}.',
        argument="values",
    ),
    "INVALID_CURRENCY_ISO": Remedy(
        "Use the code of a currency that is active in this org, such as EUR.",
        argument="values",
    ),
    "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET": Remedy(
        "Remove the characters that the org can't store from these cells.",
        argument="values",
    ),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": _IN_TRIGGER,
    "CANNOT_EXECUTE_FLOW_TRIGGER": _IN_FLOW,
    "SELF_REFERENCE_FROM_TRIGGER": _IN_TRIGGER,
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": Remedy(
        "The named user's type or licence doesn't allow this: give these records another owner or user, in values for "
        "OwnerId, or have an admin change the licence.",
        argument="values",
    ),
    "INACTIVE_OWNER_OR_USER": Remedy(
        "The owner is an inactive user: give these rows an active one, in set or values for OwnerId, or have an admin "
        "reactivate it.",
        argument="values",
    ),
    "TRANSFER_REQUIRES_READ": Remedy(
        "The new owner may not read this object: choose another owner, or have an admin give that user access."
    ),
    "INSUFFICIENT_ACCESS_OR_READONLY": Remedy(
        f"{_ADMIN} to give this user access to the records or fields, or don't send these rows again."
    ),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Remedy(
        f"{_ADMIN} to give this user access to the records that these rows refer to (parent, owner, record type), or name "
        "others."
    ),
    "CANNOT_REPARENT_RECORD": Remedy(
        "The parent of these records can't be changed: leave that column out of an update.",
        argument="columns",
    ),
    "CANNOT_UPDATE_CONVERTED_LEAD": Remedy(
        "The lead is converted: don't send these rows again, or update the contact, account or opportunity that it "
        "became."
    ),
    "CHILD_SHARE_FAILS_PARENT": Remedy(f"{_ADMIN} to give this user edit access to the parent records."),
    "DELETE_FAILED": Remedy(
        "Other records use this one: delete or re-assign those first, or don't send these rows again."
    ),
    "DEPENDENCY_EXISTS": Remedy("Other records or settings depend on this one: change those first."),
    "STANDARD_PRICE_NOT_DEFINED": Remedy("Load the standard price of these products first, then the custom ones."),
    "STORAGE_LIMIT_EXCEEDED": Remedy(
        "The org's storage is full: have an admin make room or buy more, then load the rest in a new job."
    ),
    "LICENSE_LIMIT_EXCEEDED": Remedy(f"All licences are used: {_ADMIN.lower()} to free or buy some."),
    "LIMIT_EXCEEDED": Remedy(f"A limit of the org is reached, see the message: {_ADMIN.lower()} before going on."),
    "REQUEST_RUNNING_TOO_LONG": Remedy(
        "The org's triggers and flows took too long: send these rows in smaller jobs, or have an admin lighten those."
    ),
    "UNKNOWN_EXCEPTION": Remedy(
        "Salesforce had an internal error: try one of these rows alone, and give the message to Salesforce support if it "
        "fails again."
    ),
}

_BY_TEXT: tuple[tuple[str, str, Remedy], ...] = (
    (
        "INVALID_FIELD",
        "Foreign key external ID",
        Remedy(
            "No parent has this external id: load the missing parents first, or correct the ids with values beside rowsOf, "
            'such as {"Account.Ext__c": {"old": "new"}}.',
            argument="values",
        ),
    ),
    (
        "INVALID_FIELD",
        "valid value for the type xsd:date",  # of xsd:dateTime, too
        Remedy(
            "The cell has not the form of the field's type: write dates as 2026-01-31 and times as 2026-01-31T12:00:00Z, or "
            'name the form of the cells in formats beside rowsOf, such as {"Birthdate": "DD.MM.YYYY"}, or translate them '
            "with values.",
            argument="formats",
        ),
    ),
    (
        "INVALID_FIELD",
        "valid value for the type xsd:boolean",
        Remedy(
            'Name the words of the cells in formats beside rowsOf, such as {"Done__c": "Yes/No"}, or translate them to true '
            "and false with values.",
            argument="formats",
        ),
    ),
    (
        "INVALID_FIELD",
        "valid value for the type xsd:int",
        Remedy(
            "The field takes whole numbers, without a point: translate cells with values beside rowsOf, such as "
            '{"NumberOfEmployees": {"25.5": "26"}}; where zeros alone are behind it, name their form in formats, such as '
            '{"NumberOfEmployees": "1234.5"}.',
            argument="formats",
        ),
    ),
    (
        "INVALID_FIELD",
        "valid value for the type",
        Remedy(
            "The cell is no number as the field takes it: write 1234.5, or name the form of the cells in formats beside "
            'rowsOf, such as {"AnnualRevenue": "$1,234.5"}, or translate them with values.',
            argument="formats",
        ),
    ),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "Record Type ID",
        Remedy(
            "The record type is unknown, or not assigned to this user: give one of its own with set or values for "
            "RecordTypeId, leave the column out, or have an admin assign it.",
            argument="values",
        ),
    ),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "cannot be blank",
        Remedy(
            "A lookup that every record has was cleared: replace #N/A in that column with values or set, or leave the "
            "column out (columns with null).",
            argument="values",
        ),
    ),
    (
        "FIELD_INTEGRITY_EXCEPTION",
        "problem with this",  # state and country picklists
        Remedy(
            "The org has lists of states and countries, and this is none of them: translate the cells with values beside "
            'rowsOf, such as {"BillingCountry": {"USA": "United States"}}, and send states with their country.',
            argument="values",
        ),
    ),
    (
        "DUPLICATE_VALUE",
        "Duplicate external id specified",
        Remedy(
            "Several rows of this load have the same key, and one of them was taken: keep one row for each, or send the "
            "others after it in a job of their own."
        ),
    ),
)
"""Remedies by a part of the message, for codes with several causes: the first that fits. The messages are
seen in public logs: those about types and parents in results of Bulk API 2.0, the others in other APIs. Assumed: the message
about states and countries, and that of two rows with one key."""

_OTHER = Remedy("Read the message, correct the rows or the org accordingly, and send only these rows in a new job.")

_TRIGGER_CODES = frozenset({"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER"})


def remedy_for(code: str, message: str) -> Remedy:
    """Return the remedy for a status code and its message; for an unknown code, a general one that is not retryable.

    A trigger or a flow that ran into a lock reports its own code, and the code of the lock in the message (seen in Apex
    traces).
    """
    if code in _TRIGGER_CODES and "UNABLE_TO_LOCK_ROW" in message:
        return _LOCKED
    by_text = (remedy for of_code, text, remedy in _BY_TEXT if of_code == code and text in message)
    return next(by_text, None) or _BY_CODE.get(code, _OTHER)


def known_texts() -> list[tuple[str, str]]:
    """Return the codes, each with a part of a message, that have a remedy of their own."""
    return [(code, text) for code, text, _ in _BY_TEXT]


def known_codes() -> frozenset[str]:
    """Return the status codes that have a remedy of their own."""
    return frozenset(_BY_CODE)
