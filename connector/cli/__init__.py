"""The command line: `connector`. Each group of commands is a module beside this one, loaded when it is asked for."""

from __future__ import annotations

import importlib
import sys

GROUPS = {
    "demo": "demo",
    "serve": "serving",
    "worker": "serving",
    "health": "serving",
    "sync": "syncing",
    "plan": "syncing",
    "documents": "documents",
    "attention": "attention",
    "connections": "connections",
    "onboard": "onboarding",
    "first-sync": "first_sync",
    "mappings": "mappings",
    "preflight": "preflight",
    "ehf": "ehf",
    "peppol": "peppol",
    "keys": "keys",
    "store": "store",
    "sandbox": "sandbox",
}
"""Words of the first place, in the order of the help, and the module that knows them."""


def main() -> None:
    """Run `connector`."""
    import typer

    app = typer.Typer(name="connector", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(_connector)
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    # Start-up is felt: only the module that is asked for is loaded; the help needs them all.
    modules = [GROUPS[asked]] if asked in GROUPS else list(dict.fromkeys(GROUPS.values()))
    for name in modules:
        module = importlib.import_module(f"connector.cli.{name}")
        if hasattr(module, "commands"):
            module.commands(app)
        else:
            app.add_typer(module.app, name=next(word for word, known in GROUPS.items() if known == name))
    app()


def _connector() -> None:
    """Integration middleware for Norwegian invoices: ledgers, EHF and Peppol kept alike on all sides.

    Begin with `connector demo`. Mapping files and tenants are looked for in ./mappings (or CONNECTOR_MAPPINGS), the
    store is CONNECTOR_DATABASE (sqlite:///connector.db in this folder where it is not set).
    """
