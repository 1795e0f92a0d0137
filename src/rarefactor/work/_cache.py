"""Results of earlier work, found again by content.

Convention: an entry is one file, ``<2 digits>/<62 digits>`` of the hashed key: a SHA-256 over key and data, then the
data. An entry whose digest does not fit is no entry. The cache saves time and nothing else: where it cannot be read or
written, the work is done again. It holds what the study holds, so its folder is for its owner only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from rarefactor.errors import OutputError
from rarefactor.work._file import write_file

_DIGEST = hashlib.sha256().digest_size
_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# Cache of rarefactor: may be deleted at any time.\n"
TAG_NAME = "CACHEDIR.TAG"


@dataclass(slots=True)
class Cache:
    """A folder of results by key; the least recently used ones go when it holds more than ``limit_bytes``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = Cache(Path(folder) / "cache")
    ...     stored = cache.put("a key", b"a result")
    ...     cache.get("a key"), cache.get("another key")
    (b'a result', None)
    """

    folder: Path
    limit_bytes: int = 2 * 1024**3
    _held: int | None = field(default=None, init=False, repr=False, compare=False)
    """Bytes in the folder, at most: counted when first needed, then what is put is added."""

    def get(self, key: str) -> bytes | None:
        """Return what was stored under the key, or None where nothing sound is."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, data = content[:_DIGEST], content[_DIGEST:]
        sound = digest == _digest(key, data)
        with contextlib.suppress(OSError):
            os.utime(path) if sound else path.unlink()
        return data if sound else None

    def holds(self, key: str) -> bool:
        """Return whether there is an entry; it is not read, so it may turn out not to be sound."""
        return self._path(key).is_file()

    def put(self, key: str, data: bytes) -> bool:
        """Store a result; return False where the cache cannot be written or the result is larger than its limit."""
        if len(data) + _DIGEST > self.limit_bytes:
            return False
        path = self._path(key)
        try:
            self._prepare(path.parent)
            write_file(path, _digest(key, data) + data)
        except (OSError, OutputError):
            return False
        self._evict(len(data) + _DIGEST)
        return True

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self.folder / name[:2] / name[2:]

    def _prepare(self, shelf: Path) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shelf.mkdir(mode=0o700, exist_ok=True)
        if not (self.folder / TAG_NAME).exists():
            write_file(self.folder / TAG_NAME, _TAG)

    def _evict(self, added: int) -> None:
        """Look through the folder only where it may hold too much: a run puts thousands of results."""
        if self._held is not None:
            self._held += added
            if self._held <= self.limit_bytes:
                return
        with contextlib.suppress(OSError):  # another run may be evicting the same entries
            entries = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self.folder.glob("??/*"))
            self._held = sum(size for _, size, _ in entries)
            for _, size, path in entries:
                if self._held <= self.limit_bytes:
                    return
                path.unlink(missing_ok=True)
                self._held -= size


def _digest(key: str, data: bytes) -> bytes:
    return hashlib.sha256(len(key).to_bytes(8, "big") + key.encode() + data).digest()
