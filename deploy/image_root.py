"""`python3 image_root.py ROOT FOLDER...`: copy into ROOT what runs Python from FOLDER, and no more.

What is taken from the file system of the build: each FOLDER without what no request reaches, this
interpreter and its standard library, every shared library that one of these links to, certificates,
and the list of packages by which scanners know the versions. No shell, no package manager. Run at
the build of the image, by the standard library alone.
"""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

UNUSED: Final = (
    # Tests, type stubs, headers.
    *"tests *.pyi *.pxd *.h *.a *.lib".split(),
    # What installs packages, and programs of the standard library.
    *"pip pip-* pip3* [Aa]ctivate* setuptools setuptools-* pkg_resources".split(),
    *"distutils-*.pth _distutils_hack local/lib/python3.11/site-packages dist-packages".split(),
    *"ensurepip venv lib2to3 config-3.11* python3.11/distutils python3.11/test".split(),
    *"idlelib tkinter turtledemo pydoc_data".split(),
    # onnxruntime's library for C programs, and what makes models.
    *"libonnxruntime.so* onnxruntime/transformers onnxruntime/quantization".split(),
    *"onnxruntime/tools onnxruntime/datasets".split(),
    # What neither `scipy.signal` nor `scipy.ndimage` imports.
    *"scipy/cluster scipy/fftpack scipy/io scipy/odr scipy/stats/_unuran".split(),
)
"""What is left out of a FOLDER and of the standard library: names, or ends of paths."""
KEPT: Final = {
    "botocore/data": ("*.json", "s3", "sts", "sso", "sso-oidc"),
    "venv/bin": ("python*", "beatwise"),
    "venv": ("bin", "lib", "lib64", "pyvenv.cfg"),
}
"""Of folders that end so, what stays of their own entries: of 400 services of AWS, those for S3."""
SYSTEM: Final = (
    *("etc/ssl/certs", "etc/ssl/openssl.cnf", "etc/nsswitch.conf", "etc/os-release"),
    *("usr/lib/os-release", "usr/lib/ssl/cert.pem", "usr/lib/ssl/certs"),
    *("usr/lib/ssl/openssl.cnf", "usr/share/ca-certificates"),
)
DPKG: Final = Path("/var/lib/dpkg")


def main(root: Path, folders: list[Path]) -> None:
    """Fill `root`, which must not be there."""
    root.mkdir(parents=True)
    for link in ("bin", "lib", "lib64"):
        (root / "usr" / link).mkdir(parents=True)
        (root / link).symlink_to(f"usr/{link}")
    stdlib = Path(sysconfig.get_path("stdlib"))
    for folder in (stdlib, *folders):
        shutil.copytree(folder, root / folder.relative_to("/"), symlinks=True, ignore=_unused)
    for folder in folders:
        for interpreter in (folder / "bin").glob("python*"):
            _copy(root, interpreter)
    for path in SYSTEM:
        _copy(root, Path("/", path))
    for library in sorted({*_libraries(root)}):
        _copy(root, library)
    _list_packages(root)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)


def _unused(folder: str, names: list[str]) -> set[str]:
    paths = [Path(folder, name) for name in names]
    for ending, kept in KEPT.items():
        if folder.endswith(ending):
            return {p.name for p in paths if not any(p.match(pattern) for pattern in kept)}
    return {p.name for p in paths if any(p.match(pattern) for pattern in UNUSED)}


def _copy(root: Path, path: Path) -> None:
    """Copy a file, a folder or each link of a chain with what it ends at, once."""
    target = root / path.parent.resolve().relative_to("/") / path.name
    if target.is_symlink() or target.exists() or not (path.is_symlink() or path.exists()):
        if not path.is_symlink():
            return
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, target, symlinks=True)
        else:
            shutil.copy2(path, target, follow_symlinks=False)
    if path.is_symlink():
        _copy(root, path.parent / path.readlink())


def _libraries(root: Path) -> Iterator[Path]:
    """Give what the binaries in `root` link to, as the build's own loader finds it."""
    copied = [p for p in root.rglob("*") if p.is_file() and not p.is_symlink()]
    names = {p.name for p in copied}
    for path in (p for p in copied if p.open("rb").read(4) == b"\x7fELF"):
        original = Path("/") / path.relative_to(root)
        listed = subprocess.run(["ldd", original], capture_output=True, text=True, check=False)
        # A wheel's own libraries find each other by what loaded them.
        missing = {line.split()[0] for line in listed.stdout.splitlines() if "not found" in line}
        if missing - names:
            sys.exit(f"{original} links to {missing - names}, which the build does not have")
        for word in listed.stdout.split():
            if word.startswith("/") and not (root / word[1:]).exists():
                yield Path(word)


def _list_packages(root: Path) -> None:
    """Leave the list of Debian's packages of which something was copied, and their licences."""
    kept = []
    for entry in (DPKG / "status").read_text().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line)
        package = fields.get("Package", "")
        lists = [*DPKG.glob(f"info/{package}.list"), *DPKG.glob(f"info/{package}:*.list")]
        names = {name for one in lists for name in one.read_text().splitlines()}
        if any((root / name[1:]).is_file() for name in names if "/share/doc/" not in name):
            kept.append(entry)
            _copy(root, Path("/usr/share/doc", package, "copyright"))
    listed = root / DPKG.relative_to("/") / "status"
    listed.parent.mkdir(parents=True)
    listed.write_text("\n\n".join(kept))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
