#!/bin/sh
# Renders tidings.svg into the sizes that desktops and installers ask for. Run it after changing the
# drawing; the results are committed. Needs rsvg-convert, ImageMagick and Python 3.
set -eu
cd "$(dirname "$0")"

for size in 16 22 24 32 48 64 128 256 512; do
    rsvg-convert --width "$size" --height "$size" tidings.svg --output "${size}x${size}.png"
done
convert 16x16.png 24x24.png 32x32.png 48x48.png 64x64.png 256x256.png icon.ico

# An icns file is a header and, per size, a four-letter name, a length and a PNG.
python3 - <<'PYTHON'
import struct
from pathlib import Path

names = [("icp4", 16), ("icp5", 32), ("ic11", 32), ("icp6", 64), ("ic12", 64),
         ("ic07", 128), ("ic08", 256), ("ic13", 256), ("ic09", 512), ("ic14", 512)]
body = b""
for name, size in names:
    png = Path(f"{size}x{size}.png").read_bytes()
    body += name.encode() + struct.pack(">I", len(png) + 8) + png
Path("icon.icns").write_bytes(b"icns" + struct.pack(">I", len(body) + 8) + body)
PYTHON
