from orders.models import Note


def report(exception, event, context):
    """Zappa's exception_handler. A lost message is not worth a retry."""
    Note.objects.create(text=f"{type(exception).__name__}: {exception}")
    return isinstance(exception, KeyError)
