"""The desk of an access point's stand-in: what happens in the network and at the other end, said the same way in all.

    GET  /_desk/transmissions   what was sent: id, instance, number, sender, receiver, state, reason, attempts, arrived
    GET  /_desk/arrived         how often each document has arrived at its receiver, by its number: {"1001": 1}
    POST /_desk/plan            {number, receiver, failures, end, reason, code, count}: what becomes of what is sent
                                next (see `network.Plan`); `end` is sent, delivered, refused, failed or rejected
    POST /_desk/become          {number or instance, state, reason, code}: what becomes of what was sent
    POST /_desk/incoming        a document comes for the company: the body is the XML, enveloped or not; the query may
                                say sender, receiver, instance, and times=2 for a network that delivers twice
    POST /_desk/answer          ?number= or ?instance=: the receiver answers, the body is its invoice response
    GET  /_desk/incoming        what has come: id, instance, sender, receiver, root, number, handled

With curl: `curl -H 'Content-Type: application/xml' --data-binary @faktura.xml 'http://…/_desk/incoming?times=2'`.
"""

from __future__ import annotations

from typing import Any

from adapters.access_points.sandbox.network import Incoming, Network, Plan, Transmission
from adapters.loopback import Request


def call(network: Network, request: Request) -> Any:
    """Do what is asked. Raises LookupError, TypeError or ValueError where it makes no sense."""
    said = dict(request.body) if isinstance(request.body, dict) else {}
    query = request.query
    match f"{request.method} {request.path}":
        case "GET /_desk/transmissions":
            return [sent_as_json(one) for one in network.transmissions]
        case "GET /_desk/arrived":
            return dict(network.arrived())
        case "POST /_desk/plan":
            network.plans.append(Plan(**said))
            return {}
        case "POST /_desk/become":
            found = network.find(said.pop("number", None), said.pop("instance", None))
            network.become(found, **said)
            return sent_as_json(found)
        case "POST /_desk/incoming":
            names = {name: query[name] for name in ("sender", "receiver", "instance") if name in query}
            came = network.come(_xml(request), **names, times=int(query.get("times", "1")))
            return [came_as_json(one) for one in came]
        case "POST /_desk/answer":
            found = network.find(query.get("number"), query.get("instance"))
            return [came_as_json(one) for one in network.answer(found, _xml(request))]
        case "GET /_desk/incoming":
            return [came_as_json(one) for one in network.incoming]
    raise LookupError(f"{request.method} {request.path} is nothing that the desk knows")


def sent_as_json(one: Transmission) -> dict[str, Any]:
    """What was sent, as the desk shows it."""
    now = one.now()
    return {
        "id": one.id,
        "instance": one.instance,
        "number": one.number,
        "root": one.papers.root,
        "sender": one.papers.sender,
        "receiver": one.papers.receiver,
        "state": now.state,
        "reason": now.reason,
        "attempts": one.attempts(),
        "arrived": one.arrived() is not None,
    }


def came_as_json(one: Incoming) -> dict[str, Any]:
    """What has come, as the desk shows it."""
    on = one.papers
    return {
        "id": one.id,
        "instance": on.instance,
        "number": on.number,
        "root": on.root,
        "sender": on.sender,
        "receiver": on.receiver,
        "handled": one.handled,
    }


def _xml(request: Request) -> bytes:
    if not isinstance(request.body, bytes):
        raise TypeError("the body must be the document, with Content-Type: application/xml")
    return request.body
