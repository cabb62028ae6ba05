"""Encryption at rest: AES-256-GCM, several keys, the newest writes.

A ciphertext is `0x01 | key id (4) | nonce (12) | ciphertext and tag`. The place it stands at (`table.column`) and its
row's id are authenticated with it, so that a ciphertext moved elsewhere does not open. A key's id is the beginning of
its SHA-256; nobody has to number keys.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connector.errors import Misconfigured

_VERSION = b"\x01"
_HEAD = 5
_NONCE = 12
KEY_BYTES = 32


class Vault:
    """Seals and unseals bytes with the keys given, newest first.

    Raises:
        Misconfigured: no key, or one that has not 32 bytes.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise Misconfigured("There is no key for the store.", code="key-missing", do=_DO)
        for key in keys:
            if len(key) != KEY_BYTES:
                raise Misconfigured(f"A store key has {len(key)} bytes, not {KEY_BYTES}.", code="key-malformed", do=_DO)
        self._ciphers = {hashlib.sha256(key).digest()[:4]: AESGCM(key) for key in keys}
        self.newest = hashlib.sha256(keys[0]).digest()[:4]
        self._cipher = self._ciphers[self.newest]
        self._head = _VERSION + self.newest

    def seal(self, place: str, id: str, plain: bytes) -> bytes:
        """`plain` encrypted with the newest key, bound to `place` (`table.column`) and the row's `id`."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._cipher.encrypt(nonce, plain, f"{place}:{id}".encode())

    def unseal(self, place: str, id: str, sealed: bytes) -> bytes:
        """What `seal` was given.

        Raises:
            Misconfigured: `key-unknown` (sealed with a key that is not here), `sealed-damaged` (changed, or from
                another place or row).
        """
        cipher = self._ciphers.get(sealed[1:_HEAD])
        if sealed[:1] != _VERSION or cipher is None:
            raise Misconfigured(
                f"{place} of {id} was sealed with key {sealed[1:_HEAD].hex()}, which is not among the store's keys.",
                code="key-unknown",
                do="Give CONNECTOR_KEYS all keys that are in use, the newest first.",
                where={"place": place, "id": id},
            )
        try:
            return cipher.decrypt(sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :], f"{place}:{id}".encode())
        except InvalidTag:
            raise Misconfigured(
                f"{place} of {id} is not what was stored there.",
                code="sealed-damaged",
                do="Restore the row from a backup; somebody or something has changed the database behind the store.",
                where={"place": place, "id": id},
            ) from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether rotation can leave it as it is."""
        return bytes(sealed[1:_HEAD]) == self.newest


_DO = (
    "Set CONNECTOR_KEYS to one or more keys, newest first, separated by commas, or CONNECTOR_KEY_FILE to a file with "
    "one key per line. A key is 32 random bytes in base64: `openssl rand -base64 32`."
)


def parse_key(text: str) -> bytes:
    """A key from its base64 form (standard or URL-safe alphabet).

    Raises:
        Misconfigured: it is none; the message does not repeat it.
    """
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured("A store key is not 32 bytes in base64.", code="key-malformed", do=_DO)
    return key


def load_keys(environment: Mapping[str, str], file: Path | None, *, create: bool) -> list[bytes]:
    """The store's keys, newest first: from CONNECTOR_KEYS (or CONNECTOR_KEY), else from the file.

    The file is CONNECTOR_KEY_FILE if set, else `file`. With `create` a missing file is made, readable by its owner.

    Raises:
        Misconfigured: no key anywhere, a malformed one, or a file that others may read.
    """
    given = environment.get("CONNECTOR_KEYS") or environment.get("CONNECTOR_KEY")
    if given:
        return [parse_key(part) for part in given.split(",") if part.strip()]
    if environment.get("CONNECTOR_KEY_FILE"):
        file = Path(environment["CONNECTOR_KEY_FILE"])
    if file is None:
        raise Misconfigured("There is no key for the store.", code="key-missing", do=_DO)
    where = {"file": str(file)}
    if not file.exists():
        if not create:
            raise Misconfigured(f"The key file {file} is missing.", code="key-missing", do=_DO, where=where)
        _make(file)
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise Misconfigured(
            f"Others can read the key file {file}.",
            code="key-file-open",
            do=f"chmod 600 {file}",
            where=where,
        )
    lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    return [parse_key(line) for line in lines if line.strip() and not line.startswith("#")]


def _make(file: Path) -> None:
    """A new key file, whole or not at all; of two processes that start at once, one makes it."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    with contextlib.suppress(FileExistsError):
        os.link(temporary, file)
    temporary.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
