"""What test/journal_reader.py decodes: entries, checkpoints, keys, the tree. Written from doc/journal_format.md alone;
the sections named here are that document's."""
import base64
import binascii
import functools
import hashlib
import re
import struct
from collections import namedtuple

(LOGIN_FAILED, SESSION, LOGOUT, STATEMENT, OUTCOME, SEAL, GAP, LOSS, RETENTION, KEY_ROTATION, STOP) = (
    3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21)
RECOVERED = 1 << 6
ZERO = bytes(32)
UINT_FIELDS = {0, 1, 2, 7, 8, 11, 12, 15, 19, 23, 24, 37, 50, 51, 54, 56, 63, 64, 65, 66, 70, 75}
TEXT_FIELDS = {3, 4, 9, 10, 16, 21, 22, 52, 53, 58, 59, 60, 61, 62, 68, 69, 72, 73, 74} | (set(range(25, 41)) - {31, 37})
BYTES_FIELDS, BOOL_FIELDS, ARRAY_FIELDS = {20, 55}, {17, 57}, {6, 13, 14, 18, 31, 67, 71, 76, 77}

Entry = namedtuple("Entry", "index position type flags session sequence time fields offset length")
Note = namedtuple("Note", "text size root position signatures where")
Key = namedtuple("Key", "name hash public")


class Fault(Exception):
    """What is wrong, and where."""


# Section 1: checksums, numbers, base64.
CRC_TABLE = []
for octet in range(256):
    for _ in range(8):
        octet = octet >> 1 ^ (0x82F63B78 if octet & 1 else 0)
    CRC_TABLE.append(octet)


def crc32c(data):
    crc, table = 0xFFFFFFFF, CRC_TABLE
    for octet in data:
        crc = crc >> 8 ^ table[(crc ^ octet) & 0xFF]
    return crc ^ 0xFFFFFFFF


def decode_base64(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault(f"{what} is no base64") from None
    if base64.b64encode(data) != text.encode():
        raise Fault(f"{what} is base64 with bits that are not used")
    return data


def decimal(text, what):
    if not re.fullmatch("0|[1-9][0-9]{0,19}", text) or int(text) >= 1 << 64:
        raise Fault(f"{what} is no number")
    return int(text)


# Section 8: Ed25519 (RFC 8032, 5.1), points in extended coordinates.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def decompress(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


@functools.lru_cache(maxsize=None)
def signed(public, message, signature):
    key, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), add(r, times(challenge, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def parse_key(line):
    match = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+(\S+)", line)
    if not match:
        raise Fault(f'"{line[:80]}" is no verifier key')
    data = decode_base64(match[3], "the verifier key")
    if len(data) != 33 or data[0] != 1:
        raise Fault("the verifier key is not one of Ed25519")
    if hashlib.sha256(match[1].encode() + b"\n" + data).digest()[:4].hex() != match[2]:
        raise Fault("the verifier key's hash does not belong to it")
    return Key(match[1], bytes.fromhex(match[2]), data[1:])


def parse_keys(data, where):
    try:
        lines = data.decode().split("\n")
        if lines.pop():
            raise Fault("the last line has no end")
        return [parse_key(line) for line in lines]
    except (Fault, UnicodeDecodeError) as error:
        raise Fault(f"{where}: {error}") from None


def parse_note(text, signatures, where):
    lines = text.split("\n")
    if len(lines) < 5 or "" in lines or re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text):
        raise Fault(f"{where}: this is no checkpoint")
    root = decode_base64(lines[2], f"{where}: the root")
    if len(root) != 32 or not lines[3].startswith("position "):
        raise Fault(f"{where}: this is no checkpoint")
    if not re.fullmatch(r"time \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[4]):
        raise Fault(f"{where}: the checkpoint's time is none")
    pairs = []
    for line in signatures:
        name, _, data = line[2:].partition(" ")
        data = decode_base64(data, f"{where}: the signature")
        if not name or len(data) < 5:
            raise Fault(f"{where}: a line is no signature")
        pairs.append((name, data[:4], data[4:]))
    return Note(text, decimal(lines[1], f"{where}: the tree size"), root,
                decimal(lines[3][9:], f"{where}: the position"), pairs, where)


def unfinished_note(data):
    """Section 8.3: where the beginning of a note starts behind the last whole one, or None."""
    start = 0
    for match in re.finditer(rb"\n\n(?:\xe2\x80\x94 [^\n]*\n)+", data):
        start = match.end()
    rest = data[start:]
    if not rest or len(rest) >= 65536:
        return None
    text, blank, line = rest.partition(b"\n\n")
    dash = "\u2014 ".encode()
    return start if not blank or line.startswith(dash) or dash.startswith(line) else None


def parse_notes(data, name):
    """Section 8.3: notes one after the other."""
    notes, text, signatures, start, offset = [], [], [], 0, 0
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise Fault(f"{name}: not UTF-8") from None
    if lines.pop():
        raise Fault(f"{name}, offset {len(data)}: the last line has no end")
    for line in lines + [None]:
        if signatures and (line is None or not line.startswith("\u2014 ")):
            if offset - start > 65536:
                raise Fault(f"{name}, offset {start}: the checkpoint is too long")
            notes.append(parse_note("\n".join(text[:-1]), signatures, f"{name}, offset {start}"))
            text, signatures, start = [], [], offset
        if line is None:
            break
        if text and text[-1] == "" and line.startswith("\u2014 "):
            signatures.append(line)
        elif text and text[-1] == "":
            raise Fault(f"{name}, offset {offset}: a signature is expected")
        else:
            text.append(line)
        offset += len(line.encode()) + 1
    if text:
        raise Fault(f"{name}, offset {start}: the checkpoint has no signature")
    return notes


# Section 5: deterministic CBOR.
def decode_item(data, at, depth=0):
    if at >= len(data) or depth > 4:
        raise Fault("the payload ends too early or is nested too deep")
    major, value, at = data[at] >> 5, data[at] & 31, at + 1
    if major == 7:
        if value in (20, 21, 22):
            return {20: False, 21: True, 22: None}[value], at
        raise Fault("the payload has a value that is not allowed")
    if major == 6 or value > 27:
        raise Fault("the payload has a tag or an indefinite length")
    if value >= 24:
        width = 1 << value - 24
        if at + width > len(data):
            raise Fault("the payload ends too early")
        value, at = int.from_bytes(data[at:at + width], "big"), at + width
        if value < (24 if width == 1 else 1 << 4 * width):
            raise Fault("the payload has a head that is not the shortest")
    if major <= 1:
        return (value if major == 0 else -1 - value), at
    if major <= 3:
        if at + value > len(data):
            raise Fault("the payload ends too early")
        piece = data[at:at + value]
        try:
            return (piece if major == 2 else piece.decode()), at + value
        except UnicodeDecodeError:
            raise Fault("the payload has a text that is not UTF-8") from None
    if major == 5 and depth:
        raise Fault("the payload has a map inside")
    items, last = [], -1
    for _ in range(value):
        if major == 5:
            key, at = decode_item(data, at, 4)
            if type(key) is not int or key <= last:
                raise Fault("the payload's keys are not ascending numbers")
            last = key
        item, at = decode_item(data, at, depth + 1)
        items.append((last, item) if major == 5 else item)
    return (dict(items) if major == 5 else items), at


def decode_payload(data):
    if data[0] >> 5 != 5:
        raise Fault("the payload is no map")
    fields, end = decode_item(data, 0)
    if end != len(data):
        raise Fault("the payload has bytes left over")
    for key, value in fields.items():
        wanted = (((int,), UINT_FIELDS), ((str, bytes), TEXT_FIELDS), ((bytes,), BYTES_FIELDS), ((bool,), BOOL_FIELDS),
                  ((list,), ARRAY_FIELDS), ((int,), {5}))
        for types, keys in wanted:
            if key in keys and (type(value) not in types or (keys is UINT_FIELDS and value < 0)):
                raise Fault(f"field {key} has a value of the wrong type")
    return fields


# Section 7: the tree, as a table of the roots of complete subtrees.
class Tree:
    def __init__(self, size, frontier):
        self.first = self.size = size
        self.nodes = {}
        for node, place in zip(frontier, self.places(size)):
            self.nodes[place] = node

    @staticmethod
    def places(size):
        """The complete subtrees that so many leaves fall into: (level, number), the largest first."""
        return [(level, (size >> level) - 1) for level in reversed(range(size.bit_length())) if size >> level & 1]

    def append(self, leaf):
        level, number = 0, self.size
        self.nodes[level, number] = leaf
        while number & 1:
            leaf = hashlib.sha256(b"\1" + self.nodes[level, number - 1] + leaf).digest()
            level, number = level + 1, number >> 1
            self.nodes[level, number] = leaf
        self.size += 1

    def frontier(self, size):
        return [self.nodes[place] for place in self.places(size)]

    def root(self, size):
        if size == 0:
            return hashlib.sha256().digest()
        nodes = self.frontier(size)
        root = nodes.pop()
        while nodes:
            root = hashlib.sha256(b"\1" + nodes.pop() + root).digest()
        return root


# Section 4: entries.
def read_entry(data, offset, nonce, index, position):
    """The entry at this offset; None where the written part ends."""
    rest = data[offset:offset + 4]
    if len(rest) < 4 and not any(rest) or rest == bytes(4):
        return None
    length = struct.unpack("<I", rest)[0] if len(rest) == 4 else 0
    if length % 8 or not 72 <= length <= 1 << 24:
        raise Fault("its length is impossible")
    if offset + length > len(data):
        raise Fault("the file ends inside it")
    entry = data[offset:offset + length]
    crc, at, version, kind, flags, size, when, session, sequence = struct.unpack_from("<IQBBHIQQQ", entry, 4)
    if crc32c(struct.pack("<Q", nonce) + entry[16:] + entry[8:16]) != crc:
        raise Fault("its checksum does not hold")
    if version != 1:
        raise Fault(f"it is of version {version}, from a later program")
    if length != 64 + size + 7 & ~7 or size == 0:
        raise Fault("its payload does not fit its length")
    if any(entry[64 + size:]) or any(entry[60:64]):
        raise Fault("what is reserved is not zero")
    if at != position:
        raise Fault(f"its position is {at}, not {position}")
    fields = decode_payload(entry[64:64 + size])
    return Entry(index, at, kind, flags, session, sequence, when, fields, offset, length)
