"""Onboarding, rehearsed: what is arranged before a connection is written to, a time of observing, and the cut-over.

checklist  the steps, each done, open or blocked, with who does what and how long it takes: pure
facts      what the checklist goes by, from the store and the tenant's file
trying     the test call, in the connection's lane
observing  what a night's sync would have done, kept as a report
cutting    the cut-over, and the way back with a list of what was written since
"""
