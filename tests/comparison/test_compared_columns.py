"""Which columns of rows are compared with records, and where a record has their value."""

from tests.comparison.describing import columns


def test_columns_are_compared_by_the_path_of_their_field_in_a_query() -> None:
    found = columns(["ext__c", "name", "Region__r.Code__c", "OwnerId"])
    assert found.key is not None and (found.key[0].name, found.key[1].name) == ("ext__c", "Ext__c")
    assert [(column.name, column.path) for column in found.compared] == [
        ("name", "Name"),
        ("Region__r.Code__c", "Region__r.Code__c"),
        ("OwnerId", "OwnerId"),
    ]
    [parent] = found.parents
    assert [(key.sobject, key.name) for key in parent.keys.values()] == [("Region__c", "Code__c")]
    assert parent.by_prefix([" EU", ""]) == {None: ["EU", ""]}
    assert found.other_parents == ("OwnerId",)


def test_a_column_with_ids_of_several_objects_names_parents_of_those_whose_prefix_is_known() -> None:
    found = columns(["Ext__c", "OwnerId"], prefixes={"User": "005", "Region__c": "a00"})
    [owner] = found.parents
    assert {prefix: key.sobject for prefix, key in owner.keys.items()} == {"005": "User"}
    assert found.other_parents == ()
    users, queue = ["005000000000001AAA", "005000000000002"], "00G000000000001"
    assert owner.by_prefix([*users, f" {queue}", "Ann", ""]) == {"005": users, "00G": [queue], None: ["Ann", ""]}


def test_a_field_whose_values_no_query_gives_is_told_as_unseen() -> None:
    assert columns(["Ext__c", "Secret__c", "Name"]).unseen == ("Secret__c",)


def test_the_value_of_a_parents_key_is_found_in_the_parent_of_the_record() -> None:
    [column] = columns(["Ext__c", "Region__r.Code__c"]).compared
    assert column.value_in({"Region__r": {"Code__c": "EU"}}) == "EU"
    assert column.value_in({"Region__r": None}) is None
    assert column.forms.of_cell(" eu ") == column.forms.of_value("EU")


def test_new_rows_have_no_key_and_unique_columns_by_which_they_are_looked_for() -> None:
    found = columns(["Ext__c", "Name", "Phone"], "insert", {2})
    assert found.key is None
    assert [column.name for column, _ in found.unique] == ["Ext__c"]
    assert [column.is_hidden for column in found.compared] == [False, False, True]
