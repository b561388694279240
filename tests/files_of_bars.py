"""Three bars by hand, and the files in which people would bring them."""

import gzip
import io
import zipfile

import pandas as pd
import pyarrow as pa

HEADER = "timestamp,open,high,low,close,volume"
ROWS = [
    "2020-01-01T00:00:00Z,10,12,9,11,5",
    "2020-01-01T01:00:00Z,11,13,10,12,6.5",
    "2020-01-01T02:00:00Z,12,14,11,13,0",
]
# Of one bar, after its time; and when the first two of them open.
NUMBERS = "10,12,9,11,5"
FIRST, SECOND = pd.Timestamp("2020-01-01T00:00Z"), pd.Timestamp("2020-01-01T01:00Z")
TIMES = pd.to_datetime([row.split(",")[0] for row in ROWS]).as_unit("us").rename("time")
BARS = pd.DataFrame(
    {
        "open": [10.0, 11, 12],
        "high": [12.0, 13, 14],
        "low": [9.0, 10, 11],
        "close": [11.0, 12, 13],
        "volume": [5, 6.5, 0],
    },
    index=TIMES,
)


def lines(*rows: str) -> str:
    """Return text that ends with a line end."""
    return "\n".join([*rows, ""])


PLAIN = lines(HEADER, *ROWS)


def packed(content: bytes, how: str, name: str = "bars.csv") -> bytes:
    """Return the bytes of a file that is packed: by gzip, zip or zst; or as they are."""
    if how == "gzip":
        return gzip.compress(content, mtime=0)
    if how == "zst":
        return bytes(pa.compress(content, "zstd", asbytes=True))
    if how == "zip":
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as folder:
            folder.writestr(name, content)
            folder.writestr(f"__MACOSX/._{name}", b"what macOS adds")
        return sink.getvalue()
    return content
