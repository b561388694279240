"""Real servers on this machine for DVC to push to and pull from, and what can happen to what lies there.

Each listens on 127.0.0.1 only and ends with the `with` that started it.
"""

# ruff: noqa: D102 - the base class says what the methods do
import asyncio
import json
import secrets
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import asyncssh
import boto3
from moto.server import ThreadedMotoServer

from tests.checkouts import Checkout

BUCKET = "models"
USER = "bot"
READY_S = 30
# No machine beyond this one is asked, and nothing twice: between tries a client waits.
ALONE = {
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
    "SSH_AUTH_SOCK": "",
}
ANYTHING_IN_S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


@dataclass
class Remote(ABC):
    """A place DVC stores to; `options` are those of `dvc remote modify --local local`, the url first."""

    kind: str
    options: dict[str, str]
    wrong_credentials: dict[str, str] = field(default_factory=dict)  # options that the server does not let in
    environment: dict[str, str] = field(default_factory=lambda: dict(ALONE))  # what a process needs that asks it

    @abstractmethod
    def at(self, port: int) -> dict[str, str]:
        """Return the options that ask another port of this machine."""

    @abstractmethod
    def names(self) -> list[str]:
        """List the objects as the server has them, such as files/md5/ab/cdef."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return an object's bytes."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Put bytes in the place of an object's, behind DVC's back."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove an object."""

    @abstractmethod
    def stop(self) -> None:
        """Take the server down; what asks it is refused."""

    def tamper(self, name: str) -> None:
        """Change one byte and no length."""
        content = bytearray(self.read(name))
        content[len(content) // 2] ^= 1
        self.write(name, bytes(content))

    def truncate(self, name: str) -> None:
        """Keep the first half."""
        content = self.read(name)
        self.write(name, content[: len(content) // 2])


def config(options: dict[str, str]) -> str:
    """Return what `dvc remote modify --local local` would write of these options."""
    return "['remote \"local\"']\n" + "".join(f"    {name} = {value}\n" for name, value in options.items())


def point(checkout: Checkout, options: dict[str, str]) -> None:
    """Write that, without the seconds that each call of it takes."""
    (checkout.root / ".dvc" / "config.local").write_text(config(options))


class S3Remote(Remote):
    """A bucket of moto's server."""

    def __init__(self, server: ThreadedMotoServer, folder: Path) -> None:
        self._server, self._is_up = server, True
        self._endpoint = "http://{}:{}".format(*server.get_host_and_port())
        super().__init__("s3", {"url": f"s3://{BUCKET}/dvc", "endpointurl": self._endpoint})
        self.wrong_credentials = {"access_key_id": "AKIASTRANGER00000000", "secret_access_key": "guessed"}
        keys = self._let_in_one_user()
        self.environment |= {name.upper(): value for name, value in keys.items()}
        # Nothing is read from the home of whoever runs the tests; DVC takes /dev/null for a broken file.
        absent = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
        self.environment |= {name: str(folder / file) for name, file in absent.items()}
        self._s3 = self._client("s3", **keys)
        self._s3.create_bucket(Bucket=BUCKET)

    def at(self, port: int) -> dict[str, str]:
        return self.options | {"endpointurl": f"http://127.0.0.1:{port}"}

    def _client(self, service: str, **keys: str) -> Any:
        return boto3.client(service, endpoint_url=self._endpoint, region_name="us-east-1", **keys)

    def _let_in_one_user(self) -> dict[str, str]:
        """Make a user and return the keys; from then on nobody else is let in."""
        iam = self._client("iam", aws_access_key_id="root", aws_secret_access_key="root")  # noqa: S106
        self._ask_for_keys(asked=False)
        name = secrets.token_hex(4)
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="s3", PolicyDocument=json.dumps(ANYTHING_IN_S3))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        self._ask_for_keys(asked=True)
        return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def _ask_for_keys(self, *, asked: bool) -> None:
        self._post("reset-auth", b"0" if asked else b"inf")

    def _post(self, what: str, body: bytes) -> None:
        request = Request(f"{self._endpoint}/moto-api/{what}", body, {"Content-Type": "text/plain"})  # noqa: S310
        with urlopen(request, timeout=READY_S) as answer:  # noqa: S310
            assert answer.status == 200

    def names(self) -> list[str]:
        listed = self._s3.list_objects_v2(Bucket=BUCKET, Prefix="dvc/").get("Contents", [])
        return sorted(found["Key"].removeprefix("dvc/") for found in listed)

    def read(self, name: str) -> bytes:
        return self._s3.get_object(Bucket=BUCKET, Key=f"dvc/{name}")["Body"].read()

    def write(self, name: str, content: bytes) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=f"dvc/{name}", Body=content)

    def delete(self, name: str) -> None:
        self._s3.delete_object(Bucket=BUCKET, Key=f"dvc/{name}")

    def stop(self) -> None:
        if self._is_up:
            # The server's state is that of the process: the next one there begins without users and objects.
            self._ask_for_keys(asked=False)
            self._post("reset", b"")
            self._server.stop()
        self._is_up = False


class SSHRemote(Remote):
    """A folder behind an SFTP server that shows its clients nothing else and lets one key in."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self._ready = threading.Event()
        host, client, stranger = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
        for name, key in (("client", client), ("stranger", stranger)):
            key.write_private_key(keys / name)
        self._host, self._authorized = host, asyncssh.import_authorized_keys(client.export_public_key().decode())
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(folder)), daemon=True)
        self._thread.start()
        assert self._ready.wait(READY_S)
        url = "ssh://127.0.0.1/dvc"
        options = {"url": url, "port": str(self.port), "user": USER, "keyfile": str(keys / "client")}
        super().__init__("ssh", options)
        self.folder = folder / "dvc"
        self.wrong_credentials = {"keyfile": str(keys / "stranger")}

    def at(self, port: int) -> dict[str, str]:
        return self.options | {"port": str(port)}

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink()

    async def _serve(self, folder: Path) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._host],
            authorized_client_keys=self._authorized,
            password_auth=False,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()),
        ) as server:
            self.port = server.get_port()
            self._ready.set()
            await self._stopped.wait()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()


@contextmanager
def silent_port() -> Iterator[int]:
    """Take calls and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def serve_s3(folder: Path) -> Iterator[S3Remote]:
    """Start an S3 server with one bucket; it is stopped at the end. Its clients find no settings in the folder."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    remote = S3Remote(server, folder)
    try:
        yield remote
    finally:
        remote.stop()


@contextmanager
def serve_ssh(folder: Path) -> Iterator[SSHRemote]:
    """Start an SSH server for a folder; it is stopped at the end."""
    served, keys = folder / "served", folder / "keys"
    served.mkdir(parents=True)
    keys.mkdir()
    remote = SSHRemote(served, keys)
    try:
        yield remote
    finally:
        remote.stop()
