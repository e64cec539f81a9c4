"""What schemathesis is told about an org: an object, a key and no rule that it has. Else hardly a job would be created."""

import schemathesis


@schemathesis.hook  # type: ignore[untyped-decorator, unused-ignore]
def map_case(context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Name what the org has in each creation that fits the schema."""
    fits = case.meta is not None and case.meta.generation.mode == schemathesis.GenerationMode.POSITIVE
    if fits and case.method == "POST" and isinstance(case.body, dict):
        job = case.body.get("job", case.body)
        job |= {"object": "Contact", "externalIdFieldName": "Id", "assignmentRuleId": None}
    return case
