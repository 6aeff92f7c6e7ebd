"""Modules in folders, found and read in fewer steps than `importlib` takes, while the application is imported.

What is found, and whether a `.pyc` is valid, is decided as `importlib.machinery.FileFinder` and `SourceFileLoader` do.
Whatever is out of the ordinary is left to them: path hooks, archives, namespace packages, extension modules, `.pyc` files
that are missing, outdated or checked by hash. They take some fifty microseconds more for each module, and a framework
has hundreds: a fifteenth of the whole import.
"""

import marshal
import posix
import sys

import _frozen_importlib
import _frozen_importlib_external as external
import _imp

_CACHED = f".{sys.implementation.cache_tag}.pyc"
_EXTENSIONS = tuple(_imp.extension_suffixes())
# PEP 552: the times are compared, or nothing is.
_TIMED, _UNCHECKED = b"\0\0\0\0", b"\1\0\0\0"
_CODE = type((lambda: None).__code__)


def find_spec(name, path=None, target=None):
    """The module itself is the finder, and stands before `PathFinder`: what a tool puts between the two is asked first,
    and what it puts in the place of either is asked alone."""
    try:
        if sys.meta_path[sys.meta_path.index(_finder) + 1] is not external.PathFinder:
            return None
    except (ValueError, IndexError):
        return None
    tail = name.rpartition(".")[2]
    for folder in sys.path if path is None else path:
        names = _names(folder)
        if names is None:
            continue
        if names is _STRANGE:
            return None
        if tail in names:
            return _package(name, f"{folder}/{tail}")
        for suffix in _EXTENSIONS:
            if tail + suffix in names:
                return None
        if f"{tail}.py" in names or f"{tail}.pyc" in names:
            return _module(name, f"{folder}/{tail}", names)
    return None


_finder = None  # the module itself, once it is one
_STRANGE = frozenset()

# Tools that change what is imported (checks of types, traces) give folders finders with loaders of their own, or give
# Python's finders and loaders other methods.
_loaders = None  # those that finders have ordinarily
_ordinary = set()  # the finders that were looked at, and have them


def _methods(loader):
    found = external.FileFinder.find_spec, vars(external.PathFinder)["find_spec"]
    return loader.create_module, loader.get_code, loader.get_data, *found


_METHODS = {loader: _methods(loader) for loader in (external.SourceFileLoader, external.SourcelessFileLoader)}


def _names(folder):
    """The names in a folder, `None` where there is none, `_STRANGE` where another finder is at home."""
    if type(folder) is not str or folder[:1] != "/" or folder[-1:] == "/":
        return _STRANGE
    finder = external.PathFinder._path_importer_cache(folder)
    if finder is None:
        return None
    if finder not in _ordinary:
        if type(finder) is not external.FileFinder or finder._loaders != _loaders or "find_spec" in vars(finder):
            return _STRANGE
        _ordinary.add(finder)
    try:
        modified = posix.stat(folder).st_mtime
    except OSError:
        return _STRANGE
    if modified != finder._path_mtime:
        finder._fill_cache()
        finder._path_mtime = modified
    return finder._path_cache


def _package(name, folder):
    names = _names(folder)
    # A folder of other things, or without __init__, may be passed over, or be one of several.
    if not names or any(f"__init__{suffix}" in names for suffix in _EXTENSIONS):
        return None
    spec = _module(name, f"{folder}/__init__", names)
    if spec is not None:
        spec.submodule_search_locations = [folder]
    return spec


def _module(name, stem, names):
    """The specification of a module whose file is this and `.py` or `.pyc`."""
    folder, _, tail = stem.rpartition("/")
    if f"{tail}.py" in names:
        path, cached, kind = f"{stem}.py", f"{folder}/__pycache__/{tail}{_CACHED}", _SourceLoader
    elif f"{tail}.pyc" in names:
        path = cached = f"{stem}.pyc"
        kind = _BytecodeLoader
    else:
        return None
    usual = kind.__base__
    if _methods(usual) != _METHODS[usual]:
        return None
    try:
        stat = posix.stat(path)
    except OSError:
        return None
    if stat.st_mode & 0o170000 != 0o100000:  # no file
        return None
    loader = kind(name, path)
    loader.stat = stat
    spec = _frozen_importlib.ModuleSpec(name, loader, origin=path)
    spec._set_fileattr = True  # `__file__` and `__cached__`, as in `spec_from_file_location`
    spec._cached = cached
    return spec


class _SourceLoader(external.SourceFileLoader):
    """A `SourceFileLoader` from its first use on, and for everybody who looks at it later.

    The code is read one step early, so that no frame of ours is in the traceback where importlib has to complain."""

    reads_ahead = True

    def create_module(self, spec):
        _prepare(self, spec.cached, self.path)

    def get_code(self, fullname):
        return _prepared(self) or type(self).get_code(self, fullname)  # tools for monitoring give loaders their own


class _BytecodeLoader(external.SourcelessFileLoader):
    """The same without a source."""

    reads_ahead = True

    def create_module(self, spec):
        _prepare(self, self.path, None)

    def get_code(self, fullname):
        return _prepared(self) or type(self).get_code(self, fullname)  # tools for monitoring give loaders their own


def _prepare(loader, pyc, source):
    loader.code = _code(pyc, source, loader.stat)
    if loader.code is None:
        _prepared(loader)


def _prepared(loader):
    """Gives the loader's code object, once, and makes the loader what importlib would have taken."""
    if type(loader) in (_SourceLoader, _BytecodeLoader):
        loader.__class__ = type(loader).__base__
    own = vars(loader)
    own.pop("stat", None)
    return own.pop("code", None)


def _code(pyc, source, stat):
    """The code object in a `.pyc`; `None` if that is for importlib to decide, or to complain about. `stat` is that of
    the source, which is `None` where there is none."""
    try:
        data = _read(pyc)
        if data[:4] != external.MAGIC_NUMBER:
            return None
        flags = data[4:8]
        if flags != _UNCHECKED and (flags != _TIMED or source is not None and data[8:16] != _stamp(stat)):
            return None
        code = marshal.loads(memoryview(data)[16:])
    except (OSError, EOFError, ValueError, TypeError):
        return None
    if type(code) is not _CODE:
        return None
    if source is not None:
        _imp._fix_co_filename(code, source)
    return code


def _read(path):
    descriptor = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        return posix.read(descriptor, posix.fstat(descriptor).st_size)
    finally:
        posix.close(descriptor)


def _stamp(stat):
    """What a `.pyc` holds of the source that it was made from: time and size."""
    return b"".join((int(number) & 0xFFFFFFFF).to_bytes(4, "little") for number in (stat.st_mtime, stat.st_size))


def find_quickly():
    """From here on, if this Python's importlib is as it is known here and nothing was set that it would do otherwise."""
    global _finder, _loaders
    _finder = sys.modules[__name__]
    find_as_ever()
    known = all(
        hasattr(owner, name)
        for owner, name in (
            (external, "_get_supported_file_loaders"),
            (external.FileFinder, "_fill_cache"),
            (external.PathFinder, "_path_importer_cache"),
            (_imp, "_fix_co_filename"),
        )
    )
    ordinary = sys.implementation.cache_tag and not sys.pycache_prefix and not sys.flags.optimize
    ordinary = ordinary and _imp.check_hash_based_pycs == "default"
    if known and ordinary and external.PathFinder in sys.meta_path:
        if _loaders is None:  # what tools make of it later is not ordinary
            _loaders = external.FileFinder("/", *external._get_supported_file_loaders())._loaders
        sys.meta_path.insert(sys.meta_path.index(external.PathFinder), _finder)


def names_in(folder):
    """The names in a folder; none if there is no such folder. They are kept for the modules that are looked for in it."""
    names = _names(folder) if _finder in sys.meta_path else _STRANGE
    if names is _STRANGE:
        try:
            return posix.listdir(folder)
        except OSError:
            pass
    return names or ()


def find_as_ever():
    _ordinary.clear()
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
