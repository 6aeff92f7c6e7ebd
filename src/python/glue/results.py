"""What a function for events returns, as JSON.

Deferred: requests do not need it.
"""

import decimal
import json


def to_json(result):
    """Returns the JSON of a function's result as bytes, as AWS's runtime writes it: with NaN, and with numbers for
    Decimal. Bytes are taken for JSON already."""
    if isinstance(result, bytes):
        return result
    text = json.dumps(result, ensure_ascii=False, default=_number)
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can write
        return json.dumps(result, default=_number).encode()


def _number(value):
    if not isinstance(value, decimal.Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    if value.is_finite() and value == value.to_integral_value():
        return int(value)
    return float(value)
