"""JSON with a checksum: an object that holds a digest of all else in it, so that a damaged figure is never read as a figure.

    {"epoch": 1, "digest": "5f0c…", "perplexity": 843.2}      16 digits of the SHA-256 of the rest, its names sorted

The digest stands behind the first name, so that a piece that is lost with it takes something along that is missed. It finds
damage, not malice: to change a file by hand, set "digest" to null, and it is taken as it is.
"""
from __future__ import annotations

import hashlib
import json
from typing import Any, Dict

DIGEST = 'digest'


def with_checksum(content: Dict[str, Any]) -> Dict[str, Any]:
    """The content with its digest. Its keys must be strings, its values must survive JSON unchanged."""
    first = dict(list(content.items())[:1])
    return {**first, DIGEST: _digest(content), **content}


def verified(text: str | bytes, *, required: bool = True) -> Dict[str, Any]:
    """The content of such an object, without its digest.

    required: whether an object without one is refused, too; if not, it is taken to be of an older version. Raises ValueError
    where it is damaged.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError('it is nested too deeply') from None
    if not isinstance(content, dict):
        raise ValueError('it is no JSON object')
    if required and DIGEST not in content:
        raise ValueError(f'it has no digest; where you made it, or an older version did, add "{DIGEST}": null')
    digest = content.pop(DIGEST, None)
    if digest not in (None, _digest(content)):
        raise ValueError(f'it is not what was written; where you have changed it, set "{DIGEST}" to null')
    return content


def _digest(content: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode('utf-8')).hexdigest()[:16]
