#!/usr/bin/env python3
"""Flips every byte of every file of one origin, and cuts every file at every length: test/journal_reader.py has to
find each and to name the file.

    test/journal_damage.py ORIGIN"""
import os
import shutil
import sys
import tempfile

from journal_decoding import parse_keys
from journal_reader import slurp, verify


def damages(data):
    for at in range(len(data)):
        yield f"byte {at} flipped", data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:]
        yield f"cut to {at}", data[:at]


def main(origin):
    keys = parse_keys(slurp(origin, "key.pub"), "key.pub")
    tried, missed = 0, []
    with tempfile.TemporaryDirectory() as work:
        copy = os.path.join(work, os.path.basename(origin))
        shutil.copytree(origin, copy)
        for name in sorted(os.listdir(origin)):
            good = slurp(origin, name)
            for what, data in damages(good):
                with open(os.path.join(copy, name), "wb") as file:
                    file.write(data)
                tried += 1
                found, text, _ = verify(copy, keys)
                if found or name not in text:
                    missed.append(f"{name}, {what}: {text}")
            with open(os.path.join(copy, name), "wb") as file:
                file.write(good)
        assert verify(copy, keys)[0]
    print("\n".join(missed + [f"{tried} damages, {len(missed)} not found or not named"]))
    return 1 if missed or not tried else 0


if __name__ == "__main__":
    sys.exit(main(os.path.normpath(sys.argv[1])))
