"""Exceptions in words."""


def describe(exception):
    """A class name, a message and a list of traceback elements, of which each ends in a newline.

    Frames of the import system are left out; ours never show, since the application is called from Rust.
    """
    name = type(exception).__name__
    try:
        message = str(exception)
    except BaseException:
        message = "<the exception could not be shown>"
    try:
        trace = [encodable(line) for line in _trace(exception)]
    except BaseException:  # a traceback is worth less than the error it describes
        trace = []
    return name, encodable(message), trace


def encodable(text):
    """Lone surrogates can be in a str but not in a log."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _trace(exception):
    import traceback

    shown = traceback.TracebackException.from_exception(exception)
    part = shown
    while part is not None:
        frames = [frame for frame in part.stack if not frame.filename.startswith("<frozen importlib")]
        part.stack = traceback.StackSummary.from_list(frames)
        part = part.__cause__ or part.__context__
    lines = list(shown.format())
    if lines and lines[0].startswith("Traceback (most recent call last)"):
        del lines[0]
    last = list(shown.format_exception_only())
    if not isinstance(exception, SyntaxError) and lines[-len(last) :] == last:
        del lines[-len(last)]  # `Type: message` is told apart from the trace; notes stay
    return lines
