"""Settings. What an operator changes comes from the environment; everything else is decided here."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Queue
from psycopg.conninfo import conninfo_to_dict

import config.celery  # noqa: F401  shared tasks find our broker in every process
from config import locations

# Work is spread over processes; threads of linear algebra inside each would only be in each other's way.
for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = locations.data_dir()
# Compiled kernels outlive the process; the code itself may lie where nobody can write.
os.environ.setdefault("NUMBA_CACHE_DIR", str(DATA_DIR / "cache" / "numba"))
running = locations.read_services()

DEBUG = env.bool("VITRINE_DEBUG", False)
SECRET_KEY = locations.secret_key()
TLS = env.bool("VITRINE_TLS", False)
ALLOWED_HOSTS = env.list("VITRINE_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("VITRINE_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "axes",
    "pgtrigger",
    "pghistory",
    "django_celery_beat",
    "samples",
    "measurements",
    "analysis",
    "frontend",
]

MIDDLEWARE = [
    "samples.middleware.RequestIdMiddleware",
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "samples.middleware.NulMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "samples.middleware.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "frontend.middleware.LocalTimeMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "frontend.context.frame",
            ],
        },
    }
]

# Database: any libpq URL, so that a Unix socket and a managed server are written alike.
DATABASE_URL = env.str("DATABASE_URL", running.get("DATABASE_URL", ""))
if not DATABASE_URL:
    raise ImproperlyConfigured(
        f"No database is running for the data folder {DATA_DIR}. Start Vitrine on it with `python3 manage.py "
        "up` in another terminal, name the right folder with --data DIR, or set DATABASE_URL to a PostgreSQL "
        "server."
    )
_conninfo = conninfo_to_dict(DATABASE_URL)
# A pool suits the web server's threads; in Celery's forked children it would share sockets (celery #10554).
IN_WORKER = Path(sys.argv[0]).name == "celery"
# Triggers ask for this setting at every row; while it is undefined each answer is a caught exception, which
# makes large transactions quadratic (measured: 20 000 samples in 5.5 s instead of 14.5 s).
_options = f"{_conninfo.pop('options', '')} -c pgtrigger.ignore={{}}".strip()
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _conninfo.pop("dbname", "vitrine"),
        "USER": _conninfo.pop("user", ""),
        "PASSWORD": _conninfo.pop("password", ""),
        "HOST": _conninfo.pop("host", ""),
        "PORT": _conninfo.pop("port", ""),
        "TEST": {"TEMPLATE": env.str("VITRINE_TEST_TEMPLATE", None)},  # of config.kept, with all tables
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 600 if IN_WORKER else 0,
        "OPTIONS": {
            **_conninfo,
            "options": _options,
            "prepare_threshold": 10**9,  # nothing by itself; only what samples/prepared.py asks for
            **({} if IN_WORKER else {"pool": {"min_size": 1, "max_size": 16, "timeout": 10}}),
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker. `unix:///path` is what redis-py takes; Celery writes the same thing differently.
REDIS_URL = env.str("REDIS_URL", running.get("REDIS_URL", "redis://localhost:6379/0"))
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("unix://"):  # kombu has other words for a socket and for the database's number on it
    CELERY_BROKER_URL = REDIS_URL.replace("unix:", "redis+socket:", 1).replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 2_000_000  # kB
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 870
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# With the broker down an upload must not wait: one quick try, and the sweep finds the row later.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 0.5,
    "socket_timeout": 30 if IN_WORKER else 0.5,
    "max_retries": 0,
}
# A worker takes from all of them in turn unless it is told which (-Q): reading uploads, runs in batches, runs
# that take long, and housekeeping. Within `fast` and `long` the rows say what is most urgent.
CELERY_TASK_QUEUES = [Queue(name, routing_key=name) for name in ("ingest", "fast", "long", "low")]
CELERY_TASK_DEFAULT_QUEUE = "low"
CELERY_TASK_ROUTES = {
    "measurements.tasks.read": {"queue": "ingest"},
    "measurements.tasks.record_batch": {"queue": "ingest"},
    "analysis.tasks.execute": {"queue": "fast"},
    "analysis.tasks.execute_batch": {"queue": "fast"},
    "analysis.tasks.execute_long": {"queue": "long"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "sweep what a killed worker or a lost message left": {
        "task": "analysis.tasks.sweep",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "finish uploads that are whole, and give up those that nobody goes on with": {
        "task": "measurements.tasks.sweep_uploads",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "remove what interrupted uploads left, every night": {
        "task": "measurements.tasks.sweep_store",
        "schedule": crontab(hour=3, minute=30),
    },
    "read stored files again, a slice every hour": {
        "task": "measurements.tasks.check_fixity",
        "schedule": crontab(minute=10),
        "options": {"expires": 3600},
    },
    "record batches that a killed worker left": {
        "task": "measurements.tasks.sweep_batches",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "read failed files again that a newer reader recognises, every night": {
        "task": "measurements.tasks.reread_failed",
        "schedule": crontab(hour=1, minute=30),
    },
    # The nightly reanalysis is a row of its own, which managers edit: analysis.services.schedule.
    "report reanalyses whose last run has ended": {
        "task": "analysis.tasks.finish_campaigns",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "deliver what webhooks wait for, and give up what is too old": {
        "task": "analysis.tasks.sweep_deliveries",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "derive anew what rests on values whose embargo or history changed, every hour": {
        "task": "analysis.tasks.derive_all",
        "schedule": crontab(minute=40),
        "options": {"expires": 3600},
    },
    "forget what became of old messages to webhooks, every night": {
        "task": "analysis.tasks.forget_old_deliveries",
        "schedule": crontab(hour=4, minute=20),
    },
    "ask again what rests on a calibration that was replaced or withdrawn": {
        "task": "analysis.tasks.recalibrate",
        "schedule": crontab(minute=40),
        "options": {"expires": 3600},
    },
    "mail what people should know": {
        "task": "analysis.tasks.mail_notices",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
}
CELERY_TIMEZONE = "UTC"

# People
AUTH_USER_MODEL = "samples.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_VERBOSE = False
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("VITRINE_MAIL_FROM", "vitrine@localhost")

# Times are stored in UTC and shown in the reader's own zone (frontend.middleware).
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = False

# Files
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("VITRINE_STATIC", str(DATA_DIR / "static")))
STATICFILES_DIRS: list[Path] = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "frontend.staticfiles.VitrineStaticFilesStorage"},
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "frontend.staticfiles.PlotlyFinder",
]
WHITENOISE_USE_FINDERS = False
RAW_FILES_DIR = DATA_DIR / "files"
STORAGE_URL = env.str("VITRINE_STORAGE_URL", "")  # s3://bucket/prefix?endpoint_url=…; empty: RAW_FILES_DIR
SCRATCH_DIR = Path(env.str("VITRINE_SCRATCH", str(DATA_DIR / "scratch")))  # of this machine alone, with S3
CACHE_BYTES = env.int("VITRINE_CACHE_BYTES", 10 * 1024**3)
MIN_FREE_BYTES = env.int("VITRINE_MIN_FREE_BYTES", 500 * 1024**2)
FIXITY_DAYS = env.int("VITRINE_FIXITY_DAYS", 90)
MAX_UPLOAD_BYTES = env.int("VITRINE_MAX_UPLOAD_BYTES", 4 * 1024**3)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "samples.authentication.OneQueryTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "samples.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "samples.pagination.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "samples.errors.one_shape",
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=365),
    "AUTH_HEADER_PREFIX": "Token",
    "AUTO_REFRESH": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vitrine",
    "DESCRIPTION": "Composite samples, their measurements, and what the measurements mean.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "MeasurementStatusEnum": "measurements.models.Measurement.Status",
        "MeasurementOriginEnum": "measurements.models.Measurement.Origin",
        "SampleStateEnum": "samples.models.Sample.State",
        "ExposureKindEnum": "samples.models.Exposure.Kind",
        "BatchStatusEnum": "measurements.models.Batch.Status",
        "DecisionKindEnum": "measurements.models.Decision.Kind",
        "AttachmentKindEnum": "measurements.models.Attachment.Kind",
        "CalibrationKindEnum": "analysis.models.Calibration.Kind",
        "RunStatusEnum": "analysis.models.Run.Status",
        "ValueOriginEnum": "analysis.models.Value.Origin",
    },
}

# Who may read /metrics: whoever has the token, and these networks. Behind a proxy everybody has its address.
METRICS_TOKEN = env.str("VITRINE_METRICS_TOKEN", "")
METRICS_NETWORKS = env.list("VITRINE_METRICS_NETWORKS", default=[] if TLS else ["127.0.0.0/8", "::1/128"])

# Hosts and networks inside the house that webhooks may call, over http too; else only public https.
WEBHOOK_ALLOW = env.list("VITRINE_WEBHOOK_ALLOW", default=[])

# Security
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
SECURE_HSTS_SECONDS = 31_536_000 if TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        # Plotly and htmx set element styles as they draw; there is no inline script anywhere.
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOG = env.str("VITRINE_LOG", "text")
if LOG not in ("text", "json"):
    raise ImproperlyConfigured(f"VITRINE_LOG is “{LOG}”; it may be text or json.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "config.logs.TextFormatter", "format": "%(levelname)s %(name)s%(about)s: %(message)s"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        # A line for every request is for machines to read.
        "vitrine.requests": {"level": "INFO" if LOG == "json" else "WARNING"},
    },
}
