"""What has to be arranged before an access point that works by files can be used."""

from __future__ import annotations

from collections.abc import Sequence

from connector.ports import Formality

FORMALITIES: Sequence[Formality] = (
    Formality(
        "agreement",
        "An access point sends and receives for the company",
        "the company, with the access point",
        "Have the company registered as a receiver in Peppol by this access point, and agree which folders it picks up"
        " from and lays down in, which files it leaves as receipts, and what its ACK means: taken, or received by the"
        " other side.",
        "days to weeks",
    ),
    Formality(
        "names",
        "The access point picks up finished files only",
        "the access point",
        "It must leave alone what begins with a full stop or ends with .tmp, for at least as long as"
        " `temporary_hours` says, and must not send a file twice that it has picked up once.",
        "an hour",
    ),
    Formality(
        "server-key",
        "The server's public key is known, where the folder is reached by SFTP",
        "the access point",
        "Have the server's public key told by another way than the connection itself, and put it into `host_keys`.",
        "an hour",
        proved=True,
    ),
    Formality(
        "rights",
        "This service may work in the folders",
        "the access point, or who runs this machine",
        "Give the user the right to list, read, write, rename and remove in the folders of the settings.",
        "an hour",
        proved=True,
    ),
)
"""In the order they are done."""
