"""Rules for the resources that SAM makes of template.yaml: versions, aliases and their deployment.

They hold for each value of the parameter DeploymentPreference: everything that invokes a function
goes through its alias, a parameter that a function is configured with publishes a version, and only
a gradual deployment needs CodeDeploy.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from check_result import print_problems
from check_template import FUNCTION, Template, differences, referred
from config import ALIAS, REGION, TEMPLATE

Json = Any
Resources = dict[str, Json]

PREFERENCE = "DeploymentPreference"
ALL_AT_ONCE = "AllAtOnce"
ROLE = "DeploymentRole"
MAX_ALARMS = 10  # of a deployment group
SHIFTING = ("lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig")
ALARM_ARN = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:"
SECONDS = 60
CANARY = re.compile(r"Canary10Percent(\d+)Minutes")
LINEAR = re.compile(r"Linear10PercentEvery(\d+)Minutes?")
LINEAR_STEPS = 9  # after the first one
# They are about a function, and do not invoke it.
OBSERVERS = {
    *("AWS::Lambda::Alias", "AWS::Lambda::Version"),
    *("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"),
}
# Properties that SAM makes other resources of.
UNVERSIONED = {
    *("Events", "EventInvokeConfig", "DeploymentPreference"),
    *("Description", "VersionDescription"),
}
# One value for the life of a stack; another architecture is another code.
FIXED = {"Stage", "Architecture", "EmulatorHost"}
SUBSTITUTED = re.compile(r"\$\{([\w:]+)(?:\.\w+)*\}")


def translate(text: str, **parameters: str) -> Resources:
    """The resources as CloudFormation gets them, for a deploy with these parameters."""
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        if resource["Type"] == FUNCTION:
            # `sam deploy` replaces the folder by the place in a bucket.
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    given = {name: str(known["Default"]) for name, known in template["Parameters"].items()}
    session = boto3.Session(region_name=REGION)
    translator = Translator({}, Parser(), boto_session=session)
    try:
        return translator.translate(template, given | parameters)["Resources"]
    finally:
        translator.metrics.publish()  # to nobody; it complains otherwise


def references(value: Json) -> Iterator[str]:
    """Everything that a value refers to: parameters, resources and conditions."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": target}:
            yield referred(value) if target else ""
        case {"Fn::Sub": [str(text), variables]}:
            yield from SUBSTITUTED.findall(text)
            yield from references(variables)
        case {"Fn::Sub": str(text)}:
            yield from SUBSTITUTED.findall(text)
        case {"Fn::If": [str(condition), *branches]}:
            yield condition
            yield from references(branches)
        case dict():
            yield from (name for part in value.values() for name in references(part))
        case list():
            yield from (name for part in value for name in references(part))


def of_type(resources: Resources, kind: str) -> dict[str, Json]:
    return {name: known for name, known in resources.items() if known["Type"] == kind}


def functions(resources: Resources) -> set[str]:
    return {*of_type(resources, "AWS::Lambda::Function")}


def check_callers(resources: Resources) -> Iterator[str]:
    """No event source, schedule or permission names a function without its alias."""
    known = functions(resources)
    for name, resource in resources.items():
        named = known & {*references(resource)} - {name}
        match resource:
            case {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {"Qualifier": qualifier}}:
                named = set() if qualifier == ALIAS else named
            case {"Type": "AWS::IAM::Role"}:
                named = set()  # check_schedule_roles and check_role look at its statements
            case {"Type": kind} if kind in OBSERVERS:
                named = set()
        yield from (f"{name}: names {function} without its alias" for function in sorted(named))
    for function in sorted(known):
        alias = resources.get(f"{function}Alias{ALIAS}", {}).get("Properties", {})
        if alias.get("Name") != ALIAS or [*references(alias.get("FunctionName"))] != [function]:
            yield f"{function}: has no alias {ALIAS}"


def check_versions(resources: Resources) -> Iterator[str]:
    """Old versions are deleted: they would pile up, and Lambda refuses to publish one again."""
    for name, version in of_type(resources, "AWS::Lambda::Version").items():
        if version.get("DeletionPolicy") != "Delete":
            yield f"{name}: stays after its release"


def check_circles(resources: Resources) -> Iterator[str]:
    """CloudFormation refuses resources that refer to each other in a circle."""
    graph = {
        name: {
            *references({key: part for key, part in resource.items() if key != "Condition"}),
            *resource.get("DependsOn", []),
        }
        for name, resource in resources.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"resources: in a circle: {' -> '.join(error.args[1])}"


def check_deployments(preference: str, resources: Resources) -> Iterator[str]:
    """AllAtOnce needs nothing of CodeDeploy; else each alias shifts as the parameter says."""
    aliases = of_type(resources, "AWS::Lambda::Alias")
    if preference == ALL_AT_ONCE:
        made = [name for name, known in resources.items() if "::CodeDeploy::" in known["Type"]]
        updated = [name for name, alias in aliases.items() if "UpdatePolicy" in alias]
        yield from (f"{name}: needs CodeDeploy in {preference}" for name in made + updated)
        return
    for name, alias in aliases.items():
        policy = alias.get("UpdatePolicy", {}).get("CodeDeployLambdaAliasUpdate")
        group = resources.get(referred(policy["DeploymentGroupName"])) if policy else None
        if not group:
            yield f"{name}: takes over at once in {preference}"
            continue
        properties = group["Properties"]
        config = properties["DeploymentConfigName"]["Fn::Sub"]
        if config != ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": preference}]:
            yield f"{name}: does not shift as {preference}"
        if group.get("Condition") != alias.get("Condition"):
            yield f"{name}: its deployment group has another condition"
        if referred(properties["ServiceRoleArn"]) != ROLE:
            yield f"{name}: CodeDeploy shifts it with another role"
        yield from check_alarms(preference, name, properties, resources)


def check_alarms(preference: str, name: str, group: Json, resources: Resources) -> Iterator[str]:
    """An unknown alarm ends every deployment; one with a longer period begins after its end."""
    known = {
        alarm["Properties"]["AlarmName"]["Fn::Sub"]: alarm["Properties"]
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
    }
    named = [alarm["Name"]["Fn::Sub"] for alarm in group["AlarmConfiguration"]["Alarms"]]
    if not 0 < len(named) <= MAX_ALARMS:
        yield f"{name}: {len(named)} alarms, from 1 to {MAX_ALARMS} can be"
    for alarm in named:
        if alarm not in known:
            yield f"{name}: there is no alarm {alarm}"
        elif known[alarm]["Period"] * known[alarm]["EvaluationPeriods"] >= duration(preference):
            yield f"{name}: {preference} ends before {alarm} begins"


def duration(preference: str) -> int:
    """Seconds until a release has all invocations."""
    if canary := CANARY.fullmatch(preference):
        return int(canary[1]) * SECONDS
    linear = LINEAR.fullmatch(preference)
    return int(linear[1]) * LINEAR_STEPS * SECONDS if linear else 0


def check_role(template: Template, resources: Resources) -> Iterator[str]:
    """CodeDeploy may shift the aliases and look at the alarms, and no more."""
    shifted = {
        (action, resource)
        for function in functions(resources)
        for action in SHIFTING
        for resource in (function, f"${{{function}.Arn}}:{ALIAS}")
    }
    watched = {("cloudwatch:DescribeAlarms", ALARM_ARN + "*")}
    yield from differences(ROLE, template.allowed({"Ref": ROLE}), shifted | watched)


def check_parameters(template: Template) -> Iterator[str]:
    """A parameter that a function is configured with publishes a version.

    SAM's hash of a function may have no values of parameters, so the description of the version has
    to change. So has that of the function: CloudFormation fails if Lambda publishes no version, as
    it does not for a function that is like its last version.
    """
    for name, function in template.of_type(FUNCTION):
        described = function.get("Description", template.defaults.get("Description"))
        if described != function.get("VersionDescription"):
            yield f"{name}: its version has another description"
        properties = [*template.defaults.items(), *function.items()]
        values = [value for key, value in properties if key not in UNVERSIONED]
        needed = parameters(template, values) - FIXED
        named = parameters(template, described)
        for parameter in sorted(needed - named):
            yield f"{name}: a change of {parameter} publishes no version"
        for parameter in sorted(named - needed):
            yield f"{name}: a change of {parameter} publishes a version, and changes nothing"


def parameters(template: Template, value: Json) -> set[str]:
    """The parameters that a value depends on."""
    named = {*references(value)}
    conditions = [template.conditions[name] for name in named if name in template.conditions]
    return (named | {*references(conditions)}) & {*template.parameters}


def check_preferences(template: Template) -> Iterator[str]:
    """A new stage deploys at once. Each other value takes a time that is known."""
    preference = template.parameters[PREFERENCE]
    if preference["Default"] != ALL_AT_ONCE:
        yield f"{PREFERENCE}: the default has to be {ALL_AT_ONCE}"
    for value in preference["AllowedValues"]:
        if value != ALL_AT_ONCE and not duration(value):
            yield f"{PREFERENCE}: {value} is no deployment of CodeDeploy"


def problems(text: str, *preferences: str) -> Iterator[str]:
    """Those of a template's text with these preferences, or with all."""
    template = Template(text)
    yield from check_parameters(template)
    yield from check_preferences(template)
    for preference in preferences or template.parameters[PREFERENCE]["AllowedValues"]:
        resources = translate(text, **{PREFERENCE: preference})
        yield from check_callers(resources)
        yield from check_versions(resources)
        yield from check_circles(resources)
        yield from check_deployments(preference, resources)
        yield from check_role(template, resources)


def main() -> int:
    # A problem of several values is one problem.
    return print_problems(dict.fromkeys(problems(TEMPLATE.read_text())), TEMPLATE.name)


if __name__ == "__main__":
    sys.exit(main())
