"""The command line: `connector`. Each group of commands is a module beside this one, loaded when it is asked for."""

from __future__ import annotations


def main() -> None:
    """Run `connector`."""
    import typer

    from connector.cli import ehf

    app = typer.Typer(name="connector", no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(_connector)
    app.add_typer(ehf.app, name="ehf")
    app()


def _connector() -> None:
    """Integration middleware for Norwegian invoices: ledgers, EHF and Peppol kept alike on all sides."""
