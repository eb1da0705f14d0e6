"""JSON that knows what it was: an object with a digest of all else in it, so that a damaged figure is never read as a figure.

    {"epoch": 1, "digest": "5f0c…", "perplexity": 843.2}      16 digits of the SHA-256 of the rest, its names sorted

The digest stands behind the first name, so that a piece that is lost with it takes something along that is missed. It finds
damage, not malice: whoever rewrites a file can rewrite its digest.
"""
from __future__ import annotations

import hashlib
import json
from typing import Any, Dict

DIGEST = 'digest'


def seal(content: Dict[str, Any]) -> Dict[str, Any]:
    """The content with its digest. Its names must be texts, its values what JSON gives back as they were."""
    first = dict(list(content.items())[:1])
    return {**first, DIGEST: _digest(content), **content}


def unseal(text: str | bytes, *, required: bool = True) -> Dict[str, Any]:
    """The content of a sealed object, without its digest.

    required: whether an object without one is refused, too; if not, it is taken to be of an older version, or written by hand.
    Raises ValueError where it is damaged.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError('it is nested too deeply') from None
    if not isinstance(content, dict):
        raise ValueError('it is no JSON object')
    digest = content.pop(DIGEST, None)
    if digest is None and required:
        raise ValueError('it has no digest')
    if digest is not None and digest != _digest(content):
        raise ValueError('its contents are not what was written')
    return content


def _digest(content: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode('utf-8')).hexdigest()[:16]
