"""The command line of wsgi-lambda; `python -m wsgi_lambda` runs it. Applications need nothing from here."""
