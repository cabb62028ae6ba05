"""Peppol: who can take what, and where; how a document gets there; what comes back, and what comes in.

Who can take what:
identifiers   participants, document types, processes: canonical forms and how they compare
code_lists    the codes they are made of
sml           the name servers: where a participant's entry is published
smp           the entry: what a participant takes, as a publisher has signed it
trust         whose signatures count
fetching      how an address that somebody else has published is fetched without harm
discovery     all of it: can this receiver take this document? yes, no, or not known now
kept          its answers, kept in the store
looking_up    asking for one, in a lane of its own

There and back:
points        what this room knows of the outside: tenants, access points, the rooms beside it
envelope      the header (SBDH) around a document
sending       from the intention to an access point that has it
fail_over     to the next access point, with proof only
following     looking what has become of it
statuses      what access points say of it, told once and in order
correcting    sending again what has not arrived
receiving     what is handed over or lies in an inbox
answers       what others answer to our documents
responding    what we answer to theirs
responses     both as documents and in words; no I/O
handlers      what the lanes are given of all this
"""
