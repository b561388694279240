"""The stages of dvc.yaml: each reads, calls one pure function, and writes."""
