"""Run by the finished interpreter, moved elsewhere, with an empty environment: is all there, and all inside?"""

import importlib
import sys
import sysconfig
from pathlib import Path

MODULES = """
    _asyncio _bisect _blake2 _bz2 _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr _codecs_tw _contextvars
    _csv _ctypes _datetime _decimal _elementtree _hashlib _heapq _interpchannels _interpqueues _interpreters _json
    _lsprof _lzma _md5 _multibytecodec _multiprocessing _opcode _pickle _posixshmem _posixsubprocess _queue _random
    _sha1 _sha2 _sha3 _socket _sqlite3 _ssl _statistics _struct _uuid _zoneinfo array binascii cmath fcntl grp math
    mmap pyexpat resource select syslog termios unicodedata zlib
""".split()


def check_libraries() -> None:
    import ctypes
    import decimal
    import sqlite3
    import ssl
    import uuid

    paths = ssl.get_default_verify_paths()
    assert paths.openssl_cafile == "/etc/pki/tls/certs/ca-bundle.crt", paths
    assert paths.openssl_capath == "/etc/ssl/certs", paths
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED
    assert sqlite3.connect(":memory:").execute("select json('[1]'), sqrt(4)").fetchone() == ("[1]", 2.0)
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1)(1) == 2
    assert decimal.Decimal("0.1") + decimal.Decimal("0.2") == decimal.Decimal("0.3")
    assert uuid._generate_time_safe is not None


def check_place() -> None:
    prefix = Path(sys.executable).parent.parent
    assert Path(sys.prefix) == prefix, (sys.prefix, prefix)
    library = sysconfig.get_config_var("INSTSONAME")
    assert (Path(sysconfig.get_config_var("LIBDIR")) / library).exists(), sysconfig.get_config_var("LIBDIR")
    assert (Path(sysconfig.get_config_var("INCLUDEPY")) / "Python.h").exists(), sysconfig.get_config_var("INCLUDEPY")
    for key, value in sysconfig.get_config_vars().items():
        assert not (isinstance(value, str) and "/libs/" in value), f"the build's folder in sysconfig: {key}={value}"


# Every object that this process has mapped is the system's C library or ours.
def check_mapped() -> None:
    system = ("libc", "libm", "libdl", "libpthread", "librt", "libutil", "ld-", "libgcc_s", "libnss_")
    for line in Path("/proc/self/maps").read_text().splitlines():
        path = line.split()[-1]
        if ".so" in path and not path.startswith(sys.prefix):
            assert Path(path).name.startswith(system), f"{path} is not in the prefix"


for name in MODULES:
    importlib.import_module(name)
check_libraries()
check_place()
check_mapped()
inside = sum(name in sys.builtin_module_names for name in MODULES)
print(sys.version, f"{len(MODULES)} extension modules imported, {inside} of them inside libpython")
