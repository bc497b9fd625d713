"""examples/kubernetes: valid by Kubernetes' own schemas, and with no more rights than they need."""

from __future__ import annotations

import copy
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "kubernetes"
DOCUMENTS = [
    pytest.param(document, id=f"{path.name}-{document['kind']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
]
WORKLOADS = [each for each in DOCUMENTS if each.values[0]["kind"] != "Service"]
OLDEST = "1.29"  # containers that start before the others and end after them
VERSIONS = (OLDEST, "1.33", kubernetes_validate.latest_version())


def containers(workload):
    spec = workload["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_schema(document, version):
    """Strictly: no field that Kubernetes does not know."""
    kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_wrong_field_is_found(document):
    wrong = copy.deepcopy(document)
    wrong["spec"]["selectors"] = wrong["spec"].pop("selector")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_rights(workload):
    """No root but for the one step that says why, nothing but volumes to write to, no token of the cluster."""
    spec = workload["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for each in containers(workload):
        context = each["securityContext"]
        assert context["readOnlyRootFilesystem"] and context["allowPrivilegeEscalation"] is False
        assert context["capabilities"]["drop"] == ["ALL"]
        if context.get("runAsUser") == 0:
            assert each["command"] == ["chown", "1000:1000", "/models"]
            assert context["capabilities"]["add"] == ["CHOWN"]
        else:
            assert "add" not in context["capabilities"] and "runAsNonRoot" not in context


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_belongs_together(workload):
    """Volumes are declared, labels match, programs that stay are limited and can be asked, with time to end."""
    spec, template = workload["spec"], workload["spec"]["template"]
    assert spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    claims = [each["metadata"]["name"] for each in spec.get("volumeClaimTemplates", [])]
    declared = {*claims, *(volume["name"] for volume in template["spec"]["volumes"])}
    for each in containers(workload):
        assert {mount["name"] for mount in each["volumeMounts"]} <= declared
        if each in template["spec"]["containers"] or each.get("restartPolicy") == "Always":
            assert each["resources"]["requests"] and each["resources"]["limits"]["memory"]
            assert each.get("startupProbe") or each.get("readinessProbe")
    assert template["spec"]["terminationGracePeriodSeconds"] >= 30
    if template["spec"].get("hostNetwork"):
        for port in (port for each in containers(workload) for port in each.get("ports", [])):
            assert port["hostPort"] == port["containerPort"]


def test_agent_and_worker_share_a_store():
    """The same folder of the node, the same user, the same settings, and the node's network for both."""
    agent, worker = (
        next(each.values[0] for each in WORKLOADS if each.values[0]["metadata"]["name"] == name)["spec"]["template"][
            "spec"
        ]
        for name in ("fleet-agent", "worker")
    )
    for key in ("hostNetwork", "securityContext"):
        assert agent[key] == worker[key]
    folders = [
        next(each["hostPath"] for each in spec["volumes"] if each["name"] == "models") for spec in (agent, worker)
    ]
    assert folders[0] == folders[1]
    settings = [
        {each["name"]: each.get("value") for each in spec["containers"][0]["env"] if each["name"] != "HOST_IP"}
        for spec in (agent, worker)
    ]
    assert settings[0].items() <= settings[1].items() and settings[1]["IPFS_ACCELERATE"] == "1"
