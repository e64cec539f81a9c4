"""The describe resources of objects and fields (REST API guide, Describe Global and sObject Describe)."""

from typing import Any

from salesforce_emulator.schema.model import Field, Schema, SObject

Body = dict[str, Any]

BYTES_PER_CHARACTER = 3  # in UTF-8, for byteLength
NOT_GROUPABLE = ("currency", "datetime", "double", "percent", "time")
MASTER_RECORD_TYPE = "012000000000000AAA"


def summarize_object(sobject: SObject) -> Body:
    """Return the entry of an object in Describe Global."""
    changeable = sobject.ingestable
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": changeable,
        "custom": sobject.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": changeable and sobject.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": sobject.keyPrefix,
        "label": sobject.label,
        "labelPlural": sobject.labelPlural,
        "layoutable": changeable,
        "mergeable": sobject.name in ("Account", "Case", "Contact", "Lead"),
        "mruEnabled": changeable,
        "name": sobject.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": changeable,
        "triggerable": changeable,
        "undeletable": changeable and sobject.deletable,
        "updateable": changeable,
    }


def describe_object(sobject: SObject, schema: Schema) -> Body:
    """Return the sObject Describe of an object: its fields, and the lookups of other objects that lead to it."""
    whole = {
        "actionOverrides": [],
        "childRelationships": [child_relationship(child, field) for child, field in schema.lookups_to(sobject.name)],
        "compactLayoutable": sobject.ingestable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [describe_field(field) for field in sobject.fields],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [master_record_type()] if sobject.ingestable else [],
        "searchLayoutable": sobject.ingestable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.labelPlural.lower()}", "name": "everything"}],
    }
    return dict(sorted((summarize_object(sobject) | whole).items()))


def child_relationship(child: SObject, field: Field) -> Body:
    """Return the entry for a lookup in the description of the object that it leads to."""
    return {
        "cascadeDelete": False,
        "childSObject": child.name,
        "deprecatedAndHidden": False,
        "field": field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": field.childRelationshipName,
        "restrictedDelete": False,
    }


def master_record_type() -> Body:
    """Return the entry for the record type of an object that has only one."""
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER_RECORD_TYPE,
        "urls": {},
    }


def describe_field(field: Field) -> Body:
    """Return the description of a field in sObject Describe."""
    described = (
        _NOT_HERE
        | _what_it_is(field)
        | _what_it_holds(field)
        | _who_fills_it(field)
        | _in_queries(field)
        | _leads_to(field)
    )
    return dict(sorted(described.items()))


_NOT_HERE: Body = {
    "aiPredictionField": False,
    "calculated": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "extraTypeInfo": None,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "searchPrefilterable": False,
    "writeRequiresMasterRead": False,
}
"""What no field of the org has."""


def _what_it_is(field: Field) -> Body:
    return {
        "compoundFieldName": field.compoundFieldName,
        "custom": field.custom,
        "externalId": field.externalId,
        "idLookup": field.idLookup,
        "label": field.label,
        "name": field.name,
        "nameField": field.nameField,
        "soapType": field.field_type.soap,
        "type": field.type,
    }


def _what_it_holds(field: Field) -> Body:
    return {
        "byteLength": field.length if field.field_type.holds == "id" else field.length * BYTES_PER_CHARACTER,
        "caseSensitive": field.caseSensitive,
        "digits": field.digits,
        "length": field.length,
        "nillable": field.nillable,
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.picklist
        ],
        "precision": field.precision,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "unique": field.unique,
    }


def _who_fills_it(field: Field) -> Body:
    return {
        "autoNumber": field.autoNumber,
        "createable": field.createable,
        "defaultValue": False if field.type == "boolean" and field.createable else None,
        "defaultedOnCreate": field.defaulted_on_create,
        "permissionable": field.createable and (field.nillable or field.custom),
        "updateable": field.updateable,
    }


def _in_queries(field: Field) -> Body:
    return {
        "aggregatable": field.filterable and field.type != "boolean",
        "filterable": field.filterable,
        "groupable": field.filterable and field.type not in NOT_GROUPABLE,
        "sortable": field.filterable,
    }


def _leads_to(field: Field) -> Body:
    polymorphic = len(field.referenceTo) > 1
    return {
        "namePointing": polymorphic,
        "polymorphicForeignKey": polymorphic,
        "referenceTo": list(field.referenceTo),
        "relationshipName": field.relationshipName,
    }
