"""The first sync of filled systems: both sides are read, matches proposed, and a person decides line by line.

reading   every record of the ledger that is not known here is read, in its lane, and kept apart
matching  which could be the same: pure, and never a choice between two
sides     what stands on either side, as the matching sees it
sheet     the proposal as a file that a person edits: written, and read back with file and line
deciding  what the file says becomes a decision for each record, all or nothing
applying  each decision is followed once, through the ordinary arrivals and effects
undoing   the way back, as far as what was done is still as it was
totals    open items per customer against the receivable account, before and after
status    how far it is; while it is under way nothing of the connection is read and matched by itself
"""
