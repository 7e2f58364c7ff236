"""One file for each outside thing, and each the only importer of its SDK."""
