"""Django settings, all of them derived from the environment (see docs/settings.md)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext

from config.embedded import load_or_make
from config.environment import ROOT, read_environment
from ingest.telling.address import parse_networks

django_stubs_ext.monkeypatch()

ENVIRONMENT = read_environment()
DATA_DIR = ENVIRONMENT.data_dir
EMBEDDED = load_or_make(DATA_DIR, web_port=urlsplit(ENVIRONMENT.public_url).port)

BASE_DIR = ROOT
DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value() or EMBEDDED.secret_key
ALLOWED_HOSTS = [host.strip() for host in ENVIRONMENT.allowed_hosts.split(",")]
PUBLIC_URL = ENVIRONMENT.public_url.rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
WEBHOOK_NETWORKS = parse_networks(ENVIRONMENT.webhook_networks)
CLIENT_ADDRESS_HEADER = ENVIRONMENT.client_address_header

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
    "storage",
    "registry",
    "ingest",
    "ocr",
    "dossier",
    "logistics",
    "workers",
    "config",
]

MIDDLEWARE = [
    "config.middleware.couriers_first",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.pages.policy.content_policy",
    "config.middleware.refusals",
    "config.idempotency.idempotent_calls",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = True

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.chrome",
            ],
        },
    },
]


SQLITE = {
    # Writers queue instead of failing: take the write lock at BEGIN and wait for it.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}
"""Every SQLite, wherever its file lies: without them two writers at once are one that fails."""


def _database() -> dict[str, Any]:
    url = ENVIRONMENT.database_url.get_secret_value()
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "tongban.sqlite3",
            "OPTIONS": SQLITE,
        }
    named = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    return named | {"OPTIONS": SQLITE} if named["ENGINE"] == "django.db.backends.sqlite3" else named


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "registry.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "SAMEORIGIN"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 << 20
UPLOAD_MAX_BYTES = ENVIRONMENT.upload_max_mb << 20
UPLOAD_KEEP_HOURS = ENVIRONMENT.upload_keep_hours
SPOOL_DIR = Path(ENVIRONMENT.spool_dir) if ENVIRONMENT.spool_dir else DATA_DIR / "spool"
WATCH_FOLDERS = ENVIRONMENT.watch_folders
CLAMAV = ENVIRONMENT.clamav
CLAMAV_AWAY = ENVIRONMENT.clamav_away

CELERY_BROKER_URL = ENVIRONMENT.broker_url.get_secret_value() or (
    f"redis://:{EMBEDDED.redis_password}@127.0.0.1:{EMBEDDED.redis_port}/0"
)

FIELD_KEYS = [
    key.strip() for key in (ENVIRONMENT.field_keys.get_secret_value() or EMBEDDED.field_key).split(",")
]
INDEX_KEY = ENVIRONMENT.index_key.get_secret_value() or EMBEDDED.index_key
TOKEN_KEYS = [
    key.strip() for key in (ENVIRONMENT.token_keys.get_secret_value() or EMBEDDED.token_key).split(",")
]

S3_ENDPOINT = ENVIRONMENT.s3_endpoint or f"http://127.0.0.1:{EMBEDDED.s3_port}"
S3_ACCESS_KEY = ENVIRONMENT.s3_access_key or EMBEDDED.s3_access_key
S3_SECRET_KEY = ENVIRONMENT.s3_secret_key.get_secret_value() or EMBEDDED.s3_secret_key
S3_REGION = ENVIRONMENT.s3_region
S3_ADDRESSING = ENVIRONMENT.s3_addressing
S3_BUCKET = ENVIRONMENT.s3_bucket
S3_ARCHIVE_BUCKET = ENVIRONMENT.s3_archive_bucket
S3_LOCK_MODE = ENVIRONMENT.lock_mode
S3_LOCK_DAYS = ENVIRONMENT.lock_days

OCR_ENGINE = ENVIRONMENT.ocr_engine
OCR_BACKEND = ENVIRONMENT.ocr_backend
SIGNATURE_LEVEL = ENVIRONMENT.signature_level
TSA_URL = ENVIRONMENT.tsa_url
STAMP_RENEWAL_DAYS = ENVIRONMENT.stamp_renewal_days
TRUST_ROOTS = ENVIRONMENT.trust_roots
SEAL_SECRETS = {code: secret.get_secret_value() for code, secret in ENVIRONMENT.seal_secrets.items()}
PKCS11_MODULE = ENVIRONMENT.pkcs11_module
AUTHORITY_DIR = DATA_DIR / "authority"
INBOX_DAYS = ENVIRONMENT.inbox_days
INBOX_FORGED_DAYS = ENVIRONMENT.inbox_forged_days
JOB_LEASE_SECONDS = ENVIRONMENT.job_lease_seconds
CELERY_CONCURRENCY = ENVIRONMENT.celery_concurrency

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"tongban": {"level": "INFO"}},
}
