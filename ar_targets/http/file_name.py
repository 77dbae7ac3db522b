"""``Content-Disposition``: the name under which a browser saves a file (RFC 6266)."""

import re
import unicodedata
from urllib.parse import quote

# Control characters, and what file systems do not allow in names.
UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|]')
JPEG_SUFFIXES = (".jpg", ".jpeg")


def jpeg_disposition(name: str | None, target_id: int, kind: str = "inline") -> str:
    """The header's value for the JPEG of a target, saved under its name or id.

    ``kind`` is ``inline``, which browsers show, or ``attachment``, which they save.
    """
    safe = UNSAFE.sub("_", name or f"imagetarget-{target_id}")
    if not safe.lower().endswith(JPEG_SUFFIXES):
        safe += JPEG_SUFFIXES[0]
    # For clients that do not know the second form, which has all characters. A wide quotation mark
    # or slash becomes a plain one.
    ascii_form = unicodedata.normalize("NFKD", safe).encode("ascii", "ignore").decode()
    plain = UNSAFE.sub("_", ascii_form)
    header = f'{kind}; filename="{plain}"'
    return header if plain == safe else f"{header}; filename*=UTF-8''{quote(safe, safe='')}"
