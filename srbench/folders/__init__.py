"""Folders of estimates scored against folders of references: files are paired, and the scores kept as a run."""
