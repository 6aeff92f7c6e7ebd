"""Exceptions as text, for error reports."""


def describe(exception):
    """Returns the class's name, the message, and the traceback as a list of strings that each end with a newline.

    Frames of the import system are left out. Frames of ours never appear, since Rust calls the application.
    """
    name = type(exception).__name__
    try:
        message = str(exception)
    except BaseException:
        message = "<the exception could not be shown>"
    try:
        trace = [encodable(line) for line in _trace(exception)]
    except BaseException:  # the error matters more than its traceback
        trace = []
    return name, encodable(message), trace


def encodable(text):
    """Returns the text with lone surrogates escaped: a str can hold them, a log cannot."""
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
        del lines[-len(last)]  # the line `Type: message`, which is reported separately; notes stay
    return lines
