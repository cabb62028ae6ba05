"""Access points: one folder each, and what they share: `answers` (what answers mean), `taking` (what is refused before
anything is sent), `links` (documents behind links), `sandbox` (what their stand-ins stand on).
"""
