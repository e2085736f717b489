#!/usr/bin/env python3
"""A second reader of hoopguard's journal, written from doc/journal_format.md alone and sharing no code with the
first: that the two agree is how the document is known to be true. The sections it names are the document's.

    test/journal_reader.py [--key KEY] [--checkpoint FILE] DIRECTORY...

DIRECTORY is a journal's or an origin's; KEY a verifier key or a file of them, FILE holds checkpoints kept elsewhere.
Says "good: ..." of each origin, or "fault: ..." with file, offset and entry, and "note: ..." of what a reader should
know; status 1 after a fault, 2 when it cannot begin. It needs nothing but Python."""
import argparse
import hashlib
import os
import re
import struct
import sys
import time

from journal_decoding import (GAP, KEY_ROTATION, LOGIN_FAILED, LOGOUT, LOSS, RECOVERED, RETENTION, SEAL, SESSION, STOP, ZERO,
                              Fault, Tree, crc32c, parse_keys, parse_notes, read_entry, signed, unfinished_note)

HEADER = 4096


def slurp(*path):
    try:
        with open(os.path.join(*path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


class Origin:
    """One origin, read in the order of section 11."""

    def __init__(self, path, trusted, kept):
        self.path, self.trusted = path, trusted
        self.id = os.path.basename(path)[len("origin-"):]
        self.tree = self.nonce = self.system = self.position = self.number = self.last = None
        self.ends = {}  # position that follows so many entries
        self.runs = {}  # leaf index -> (segment's name, entry), for the index
        self.rotations, self.retentions, self.seals, self.contexts = [], [], [], {}
        self.sessions, self.ended, self.explained, self.remarks, self.holes = {}, set(), -1, [], []
        names = sorted(name for name in os.listdir(path) if re.fullmatch(r"[0-9a-f]{16}\.seg", name))
        keys, notes, self.tiles = slurp(path, "key.pub"), slurp(path, "checkpoints"), slurp(path, "tiles")
        self.indexes = {name: slurp(path, name[:16] + ".idx") for name in names}
        if keys is None:
            raise Fault("key.pub: missing")
        self.keys = parse_keys(keys, "key.pub")
        notes = notes or b""
        self.unfinished = unfinished_note(notes)
        self.notes = parse_notes(notes[:self.unfinished], "checkpoints")
        self.kept = [note for note in kept if note.text.split("\n")[0].endswith("/" + self.id)]
        self.read_segments(names)
        self.check_notes()
        self.check_derived()
        self.check_end()

    # Section 6.
    def read_segments(self, names):
        for number, name in enumerate(names):
            last = number == len(names) - 1
            data = slurp(self.path, name)
            if last and not any(data) and (self.tree is not None or len(data) >= HEADER):
                names = names[:-1]  # prepared, never begun
                break
            try:
                self.begin_segment(name, data)
            except Fault as fault:
                raise Fault(f"{name}, header: {fault}") from None
            self.read_entries(name, data, last)
        self.names = names
        if self.tree is None:
            raise Fault("no segment there")

    def begin_segment(self, name, data):
        if len(data) < HEADER:
            raise Fault("the file ends inside it")
        if data[:8] != b"HGJRNL01":
            raise Fault("this is no segment")
        version, crc, origin, system, nonce, number, position, index, _, count = struct.unpack_from("<II16s6QI", data, 8)
        if version != 1:
            raise Fault(f"it is of version {version}, from a later program")
        if crc32c(data[:12] + bytes(4) + data[16:HEADER]) != crc:
            raise Fault("its checksum does not hold")
        if count != index.bit_count():
            raise Fault("frontier and first leaf index do not fit")
        frontier = [data[128 + 32 * i:160 + 32 * i] for i in range(count)]
        if any(data[84:128]) or any(data[128 + 32 * count:HEADER]):
            raise Fault("what is reserved is not zero")
        if origin.hex() != self.id:
            raise Fault(f"it is of origin {origin.hex()}")
        if number != int(name[:16], 16):
            raise Fault(f"it is of segment {number}")
        if self.tree is None:
            self.tree = Tree(index, frontier)
            self.system, self.nonce, self.number, self.position = system, nonce, number, position
            self.name = f"hoopguard/{system}/{self.id}"
            self.ends[index], self.firsts, self.explained = position, {index: number}, index - 1
            return
        self.number += 1
        if number != self.number:
            raise Fault(f"segment {self.number} is missing")
        if (system, nonce) != (self.system, self.nonce):
            raise Fault("system or nonce are not those of the first segment")
        if (position, index) != (self.position, self.tree.size):
            raise Fault("it does not go on where the segment before ended")
        if self.tree.size in self.firsts:
            raise Fault("the segment before it holds no entry")
        if frontier != self.tree.frontier(index):
            raise Fault("its frontier is not that of the entries before")
        self.firsts[index] = number

    def read_entries(self, name, data, last):
        offset = HEADER
        patience = 5
        while True:
            try:
                entry = read_entry(data, offset, self.nonce, self.tree.size, self.position)
                if entry is not None:
                    self.check_entry(entry, data[offset:offset + entry.length])
            except Fault as fault:
                again = slurp(self.path, name) if last and patience else data
                if again == data:  # nobody is writing
                    raise Fault(f"{name}, offset {offset}, entry {self.tree.size}: {fault}") from None
                data, patience = again, patience - 1
                time.sleep(0.05)
                continue
            if entry is None:
                break
            self.runs[entry.index] = (name, entry)
            offset += entry.length
        self.end = f"{name}, offset {offset}, entry {self.tree.size}"
        if any(data[offset:]):
            where = offset + next(i for i, byte in enumerate(data[offset:]) if byte)
            raise Fault(f"{name}, offset {where}, after entry {self.tree.size - 1}: not zero beyond the last entry")

    # Sections 3, 5, 8.4, 10.
    def check_entry(self, entry, data):
        fields = entry.fields
        after = entry.position + entry.length + 8
        if entry.type == GAP:
            if fields.get(63) != entry.position or fields.get(64, 0) <= entry.position or fields[64] % 8:
                raise Fault("a gap that is none")
            after = fields[64]
        elif entry.type == SEAL:
            size = fields.get(54, 0)
            if size > entry.index:
                raise Fault("it seals entries that come later")
            if size >= self.tree.first and fields.get(55) != self.tree.root(size):
                raise Fault("the root that it seals is not that of the entries")
        elif entry.type == KEY_ROTATION:
            self.rotations.append((entry.index, fields.get(68), fields.get(69)))
        elif entry.type == RETENTION:
            first = fields.get(66, 0)
            if first > entry.index or (first >= self.tree.first and (
                    first not in self.firsts or fields.get(67) != self.tree.frontier(first))):
                raise Fault("it keeps what begins at no segment or has another frontier")
            self.retentions.append((entry.index, first))
        elif entry.type == STOP:
            self.stop = entry.index
        self.check_session(entry)
        self.tree.append(leaf_hash(data))
        self.last, self.position = entry, after
        self.ends[self.tree.size] = after

    def check_session(self, entry):
        """Section 5.4: a context that is one; numbers without unexplained holes, nothing after the end."""
        if entry.type == SESSION:
            self.contexts[entry.position] = entry.session
        context = entry.fields.get(2)
        if context is not None and context > entry.position:
            raise Fault("its context comes later")
        if context is not None and context >= self.ends[self.tree.first] and self.contexts.get(context) != entry.session:
            raise Fault("its context is no entry that tells who its session is")
        if entry.type in (GAP, LOSS):
            self.explained = entry.index
        if entry.type == LOSS:  # what is lost is told when there is room again, which may be later
            self.holes = []
        if entry.session == 0 or entry.flags & RECOVERED:
            return
        if entry.session in self.ended:
            self.remarks.append(f"entry {entry.index}: its session has ended")
        sequence, index = self.sessions.get(entry.session, (0, -1))
        known = index >= 0 or self.tree.first == 0
        if entry.sequence <= sequence or (known and entry.sequence != sequence + 1 and self.explained <= index):
            findings = self.remarks if entry.sequence <= sequence else self.holes
            findings.append(f"entry {entry.index}: number {entry.sequence} of its session follows {sequence}")
        self.sessions[entry.session] = entry.sequence, entry.index
        if entry.type in (LOGOUT, LOGIN_FAILED):
            self.ended.add(entry.session)

    # Section 8.
    def check_notes(self):
        self.check_keys()
        before = -1
        for note in self.notes:
            if note.size < before:
                raise Fault(f"{note.where}: its tree size falls")
            before = note.size
        self.covered = max([note.size for note in self.notes] + [0])
        first_after = {}
        for note in sorted(self.notes + self.kept, key=lambda note: note.size):
            epoch = sum(1 for index, _, _ in self.rotations if note.size > index)
            wanted = {self.epochs[epoch]}
            if note.size < self.tree.first:
                wanted = None  # whose epoch may be gone
            elif epoch and note in self.notes and first_after.setdefault(epoch, note) is note:
                wanted.add(self.epochs[epoch - 1])
            self.check_note(note, wanted)
        for (index, _, _), (following, _, _) in zip(self.rotations, self.rotations[1:]):
            if not any(index < note.size <= following for note in self.notes):
                raise Fault(f"no checkpoint between the key rotations of entries {index} and {following}")

    def check_keys(self):
        """The keys in force, one after the other: what rotations say, and key.pub says as well."""
        by_text = {f"{key.name}+{key.hash.hex()}+": key for key in self.keys}
        if any(key.name != self.name for key in self.keys) or not self.keys or len(by_text) != len(self.keys):
            raise Fault(f"key.pub: not the keys of {self.name}")
        self.epochs = self.keys[-1 - len(self.rotations):]
        if len(self.epochs) != len(self.rotations) + 1 or (self.tree.first == 0 and len(self.keys) != len(self.epochs)):
            raise Fault("key.pub: not as many keys as the journal had")
        for (index, old, new), before, after in zip(self.rotations, self.epochs, self.epochs[1:]):
            if parse_keys(f"{old}\n{new}\n".encode(), f"entry {index}") != [before, after]:
                raise Fault(f"entry {index}: a key rotation from or to a key that is not the next in key.pub")
        if self.trusted is not None and not set(self.trusted) & set(self.epochs):
            raise Fault("key.pub: none of the keys is the one given")

    def check_note(self, note, wanted):
        if note.text.split("\n")[0] != self.name:
            raise Fault(f"{note.where}: it is of {note.text.splitlines()[0]}")
        good = set()
        for name, hashed, signature in note.signatures:
            for key in self.keys:
                if (name, hashed) == (key.name, key.hash):
                    if len(signature) != 64 or not signed(key.public, note.text.encode() + b"\n", signature):
                        raise Fault(f"{note.where}: the signature is not that of {name}")
                    good.add(key)
        if not good if wanted is None else not wanted <= good:
            raise Fault(f"{note.where}: not signed by the key in force")
        if note.size > self.tree.size:
            raise Fault(f"{self.end}: the journal ends here, and {note.where}, covers {note.size} entries")
        if note.size >= self.tree.first:
            if note.root != self.tree.root(note.size):
                raise Fault(f"{note.where}: its root is not that of the first {note.size} entries")
            if note.position != self.ends[note.size]:
                raise Fault(f"{note.where}: its position is not that which follows entry {note.size - 1}")

    # Section 9.
    def check_derived(self):
        orderly = self.last is not None and self.last.type == STOP
        self.removed = max([first for index, first in self.retentions if index < self.covered] + [0])
        for name in self.names:
            self.check_index(name, orderly)
        tiles = self.tiles or b""
        complete = self.tree.size // 256
        if len(tiles) // 32 > complete or (orderly and len(tiles) != 32 * complete):
            raise Fault(f"tiles, offset {min(len(tiles), 32 * complete)}: not a hash for each of {complete} subtrees")
        for number in range(len(tiles) // 32):
            tile, node = tiles[32 * number:32 * number + 32], self.tree.nodes.get((8, number))
            if node != tile and not (256 * number < self.tree.first and (node is None or tile == ZERO)):
                raise Fault(f"tiles, offset {32 * number}: not the hash of entries {256 * number} to {256 * number + 255}")

    def check_index(self, name, orderly):
        data, file, offset = self.indexes[name] or b"", name[:16] + ".idx", 0
        entries = [entry for of, entry in self.runs.values() if of == name]
        while offset + 56 <= len(data):
            length, crc, at, position, index, count, low, high, sessions = struct.unpack_from("<IIQQQIQQI", data, offset)
            if length != 56 + 8 * sessions or offset + length > len(data):
                break
            if crc32c(struct.pack("<Q", self.nonce) + data[offset + 8:offset + length]) != crc:
                raise Fault(f"{file}, offset {offset}: its checksum does not hold")
            run, entries = entries[:count], entries[count:]
            named = list(struct.unpack_from(f"<{sessions}Q", data, offset + 56))
            if not count or len(run) != count or (at, position, index) != (run[0].offset, run[0].position, run[0].index):
                raise Fault(f"{file}, offset {offset}: a run that is not in the segment")
            if (low, high) != (min(e.time for e in run), max(e.time for e in run)) or (
                    named != sorted({e.session for e in run}) or run[-1].offset >> 16 != at >> 16):
                raise Fault(f"{file}, offset {offset}: its run's times, sessions or extent are not those of the entries")
            offset += length
        if orderly and (offset != len(data) or (entries and entries[0].index >= self.removed)):
            raise Fault(f"{file}, offset {offset}: it does not reach the segment's end")

    # Section 11, 7.
    def check_end(self):
        if getattr(self, "stop", -1) >= self.covered:
            raise Fault(f"checkpoints: none covers entry {self.stop}, where the server stopped in order")
        if self.unfinished is not None:
            if self.last.type == STOP:
                raise Fault(f"checkpoints, offset {self.unfinished}: the last note is not finished, and the server stopped")
            self.remarks.append(f"checkpoints, offset {self.unfinished}: the last note is not finished")
        self.remarks += self.holes
        if min(self.firsts.values()) > 0 and not any(
                index < self.covered and first >= self.tree.first for index, first in self.retentions):
            raise Fault(f"entries before {self.tree.first}: removed, and no signed entry says so")
        self.verdict = (f"{self.name}: {self.covered} entries signed, {self.tree.size - self.covered} not yet signed, "
                        f"{len(self.notes)} checkpoints" + ("" if self.trusted else "; no key was given"))


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def verify(path, trusted=None, kept=()):
    """Whether this origin is good, what to say of it, and what else a reader should know."""
    try:
        origin = Origin(path, trusted, list(kept))
        return True, origin.verdict, origin.remarks
    except Fault as fault:
        return False, f"{path}: {fault}", []


def origins(path):
    if os.path.basename(os.path.normpath(path)).startswith("origin-"):
        return [os.path.normpath(path)]
    return [os.path.join(path, name) for name in sorted(os.listdir(path)) if re.fullmatch("origin-[0-9a-f]{32}", name)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="+")
    parser.add_argument("--key")
    parser.add_argument("--checkpoint")
    options = parser.parse_args()
    try:
        trusted = None
        if options.key is not None:
            text = open(options.key, "rb").read() if os.path.exists(options.key) else options.key.encode() + b"\n"
            trusted = parse_keys(text, "--key")
        kept = parse_notes(open(options.checkpoint, "rb").read(), options.checkpoint) if options.checkpoint else []
        found = [origin for path in options.directory for origin in origins(path)]
        if not found:
            raise Fault("no origin's directory there")
    except (Fault, OSError) as error:
        print(f"cannot begin: {error}", file=sys.stderr)
        return 2
    results = [verify(origin, trusted, kept) for origin in found]
    for good, text, remarks in results:
        print(("good: " if good else "fault: ") + text)
        for remark in remarks:
            print("note: " + remark)
    return 0 if all(good for good, _, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
