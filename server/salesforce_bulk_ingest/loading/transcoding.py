"""A stream of UTF-8 made of a file in another encoding, in constant memory."""

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 16

UNDECODED = "\udcff"
"""What stands for bytes that an encoding lacks: half of a character, which is no UTF-8, so that the checks find its line."""


def as_utf_8(file: BinaryIO, codec: str) -> BinaryIO:
    """Return the text of a file as a stream of UTF-8, which closes the file, too.

    A position of the stream is one in the UTF-8 bytes. To go back is to read the file again from its start.

    Args:
        file: the file, at its start.
        codec: the encoding of the file, as Python names it.
    """
    return cast(BinaryIO, io.BufferedReader(_Utf8Stream(file, codec), CHUNK_BYTES))


class _Utf8Stream(io.RawIOBase):
    """The unbuffered stream of UTF-8."""

    def __init__(self, file: BinaryIO, codec: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(codec)(_AS_UNDECODED)
        self._ready = memoryview(b"")
        self._position = 0
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        while not self._ready and not self._is_at_end:
            data = self._file.read(CHUNK_BYTES)
            self._is_at_end = not data
            text = self._decoder.decode(data, final=self._is_at_end)
            self._ready = memoryview(text.encode(errors="surrogatepass"))
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        self._position += count
        return count

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("a transcoded stream is only sought from its start")
        if offset < self._position:
            self._rewind()
        while self._position < offset and self.read(min(CHUNK_BYTES, offset - self._position)):
            pass
        return self._position

    def close(self) -> None:
        super().close()
        self._file.close()

    def _rewind(self) -> None:
        self._file.seek(0)
        self._decoder.reset()
        self._ready = memoryview(b"")
        self._position = 0
        self._is_at_end = False


_AS_UNDECODED = "salesforce-bulk-ingest.undecoded"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODED, error.end


codecs.register_error(_AS_UNDECODED, _stand_in)
