"""Files as responses."""


class FileWrapper:
    """`wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling")."""

    # In bytes. PEP 3333 calls the block size a hint; blocks of the usual 8 KiB would only cost more calls.
    smallest = 64 * 1024

    def __init__(self, filelike, block_size=8192):
        if block_size <= 0:
            raise ValueError("block_size must be positive")
        self.filelike = filelike
        self.block_size = max(block_size, self.smallest)
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.block_size)
        if not data:
            raise StopIteration
        return data
