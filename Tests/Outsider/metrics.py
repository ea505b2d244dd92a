#!/usr/bin/env python3
"""Reads a Prometheus page from standard input with Prometheus' own parser (PyPI prometheus_client) and prints what it found.

One JSON object: family -> {"type", "help", "samples": {"name{label=value,…}": value}}. Exit status 1 where the page does not
read, a family comes twice, or a histogram is not one: buckets that fall, no +Inf, a count that is not its last bucket.
"""
import json
import math
import sys

from prometheus_client.parser import text_string_to_metric_families

families = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    if family.name in families:
        sys.exit(f"{family.name} comes twice")
    samples = {}
    buckets = {}
    for sample in family.samples:
        labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
        key = f"{sample.name}{{{labels}}}"
        if key in samples:
            sys.exit(f"{key} comes twice")
        samples[key] = sample.value
        if family.type == "histogram":
            others = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            entry = buckets.setdefault(others, {"bounds": [], "count": None, "sum": None})
            if sample.name.endswith("_bucket"):
                entry["bounds"].append((float(sample.labels["le"]), sample.value))
            elif sample.name.endswith("_count"):
                entry["count"] = sample.value
            elif sample.name.endswith("_sum"):
                entry["sum"] = sample.value
    for labels, entry in buckets.items():
        bounds = entry["bounds"]
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in zip(bounds, bounds[1:]))
        if not (bounds and rising and math.isinf(bounds[-1][0]) and bounds[-1][1] == entry["count"] and entry["sum"] is not None):
            sys.exit(f"{family.name}{dict(labels)} is no histogram")
    families[family.name] = {"type": family.type, "help": family.documentation, "samples": samples}
print(json.dumps(families))
