"""An S3 server of the tests' own: SeaweedFS from its package, on loopback, two identities."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

BUCKET: Final = "beatwise"
START_S: Final = 60
SERVERS: Final = ("master", "volume", "filer", "s3")


@dataclass(frozen=True)
class Keys:
    """An identity's access key and secret."""

    access: str
    secret: str


WRITER: Final = Keys("writer", "a-writer-s-secret")
READER: Final = Keys("reader", "a-reader-s-secret")
NOBODY: Final = Keys("writer", "not-the-secret")
_ACTIONS: Final = {WRITER: ["Admin", "Read", "Write", "List", "Tagging"], READER: ["Read", "List"]}


@dataclass
class S3:
    """A server that can be killed and started anew on the same folder and ports."""

    folder: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def endpoint(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.ports['s3.port']}"

    def start(self) -> None:
        """Start it and wait until it answers and has its bucket."""
        ports = [f"-{name}={port}" for name, port in self.ports.items()]
        weed = str(Path(sys.executable).with_name("weed"))
        command = [weed, "-logtostderr", "mini", f"-dir={self.folder / 'data'}", *ports]
        command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}"]
        command += [f"-s3.config={self.folder / 's3.json'}", "-master.telemetry=false"]
        command += ["-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        end = time.monotonic() + START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def put(self, key: str, content: bytes | BinaryIO) -> None:
        """Write an object as the writer."""
        self._client().put_object(Bucket=BUCKET, Key=key, Body=content)

    def put_folder(self, folder: Path, prefix: str) -> None:
        """Write every file of a folder, by its path in there behind `prefix`."""
        for path in (p for p in folder.rglob("*") if p.is_file()):
            self.put(f"{prefix}/{path.relative_to(folder)}", path.read_bytes())

    def etags(self, prefix: str = "") -> dict[str, str]:
        """Return the ETag of every object whose key starts so."""
        pages = (
            self._client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        )
        return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", ())}

    def _answers(self) -> bool:
        try:
            self._client().head_bucket(Bucket=BUCKET)
        except (BotoCoreError, ClientError):
            return False
        return True

    # botocore's own: a client of s3fs leaves its sessions for the garbage collector to complain of.
    def _client(self) -> Any:
        return botocore.session.Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id=WRITER.access,
            aws_secret_access_key=WRITER.secret,
        )

    def environ(self, keys: Keys | None) -> dict[str, str]:
        """Return an environment with these keys and no other settings of AWS or Beatwise."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "BEATWISE_"))}
        kept |= {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
        # Neither a developer's own profile nor the metadata service of a cloud's machine.
        kept |= {"HOME": str(self.folder), "AWS_EC2_METADATA_DISABLED": "true"}
        if keys is not None:
            kept |= {"AWS_ACCESS_KEY_ID": keys.access, "AWS_SECRET_ACCESS_KEY": keys.secret}
        return kept


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """Run a server that keeps all it has in `folder`, with an empty bucket."""
    identities = [
        {
            "name": keys.access,
            "credentials": [{"accessKey": keys.access, "secretKey": keys.secret}],
            "actions": actions,
        }
        for keys, actions in _ACTIONS.items()
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    server = S3(
        folder, _free_ports([f"{name}.port{end}" for name in SERVERS for end in ("", ".grpc")])
    )
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _free_ports(names: list[str]) -> dict[str, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {n: s.getsockname()[1] for n, s in zip(names, sockets, strict=True)}
