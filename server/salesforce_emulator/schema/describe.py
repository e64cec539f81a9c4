"""Objects and fields as the describe resources show them (REST API guide, Describe Global and sObject Describe)."""

from typing import Any

from salesforce_emulator.schema.model import Field, Schema, SObject

Body = dict[str, Any]

BYTES_PER_CHARACTER = 3  # of byteLength in UTF-8
MASTER_RECORD_TYPE = "012000000000000AAA"


def summary(sobject: SObject) -> Body:
    """The object as the list of all objects shows it."""
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


def described(sobject: SObject, schema: Schema) -> Body:
    """The object with its fields and the lookups that lead to it."""
    whole = {
        "actionOverrides": [],
        "childRelationships": [child_relationship(child, field) for child, field in schema.lookups_to(sobject.name)],
        "compactLayoutable": sobject.ingestable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [described_field(field) for field in sobject.fields],
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
    return dict(sorted((summary(sobject) | whole).items()))


def child_relationship(child: SObject, field: Field) -> Body:
    """A lookup, as the object that it leads to shows it."""
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
    """The record type of an object that has no others."""
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


def described_field(field: Field) -> Body:
    """One field."""
    polymorphic = len(field.referenceTo) > 1
    return {
        "aggregatable": not field.long_text and field.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.autoNumber,
        "byteLength": field.length if field.kind.holds == "id" else field.length * BYTES_PER_CHARACTER,
        "calculated": field.formula is not None and not field.autoNumber,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": False if field.type == "boolean" and field.createable else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.externalId,
        "extraTypeInfo": None,
        "filterable": not field.long_text,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": not field.long_text and field.type not in ("currency", "datetime", "double", "percent"),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.idLookup,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.nameField,
        "namePointing": polymorphic,
        "nillable": field.nillable,
        "permissionable": field.createable and (field.nillable or field.custom),
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.picklist
        ],
        "polymorphicForeignKey": polymorphic,
        "precision": field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.referenceTo),
        "relationshipName": field.relationshipName,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": False,
        "soapType": field.kind.soap,
        "sortable": not field.long_text,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }
