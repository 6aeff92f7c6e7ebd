import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent

# Set SECRET_KEY on a deployed function: each execution environment would draw
# its own key otherwise, and a session signed by one is refused by the next.
SECRET_KEY = os.environ.get("SECRET_KEY") or get_random_secret_key()

DEBUG = os.environ.get("DEBUG") == "1"

# The default covers the host names AWS gives out (execute-api, lambda-url, ELB);
# a custom domain has to be named.
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", ".amazonaws.com,.on.aws,localhost").split(",")

INSTALLED_APPS = [
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]

ROOT_URLCONF = "mysite.urls"
WSGI_APPLICATION = "mysite.wsgi.application"

# Nothing to store on the server: no database, no files on a read-only disk.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_HTTPONLY = True

# WhiteNoise makes Django build this URL before the first request. So the stage or base path has to be in it.
STATIC_URL = os.environ.get("WSGI_LAMBDA_BASE_PATH", "").rstrip("/") + "/static/"
WHITENOISE_STATIC_PREFIX = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Serve straight from STATICFILES_DIRS, which saves this example a collectstatic step.
WHITENOISE_USE_FINDERS = True

USE_TZ = True

# Without DEBUG Django mails tracebacks to the admins; on Lambda they belong in the log.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
