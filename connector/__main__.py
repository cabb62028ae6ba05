"""`python -m connector`: the command line."""

from connector.cli import main

main()
