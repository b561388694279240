"""What lies in a file, by its first bytes and not by its name: unpacked if it is packed."""

import codecs
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Protocol

import pyarrow as pa

from src.base.errors import DataError, truncate
from src.base.paths import relative

Kind = Literal["parquet", "feather", "json", "text"]
# Enough for a banner, a header and a few hundred bars.
HEAD_BYTES = 65_536
MOST_UNPACKED_BYTES = 8_000_000_000
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
TABLES: dict[bytes, Kind] = {b"PAR1": "parquet", b"ARROW1": "feather"}
OTHERS = {
    b"PK\x03\x04": "a zip file in a zip file, or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of Excel",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a database of SQLite",
    b"FEA1": "a Feather file of version 1",
    b"%PDF": "a PDF",
    b"BZh": "packed by bzip2",
    b"\xfd7zXZ": "packed by xz",
    b"7z\xbc\xaf": "packed by 7z",
    b"Rar!": "packed by RAR",
}
READABLE = "CSV, Parquet, Feather or JSON, as it is or in gzip, zip or zst"
EXPORT = "save it as CSV or Parquet"
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
UNREADABLE = (
    OSError,
    EOFError,
    UnicodeDecodeError,
    zipfile.BadZipFile,
    pa.ArrowException,
    NotImplementedError,
    RuntimeError,
)
# What Excel writes in Japan.
SHIFT_JIS = "cp932"


class Contents(NamedTuple):
    """What kind of content a file has, its first bytes, how they are text, and how it was packed."""

    kind: Kind
    head: bytes
    encoding: str
    packed: str


def look_at(path: Path) -> Contents:
    """Tell what lies in a file; `DataError` if it is nothing that bars are read from, or cannot be opened."""
    with unpacked(path) as stream:
        head = stream.read(HEAD_BYTES)
    packed = _how_packed(path)
    for magic, kind in TABLES.items():
        if head.startswith(magic):
            return Contents(kind, head, "", packed)
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            msg = f"{relative(path)}: is {what}, expected {READABLE}; {EXPORT}"
            raise DataError(msg)
    if not head.strip():
        msg = f"{relative(path)}: empty, expected at least a header and one bar"
        raise DataError(msg)
    encoding = _encoding_of(head, path)
    text = head.decode(encoding, errors="ignore").lstrip()
    return Contents("json" if text[:1] in ("[", "{") else "text", head, encoding, packed)


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacked; `DataError` if that fails, or it is longer than any history of bars."""
    try:
        how = _how_packed(path)
        if how == "zip":
            with zipfile.ZipFile(path) as folder, folder.open(_only_file(folder, path)) as stream:
                yield io.BufferedReader(_Bounded(stream, path))  # type: ignore[type-var]
        elif how:
            with pa.CompressedInputStream(pa.OSFile(str(path)), how) as stream:
                yield io.BufferedReader(_Bounded(stream, path))  # type: ignore[type-var]
        else:
            with path.open("rb") as stream:
                yield stream
    except UNREADABLE as error:
        words = " ".join(str(error).split())
        msg = f"{relative(path)}: cannot be read ({truncate(words)}); mend it, or data.path in params.yaml"
        raise DataError(msg) from error


def _how_packed(path: Path) -> str:
    """Tell what a file is packed by, from its first bytes; empty if by nothing."""
    with path.open("rb") as file:
        start = file.read(max(map(len, PACKED)))
    return next((name for magic, name in PACKED.items() if start.startswith(magic)), "")


def _only_file(folder: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """Return the one file in a zip file, what macOS adds left out."""
    files = [one for one in folder.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    if any(one.filename == "xl/workbook.xml" for one in files):
        msg = f"{relative(path)}: is a spreadsheet of Excel, expected {READABLE}; {EXPORT}"
        raise DataError(msg)
    if len(files) != 1:
        names = truncate(", ".join(one.filename for one in files) or "none")
        msg = f"{relative(path)}: expected one file in the zip file, got {len(files)}: {names}; unpack it, and name one"
        raise DataError(msg)
    return files[0]


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, n_bytes: int, /) -> bytes:
        """Return at most so many, none at the end."""


class _Bounded(io.RawIOBase):
    """A stream that ends with an error where it is longer than any history of bars."""

    def __init__(self, stream: Readable, path: Path) -> None:
        self.stream, self.path, self.n_bytes = stream, path, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        part = self.stream.read(len(buffer))
        self.n_bytes += len(part)
        if self.n_bytes > MOST_UNPACKED_BYTES:
            msg = f"{relative(self.path)}: expected at most {MOST_UNPACKED_BYTES:,} bytes unpacked, got more"
            raise DataError(msg)
        buffer[: len(part)] = part
        return len(part)


def _encoding_of(head: bytes, path: Path) -> str:
    """Tell how text is encoded: by its mark, by zeros in every other byte, UTF-8, or as Excel writes it in Japan."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        halves = head[1::2], head[::2]
        for encoding, (zeros, letters) in (("utf-16-le", halves), ("utf-16-be", halves[::-1])):
            if zeros.count(0) > len(zeros) * 0.8 and letters.count(0) < len(letters) * 0.1:
                return encoding
        msg = f"{relative(path)}: holds bytes that are no text, expected {READABLE}; {EXPORT}"
        raise DataError(msg)
    for encoding in ("utf-8", SHIFT_JIS):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return encoding
    msg = f"{relative(path)}: is neither UTF-8, UTF-16 nor cp932; save it as UTF-8"
    raise DataError(msg)
