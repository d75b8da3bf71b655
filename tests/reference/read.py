#!/usr/bin/env python3
"""read.py TOOL [--flavour libbpf|bcc] FILE: what the print-out FILE says, as one JSON object (docs/json.md, `trawl parse`)."""
import argparse
import gzip
import json
import pathlib
import sys

from reader import tools


def load(path):
    if str(path) == "-":
        return sys.stdin.buffer.read()
    data = pathlib.Path(path).read_bytes()
    return gzip.decompress(data) if str(path).endswith(".gz") else data


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=tools.TOOLS)
    parser.add_argument("file")
    parser.add_argument("--flavour", choices=("libbpf", "bcc"), default="libbpf")
    options = parser.parse_args()
    json.dump(tools.read(options.tool, options.flavour, load(options.file)), sys.stdout)
    print()


if __name__ == "__main__":
    main()
