"""The hot folder: access points that take and hand over files, in a folder of this machine or of an SFTP server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from adapters.access_points.folder.formalities import FORMALITIES
from adapters.access_points.folder.tree import inside
from connector.errors import Misconfigured
from connector.ports import AccessPoint, ConnectionConfig, Formality, StandIn

if TYPE_CHECKING:
    from connector.http import Http


def _below(path: str) -> str:
    if not inside(path) or path.startswith("/"):
        raise PydanticCustomError("path-unfit", "give a path below `path`, without `..`, with / between its names")
    return path


def _pattern(path: str) -> str:
    if "{instance}" not in path:
        raise PydanticCustomError(
            "pattern-for-all", "give a path with {instance} in it; without, one file would speak for all documents"
        )
    return _below(path)


def _marker(name: str) -> str:
    rest = name.replace("{name}", "", 1)
    if rest == name or not rest or set("/{}") & set(rest) or not inside(f"n{rest}"):
        raise PydanticCustomError("marker-unfit", "give the name of a file with {name} in it, such as {name}.ok")
    return name


def _host_key(key: str) -> str:
    import asyncssh

    try:
        asyncssh.import_public_key(key)
    except (asyncssh.KeyImportError, ValueError):
        raise PydanticCustomError(
            "host-key-unreadable", "give a public key as it stands in a .pub file: ssh-ed25519 AAAA…"
        ) from None
    return key


Below = Annotated[str, AfterValidator(_below)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Marker = Annotated[str, AfterValidator(_marker)]
HostKey = Annotated[str, AfterValidator(_host_key)]


class Settings(BaseModel):
    """Settings of an access point that works by files."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    path: str = ""
    """The folder that all others lie in: a whole path on this machine or, with `host`, on the server (empty: where the
    user begins there)."""
    host: str = ""
    """Name or address of an SFTP server; empty: the folder is on this machine."""
    port: int = Field(default=22, ge=1, le=65535)
    user: str = ""
    """The user on the server."""
    host_keys: tuple[HostKey, ...] = ()
    """Public keys that the server may show, as in a .pub file (`ssh-ed25519 AAAA…`). Any other is refused."""

    outbound: Below | None = "outbound"
    """The folder that the access point picks up from; left empty (null): nothing is sent here."""
    temporary: Below | None = None
    """The folder that files are written in before they are renamed into `outbound`, on the same disk; left out: in
    `outbound` itself, with a name that begins with a full stop and ends with .tmp."""
    sends: Literal["envelope", "document"] = "envelope"
    """What is laid down: the document in its envelope (SBDH), or the document alone, for an access point that makes the
    envelope itself."""
    accepted: tuple[Pattern, ...] = ()
    """Files that say that the access point has taken a document: paths below `path` with {instance} for the name
    without .xml, and * for what is not known."""
    sent: tuple[Pattern, ...] = ("receipts/{instance}.receipt.dat", "receipts/{instance}.ack")
    """Files that say that the receiver's access point has it."""
    failed: tuple[Pattern, ...] = ("receipts/{instance}.nack",)
    """Files that say that it was given up; what stands in them is the reason."""
    largest_mb: int | None = Field(default=None, ge=1, le=1000)
    """Largest file that the access point takes, in MB; left out: it has no limit."""

    inbound: Below | None = "inbound"
    """The folder that documents come into; left empty (null): none come here."""
    layout: Literal["oxalis", "phoss", "plain"] = "plain"
    """How they lie there. `oxalis`: `<receiver>/<sender>/<id>.doc.xml` with `<id>.receipt.dat`; `phoss`: `<id>.xml`
    with `<id>.json`, or a folder each with `sbd.xml` and `metadata.json`; `plain`: `<name>.xml`."""
    marker: Marker | None = None
    """With `plain`: the file that says that a document is whole, such as {name}.ok ({name}: without .xml). Left out:
    one that has not changed for `quiet` seconds is."""
    quiet: float = Field(default=10.0, ge=0, le=3600)
    """Seconds, see `marker`."""
    archive: Below | None = "archive"
    """The folder that documents are moved to when they are stored here, on the same disk as `inbound` and not in it;
    left empty (null): they are deleted."""
    inbound_mb: int = Field(default=100, ge=1, le=1000)
    """Largest incoming document that is read, in MB."""
    page_files: int = Field(default=25, ge=1, le=1000)
    """How many documents are read at a time."""
    page_mb: int = Field(default=32, ge=1, le=1000)
    """How many MB are read at a time; a larger document is read alone."""

    inbox_minutes: float = Field(default=1.0, ge=0.005, le=1440)
    """Minutes between two looks into `inbound`."""
    follow_after: float = Field(default=60.0, ge=0, le=86400)
    """Seconds after sending from which on it is worth looking for receipts."""
    timeout: float = Field(default=45.0, ge=1, le=300)
    """Seconds that one step of sending may take; a worker's lease must be longer."""
    settle: float = Field(default=60.0, ge=0, le=3600)
    """Seconds after which it is believed that a rename whose answer was lost was not made."""
    temporary_hours: float = Field(default=24.0, ge=0, le=8760)
    """How long the access point leaves temporary files alone. When an answer was lost and the file is gone, it was
    taken; after so many hours that is a question for a person."""

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.host and not (self.user and self.host_keys):
            raise PydanticCustomError("sftp-incomplete", "with `host`, give `user` and `host_keys` too")
        if not self.host and not self.path.startswith("/"):
            raise PydanticCustomError("path-missing", "give `path` as a whole path (/srv/peppol), or `host` for SFTP")
        if not self.host and (self.user or self.host_keys):
            raise PydanticCustomError("host-missing", "`user` and `host_keys` are for SFTP: give `host` too")
        if self.marker is not None and self.layout != "plain":
            raise PydanticCustomError("marker-unused", "`marker` is for the layout `plain`")
        taken = [one for one in (self.outbound, self.temporary) if one is not None]
        if self.inbound is not None and any(_within(one, self.inbound) for one in (*taken, self.archive or "")):
            raise PydanticCustomError(
                "folders-overlap", "`inbound` must hold none of the other folders: what lies in it is read as incoming"
            )
        if any(_within(one, self.outbound) for one in (self.inbound or "", self.archive or "")):
            raise PydanticCustomError(
                "folders-overlap", "`outbound` must hold none of the other folders: what lies in it is sent"
            )
        return self


def _within(path: str, folder: str | None) -> bool:
    return folder is not None and f"{path}/".startswith(f"{folder}/")


class Secrets(BaseModel):
    """What opens an SFTP server; a folder of this machine needs none."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    password: SecretStr | None = None
    private_key: SecretStr | None = None
    """The whole text of a private key file (OpenSSH or PEM) that has no passphrase: it is kept encrypted here."""


class FolderPlugin:
    """What the entry point names."""

    name = "folder"
    title = "Folder or SFTP"
    settings: type[BaseModel] = Settings
    secrets: type[BaseModel] = Secrets
    hook_secret: str | None = None
    formalities: Sequence[Formality] = FORMALITIES

    def open(self, connection: ConnectionConfig, http: Http) -> AccessPoint:
        """An open connection; makes no call yet. HTTP is not spoken.

        Raises:
            Misconfigured: `secret-missing`: an SFTP server, and neither password nor private key.
        """
        from adapters.access_points.folder.adapter import Folder

        settings, secrets = connection.settings, connection.secrets
        assert isinstance(settings, Settings)
        assert isinstance(secrets, Secrets)
        if settings.host and secrets.password is None and secrets.private_key is None:
            raise Misconfigured(
                f"{settings.host} needs a password or a private key.",
                code="secret-missing",
                do="Give `password` or `private_key` among the secrets of the access point.",
            )
        return Folder(settings, secrets)

    def serve_sandbox(self, port: int, latency: float, ready: Callable[[StandIn], None]) -> None:
        """Serve the sandbox until interrupted: an SFTP server, and an access point at work behind it."""
        from adapters.access_points.folder.sandbox import Sandbox, serve

        def told(box: Sandbox) -> None:
            waits = {"quiet": 0.2, "inbox_minutes": 0.01, "follow_after": 0, "timeout": 8, "settle": 1}
            ready(StandIn({**box.settings, **waits}, box.secrets))

        serve(port=port, latency=latency, ready=told)


plugin = FolderPlugin()
