"""What lies in deploy/prometheus and deploy/grafana, beside the service that they watch."""

import json
import math
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.asking import COMPAT, request
from tests.conftest import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "beatwise.json").read_text())
RULES: dict[str, Any] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
ALERTS: list[dict[str, Any]] = RULES["groups"][0]["rules"]
NAME = re.compile(r"\b(?:beatwise|process)_\w+")


def expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def drive(address: str) -> None:
    """Ask once of everything that the dashboard shows."""
    recording = (ROOT / "web" / "example" / "mitdb-208.zip").read_bytes()
    marks = {"fs": 250, "sample": [70, 270], "aami_class": ["N", "V"]}
    with httpx.Client(base_url=address, timeout=60) as client:
        client.post("/v1/records", files={"files": ("a.zip", recording)}).raise_for_status()
        client.post("/v1/beats", json=request()).raise_for_status()
        client.post("/predict", json=[{"signal": COMPAT}]).raise_for_status()
        client.post("/v1/annotations", json=marks).raise_for_status()
        client.get("/v1/models").raise_for_status()
        client.get("/nowhere")


def test_dashboard_and_alerts_name_metrics_that_are_there(service_url: str) -> None:
    drive(service_url)
    told = httpx.get(f"{service_url}/metrics").text
    there = {s.name for f in text_string_to_metric_families(told) for s in f.samples}
    wanted = {
        name
        for text in (*expressions(), *(a["expr"] for a in ALERTS))
        for name in NAME.findall(text)
    }
    assert len(wanted) > 8
    assert wanted <= there


def test_every_panel_says_what_it_shows_and_in_which_unit() -> None:
    known = yaml.safe_load(
        (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text()
    )
    (source,) = known["datasources"]
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        assert len(panel["description"]) > 20
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len(set(titles)) == len(titles)


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_what_it_means() -> None:
    documents = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    for alert in ALERTS:
        assert f"| `{alert['alert']}` |" in documents
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert alert["annotations"].keys() == {"summary", "description"}


# With Prometheus itself


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on PATH; Debian's package `prometheus` has it")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "deploy/prometheus/prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "deploy/prometheus/alerts.yml"),
        ("test", "rules", "tests/alerts.yml"),
    ],
    ids=" ".join,
)
def test_promtool_is_content(command: tuple[str, ...]) -> None:
    ran = subprocess.run([program("promtool"), *command], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_every_panel_has_data_in_prometheus(service_url: str, tmp_path: Path) -> None:
    with scraping(service_url, tmp_path) as prometheus:
        for _ in range(8):
            drive(service_url)
            time.sleep(1)
        for expression in expressions():
            assert ask(prometheus, expression), expression
        assert ask(prometheus, 'up{job="beatwise"}') == [1.0]
        alerts = httpx.get(f"{prometheus}/api/v1/rules").json()["data"]["groups"][0]["rules"]
        assert [rule["name"] for rule in alerts] == [alert["alert"] for alert in ALERTS]
        assert {rule["health"] for rule in alerts} == {"ok"}
        assert {rule["state"] for rule in alerts} == {"inactive"}


def ask(prometheus: str, expression: str) -> list[float]:
    shown = expression.replace("$instance", ".*").replace("$__rate_interval", "10s")
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": shown}).json()
    assert answer["status"] == "success", answer
    values = [float(found["value"][1]) for found in answer["data"]["result"]]
    return [value for value in values if not math.isnan(value)]


@contextmanager
def scraping(service: str, folder: Path) -> Iterator[str]:
    """Run Prometheus with our configuration, once a second, on the service at that address."""
    known = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    known["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    known["scrape_configs"][0]["static_configs"] = [{"targets": [urlsplit(service).netloc]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(known))
    shutil.copy(PROMETHEUS / "alerts.yml", folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={where}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            client = httpx.HTTPTransport(retries=6)
            with httpx.Client(transport=client) as once:
                once.get(f"http://{where}/-/ready")
            yield f"http://{where}"
        finally:
            process.terminate()
