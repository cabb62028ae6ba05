"""Peppol: who can take what, and where; the envelope a document travels in.

identifiers   participants, document types, processes: canonical forms and how they compare
code_lists    the codes they are made of
sml           the name servers: where a participant's entry is published
smp           the entry: what a participant takes, as a publisher has signed it
trust         whose signatures count
fetching      how an address that somebody else has published is fetched without harm
discovery     all of it: can this receiver take this document? yes, no, or not known now
kept          its answers, kept in the store
envelope      the header (SBDH) around a document
"""
