"""The manifests fit each other and the service; `make check` holds them to Kubernetes' schemas."""

import math
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app import __version__
from app.__main__ import GRACE_S
from app.main import create_app
from app.settings import Settings, known_keys
from tests.conftest import ROOT, inside

FOLDER: Final = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION: Final = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
DEPLOYMENT_TEXT: Final = (FOLDER / "deployment.yaml").read_text()
REST_MB: Final = 260
LONGEST_MB: Final = 2150
"""What 48 h at 360 Hz take beside what the service has at rest and the body; measured over HTTP."""


def manifests() -> dict[str, dict[str, Any]]:
    """Return every manifest by kind; there are no two of one."""
    texts = [(FOLDER / name).read_text() for name in KUSTOMIZATION["resources"]]
    return {found["kind"]: found for text in texts for found in yaml.safe_load_all(text)}


BY_KIND: Final = manifests()
SPEC: Final = {kind: found.get("spec", {}) for kind, found in BY_KIND.items()}
POD: Final = SPEC["Deployment"]["template"]
CONTAINER: Final = POD["spec"]["containers"][0]
ENV: Final = {one["name"]: one["value"] for one in CONTAINER["env"]}
PROBES: Final = ("startupProbe", "readinessProbe", "livenessProbe")


def test_every_file_of_the_folder_is_applied() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"}
    assert sorted(KUSTOMIZATION["resources"]) == sorted(files)


def test_the_image_is_named_once_and_is_of_this_version() -> None:
    (image,) = KUSTOMIZATION["images"]
    assert image["name"] == CONTAINER["image"]
    assert image["newTag"] == __version__


@pytest.mark.parametrize(
    "selector",
    [
        SPEC["Deployment"]["selector"]["matchLabels"],
        SPEC["Service"]["selector"],
        SPEC["PodDisruptionBudget"]["selector"]["matchLabels"],
        SPEC["NetworkPolicy"]["podSelector"]["matchLabels"],
        *(c["labelSelector"]["matchLabels"] for c in POD["spec"]["topologySpreadConstraints"]),
    ],
)
def test_every_selector_finds_the_pods(selector: dict[str, str]) -> None:
    assert selector
    assert selector.items() <= POD["metadata"]["labels"].items()


def test_the_autoscaler_and_the_pods_name_what_is_there() -> None:
    deployment = BY_KIND["Deployment"]
    assert SPEC["HorizontalPodAutoscaler"]["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }
    # A utilisation is of the request: without one the autoscaler stands still.
    assert "cpu" in CONTAINER["resources"]["requests"]
    assert POD["spec"]["serviceAccountName"] == BY_KIND["ServiceAccount"]["metadata"]["name"]


def test_the_port_is_the_same_everywhere() -> None:
    (port,) = CONTAINER["ports"]
    (served,) = SPEC["Service"]["ports"]
    (let_in,) = SPEC["NetworkPolicy"]["ingress"]
    assert served["targetPort"] == port["name"]
    assert [one["port"] for one in let_in["ports"]] == [port["containerPort"]]
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    assert {CONTAINER[probe]["httpGet"]["port"] for probe in PROBES} == {port["name"]}


@pytest.mark.parametrize(
    "path",
    [
        *(CONTAINER[probe]["httpGet"]["path"] for probe in PROBES),
        POD["metadata"]["annotations"]["prometheus.io/path"],
    ],
)
def test_what_the_cluster_asks_is_answered(path: str, made_up_models: Path) -> None:
    with inside(create_app(Settings(made_up_models))) as ask:
        assert ask("GET", path).status_code == 200


def test_the_settings_are_known_to_the_service() -> None:
    assert ENV.keys() <= set(known_keys())


def test_the_cluster_adds_no_settings() -> None:
    # A Service named beatwise would be BEATWISE_SERVICE_HOST in the pods, an unknown setting.
    assert POD["spec"]["enableServiceLinks"] is False


def test_the_memory_limit_is_above_what_is_held_and_worked_on() -> None:
    held = int(ENV["BEATWISE_MAX_HELD_BYTES"])
    assert held >= 2 * Settings.max_record_bytes
    held_mb = math.ceil(held / 1e6)
    total = REST_MB + LONGEST_MB + 2 * held_mb
    assert f"{REST_MB} + {LONGEST_MB:,} + 2 x {held_mb} = {total:,} MB" in DEPLOYMENT_TEXT
    limit = CONTAINER["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("Mi")) * 2**20 >= 1.2 * total * 1e6


def test_the_pod_is_killed_only_after_the_service_gave_up() -> None:
    wait = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["spec"]["terminationGracePeriodSeconds"] > wait + GRACE_S
