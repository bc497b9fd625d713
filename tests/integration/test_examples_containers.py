"""examples/compose and examples/kubernetes: valid by their schemas, and their commands run as processes."""

from __future__ import annotations

import json
import re
import shlex
import time

import pytest
import yaml

from ipfs_accelerate_py.fleet.invitation import read_invitation
from tests.support.containers import Compose, Container, read_project, seconds_of
from tests.support.documents import ROOT, read_blocks
from tests.support.fleet import next_address
from tests.support.local_hub import LocalHub
from tests.support.missing import need

pytestmark = pytest.mark.timeout(480)
EXAMPLES = ROOT / "examples"
PAGE = ROOT / "docs" / "containers.md"
FILE = EXAMPLES / "compose" / "compose.yaml"
WORKER = """
from transformers import AutoModel
print(sum(each.sum().item() for each in AutoModel.from_pretrained("org/name").parameters()))
"""


@pytest.fixture
def hub(tiny_models, node_class):
    with LocalHub() as running:
        running.add("org/name", tiny_models / "tiny" / "bert")
        yield running


@pytest.fixture
def project():
    need(Compose)
    return read_project(FILE)


class Project:
    """The services of a compose file as processes."""

    def __init__(self, project, folder, hub):
        self.services, self.folder = project["services"], folder
        # a machine is what shares a store: the volume that is mounted at /models
        self.addresses = {self.store_of(name): next_address() for name in sorted(self.services)}
        self.containers = {}
        for name, service in self.services.items():
            mounts = {volume["target"]: folder / "volumes" / volume["source"] for volume in service["volumes"]}
            for path in mounts.values():
                path.mkdir(parents=True, exist_ok=True)
            address = self.addresses[self.store_of(name)]
            environment = service["environment"]
            self.containers[name] = Container(folder / name, environment, mounts, address, self.addresses, hub)
        self.codes, self.started = {}, []

    def store_of(self, name):
        (store,) = (each["source"] for each in self.services[name]["volumes"] if each["target"] == "/models")
        return store

    def up(self, name):
        """Starts a service after those that it depends on, as their conditions say."""
        if name in self.started:
            return
        service, container = self.services[name], self.containers[name]
        conditions = {each: how["condition"] for each, how in service.get("depends_on", {}).items()}
        for other, condition in sorted(conditions.items()):
            self.up(other)
            if condition == "service_completed_successfully":
                assert self.codes[other] == 0
            else:
                assert condition == "service_healthy"
                test = self.services[other]["healthcheck"]["test"]
                assert test[0] == "CMD"
                self.containers[other].wait_until(test[1:])
        self.started.append(name)
        if service["command"] is None:
            return  # the image's: a worker
        if "restart" in service:
            container.start(service["command"])
        else:
            done = container.run(service["command"])
            self.codes[name] = done.returncode
            assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
            assert "ipfs-fleet1" not in done.stdout + done.stderr

    def down(self):
        """Ends all in the reverse order; each within its grace period, with exit code 0."""
        codes = {
            name: self.containers[name].stop(seconds_of(self.services[name]["stop_grace_period"]))
            for name in reversed(self.started)
            if self.containers[name].process is not None
        }
        self.started, self.codes = [], {}
        return codes


def load(container):
    """Run a worker; what it prints, and its errors."""
    done = container.run(["ipfs-accelerate", "run", "-c", WORKER])
    return done.stdout, done.stderr


def ask(container, *words):
    """The document of one of our commands; None where it fails."""
    done = container.run(["ipfs-accelerate", *words, "--json"])
    return json.loads(done.stdout) if done.returncode == 0 else None


def wait(container, what, *words, seconds=120):
    """Waits until what a command says is as it should be."""
    end = time.monotonic() + seconds
    while not ((said := ask(container, *words)) and what(said)):
        assert time.monotonic() < end, f"{words}: {said}\n{container.log.read_text()}"
        time.sleep(0.5)


def publish(container):
    """Waits until the agent has offered what its worker has loaded to the fleet."""
    wait(container, lambda rows: any(row["published"] for row in rows), "ls")


def meet(container, number):
    """Waits until it sees that many other members."""
    wait(container, lambda said: sum(row["there"] for row in said["members"]) == number, "fleet", "status")


def test_compose(project, tmp_path, hub):
    """Up, a load, down, up again with the same volumes; then a load on the third, whose bytes are the first's."""
    fleet = Project(project, tmp_path, hub)
    try:
        for name in sorted(fleet.services):
            fleet.up(name)
        assert fleet.started[0] == "invitation"
        assert (tmp_path / "volumes/invitation/fleet").stat().st_mode & 0o777 == 0o600
        assert fleet.down() == dict.fromkeys(("first", "second", "third"), 0)
        for name in sorted(fleet.services):
            fleet.up(name)
        meet(fleet.containers["first"], 2)
        wanted, said = load(fleet.containers["worker"])
        assert wanted, said
        publish(fleet.containers["first"])
        hub.fault(match="GET /_blob/", reset=True)
        got, said = load(fleet.containers["worker-of-third"])
        assert got == wanted, said
        stored = {path.name for path in (tmp_path / "volumes/third/store").glob("models--*")}
        assert stored == {"models--org--name"}
    finally:
        codes = fleet.down()
    assert set(codes.values()) == {0}
    for container in fleet.containers.values():
        assert not container.written()
        log = container.log.read_text() if container.log.exists() else ""
        assert "Traceback" not in log and "ipfs-fleet1" not in log


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("read_only: true", "read_only: perhaps"), "read_only"),
        (("volumes: [second:/models]", "volumes: [fourth:/models]"), "fourth"),
        (("condition: service_healthy", "condition: service_happy"), "condition"),
    ],
)
def test_a_wrong_compose_file_is_found(project, tmp_path, change, message):
    text = FILE.read_text()
    assert change[0] in text
    (tmp_path / "compose.yaml").write_text(text.replace(*change))
    done = Compose.read(tmp_path / "compose.yaml")
    assert done.returncode == 1 and message in done.stderr


def test_what_compose_grants(project):
    """No service has more rights than it needs; every agent has a health check and time to end."""
    for name, service in project["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["user"] == "1000", name
        assert service["security_opt"] == ["no-new-privileges:true"]
        if service["command"] and service["command"][:3] == ["ipfs-accelerate", "fleet", "run"]:
            assert service["healthcheck"] and seconds_of(service["stop_grace_period"]) >= 30
        assert set(service["environment"]) <= {"IPFS_ACCELERATE", "IPFS_ACCELERATE_HOME", "HF_HOME"}


class Pod:
    """A pod of a template: its containers as processes, in the order in which a kubelet starts them."""

    def __init__(self, template, folder, address, invitation, hub=None):
        self.spec, self.address, self.containers = template["spec"], address, {}
        (folder / "models").mkdir(parents=True, exist_ok=True)
        (folder / "secret").mkdir(exist_ok=True)
        (folder / "secret" / "invitation").write_text(invitation)
        self.folder, self.hub, self.starts = folder, hub, 0

    def start(self):
        self.starts += 1
        for row in [*self.spec.get("initContainers", []), *self.spec["containers"]]:
            mounts = {each["mountPath"]: each["name"] for each in row["volumeMounts"]}
            folders = {"models": self.folder / "models", "invitation": self.folder / "secret"}
            mounts = {path: folders[name] for path, name in mounts.items() if name in folders}
            environment = {}
            for each in row.get("env", []):
                source = each.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
                assert source in (None, "status.podIP", "status.hostIP")
                environment[each["name"]] = self.address if source else each["value"]
            place = self.folder / f"{row['name']}-{self.starts}"
            container = Container(place, environment, mounts, self.address, hub=self.hub)
            self.containers[row["name"]] = container
            command = row.get("command")
            if command is None or command[0] == "chown":
                continue  # the image's own, a worker; and what needs root on the node
            if row not in self.spec["containers"] and row.get("restartPolicy") != "Always":
                done = container.run(command)
                assert done.returncode == 0, done.stderr
            else:
                container.start(command)
                container.wait_until(row["startupProbe"]["exec"]["command"])
                assert container.run(row["livenessProbe"]["exec"]["command"]).returncode == 0

    def stop(self):
        grace = self.spec["terminationGracePeriodSeconds"]
        running = {name: each for name, each in self.containers.items() if each.process is not None}
        return {name: each.stop(grace) for name, each in running.items()}


def make_invitation(folder, words):
    """What an administrator gets who types the command for the invitation, on a machine that is none of the fleet's."""
    environment = {"IPFS_ACCELERATE_HOME": str(folder / "administrator" / "store")}
    machine = Container(folder / "administrator", environment, {}, next_address(), confined=False)
    done = machine.run(words)
    assert done.returncode == 0 and "ipfs-fleet1" not in done.stdout + done.stderr, done.stderr
    path = machine.root / "home" / "invitation"
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text()


def documents(name):
    return [each for each in yaml.safe_load_all((EXAMPLES / "kubernetes" / name).read_text()) if each]


def workloads(name):
    return [each for each in documents(name) if each["kind"] in ("DaemonSet", "Deployment", "StatefulSet")]


def told(name):
    """The command that the head of a manifest says for the invitation."""
    text = (EXAMPLES / "kubernetes" / name).read_text()
    return shlex.split(re.findall(r"#   (ipfs-accelerate fleet init .*)", text)[0])


@pytest.mark.parametrize("name", ["agent.yaml", "sidecar.yaml"])
def test_kubernetes(name, tmp_path, hub):
    """Two pods find each other by the Service; one comes back at another address; its worker loads what the other has.

    In place of the Service's name, which leads to both pods, the invitation has their two addresses.
    """
    (workload,) = workloads(name)
    addresses = [next_address() for _ in range(2)]
    words = told("agent.yaml")
    at = words.index("--address")
    words[at : at + 2] = [word for address in addresses for word in ("--address", address)]
    invitation = make_invitation(tmp_path, words)
    template = workload["spec"]["template"]
    pods = [Pod(template, tmp_path / f"pod-{at}", each, invitation, hub) for at, each in enumerate(addresses)]
    try:
        for pod in pods:
            pod.start()
        agents = [pod.containers["agent"] for pod in pods]
        for agent in agents:
            meet(agent, 1)
        wanted, said = load(agents[0])
        assert wanted, said
        publish(agents[0])
        # its pod is made anew, with the same volume
        assert pods[1].stop() == {"agent": 0}
        pods[1].address = next_address()
        pods[1].start()
        agents[1] = pods[1].containers["agent"]
        for agent in agents:
            meet(agent, 1)
        hub.fault(match="GET /_blob/", reset=True)
        got, said = load(agents[1])
        assert got == wanted, said
    finally:
        codes = [pod.stop() for pod in pods]
    assert codes == [{"agent": 0}] * 2
    for pod in pods:
        for container in pod.containers.values():
            assert not container.written()


def test_the_invitation_of_kubernetes_names_the_services():
    """The name that the heads of the manifests say is that of a headless Service, with the agent's usual port."""
    names = {"agent.yaml": "agents.models.svc.cluster.local", "sidecar.yaml": "workers.models.svc.cluster.local"}
    for name, host in names.items():
        (service,) = (each for each in documents(name) if each["kind"] == "Service")
        place = service["metadata"]
        assert host == f"{place['name']}.{place['namespace']}.svc.cluster.local"
        assert host in (EXAMPLES / "kubernetes" / name).read_text()
        assert service["spec"]["clusterIP"] == "None" and service["spec"]["publishNotReadyAddresses"]
        assert {each["name"]: each["port"] for each in service["spec"]["ports"]}.items() >= {("agent", 4612)}
        (workload,) = workloads(name)
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()


def test_the_containers_page(tmp_path, node_class):
    """docs/containers.md as it stands there: our commands in a container, and the others' files and names."""
    commands = [command for block in read_blocks(PAGE) for command in block.commands]
    ours = [shlex.split(command) for command in commands if command.startswith("ipfs-accelerate ")]
    join, run, init, invite = ours
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "invitation").write_text(make_invitation(tmp_path, init))
    mounts = {"/models": tmp_path / "b", "/run/secrets/fleet": tmp_path / "secret"}
    (tmp_path / "b").mkdir()
    machine = Container(tmp_path / "machine", {"IPFS_ACCELERATE_HOME": "/models"}, mounts, next_address())
    run[run.index("$POD_IP")] = machine.address
    try:
        for _ in range(2):
            done = machine.run(join)
            assert done.returncode == 0, done.stderr
        machine.start(run)
        machine.wait_until(["ipfs-accelerate", "fleet", "status", "--quiet"])
        assert read_invitation(machine.run(invite).stdout).contacts == (
            "http://agents.example.org:4612",
            "http://10.0.0.1:4612",
            "http://agents.models.svc.cluster.local:4612",
        )
    finally:
        assert machine.stop(30) == 0
    others = [command for command in commands if not command.startswith("ipfs-accelerate ")]
    assert {command.split()[0] for command in others} == {"docker", "kubectl"}
    for word in " ".join(others).split():
        if word.startswith("examples/"):
            assert (ROOT / word).is_file()
    assert "create namespace models" in " ".join(others) and "secret generic fleet --from-file=invitation" in " ".join(
        others
    )
