"""What runs on GitHub names exact actions and real targets, and a release has its own text."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

WORKFLOWS = {path.name: path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")}
RUN = "\n".join(WORKFLOWS.values())
USES = re.findall(r"uses: +(.+)", RUN)
TARGETS = sorted(set(re.findall(r"\bmake ([\w./-]+)", RUN + (ROOT / ".ci/run").read_text())))


def test_every_action_is_pinned_to_one_commit_with_its_version() -> None:
    pins: dict[str, str] = {}
    for use in USES:
        if use.startswith("./"):
            assert (ROOT / use.split()[0]).is_file()
            continue
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use
        name = use.split("@")[0]
        assert pins.setdefault(name, use) == use, f"{name} is pinned twice"
    assert pins.keys() >= {"actions/checkout", "sigstore/cosign-installer"}


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_that_ci_makes_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def release_notes(folder: Path, tag: str) -> subprocess.CompletedProcess[str]:
    """Run .ci/release-notes in a project at version 1.2.0 with three sections in its changelog."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/release-notes", folder / ".ci")
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.0"\n')
    (folder / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n- c\n\n## 1.2.0\n- b\n  b\n\n### More\n- b\n\n## 1.2\n- a\n"
    )
    command = [str(folder / ".ci/release-notes"), tag]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_release_has_the_text_of_its_version_alone(tmp_path: Path) -> None:
    assert release_notes(tmp_path, "v1.2.0").stdout == "- b\n  b\n\n### More\n- b\n"


@pytest.mark.parametrize("tag", ["v1.3.0", "1.2.0", "v1.2"])
def test_a_tag_that_is_not_the_version_is_refused(tag: str, tmp_path: Path) -> None:
    told = release_notes(tmp_path, tag)
    assert told.returncode == 1
    assert told.stdout == ""
    assert f"the tag is {tag}, and pyproject.toml says version 1.2.0" in told.stderr
