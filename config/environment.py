"""Everything that an operator may set, read once from the environment (prefix TONGBAN_)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """Operator settings. An empty value means the embedded default described beside it."""

    model_config = SettingsConfigDict(env_prefix="TONGBAN_", frozen=True)

    data_dir: Path = Field(
        default=ROOT / "var", description="Where embedded services keep their data, keys and logs."
    )
    debug: bool = Field(default=False, description="Django debug pages. Never in production.")
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signs sessions and forms. Empty: generated under the data folder."
    )
    field_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Comma-separated Fernet keys for personal data at rest, newest first; old ones still read. "
        "Empty: generated under the data folder.",
    )
    index_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key of the blind indexes that find encrypted values. Empty: generated under the data folder.",
    )
    token_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Comma-separated keys that authenticate QR tokens, newest first. "
        "Empty: generated under the data folder.",
    )
    allowed_hosts: str = Field(
        default="localhost,127.0.0.1,[::1]",
        description="Comma-separated host names that the pages answer to.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address printed on slips and given to couriers for their webhooks.",
    )
    client_address_header: str = Field(
        default="",
        description="Header in which your reverse proxy tells the caller's address, e.g. X-Real-IP; the proxy must "
        "overwrite what callers send. Empty: the connection's own address.",
    )
    webhook_networks: str = Field(
        default="",
        description="Comma-separated networks inside the house to which webhooks for platforms may go, e.g. "
        "10.20.0.0/16; in an allowed loopback plain http too. Empty: https at public addresses only.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="postgresql://user:password@host:port/name. Empty: SQLite under the data folder.",
    )
    broker_url: SecretStr = Field(
        default=SecretStr(""),
        description="redis:// or amqp:// address for Celery. Empty: the embedded Redis.",
    )
    s3_endpoint: str = Field(
        default="", description="Address of the S3 service. Empty: the embedded SeaweedFS."
    )
    s3_access_key: str = Field(default="", description="S3 access key. Empty: the embedded one.")
    s3_secret_key: SecretStr = Field(
        default=SecretStr(""), description="S3 secret key. Empty: the embedded one."
    )
    s3_region: str = Field(default="us-east-1", description="Region name used in S3 signatures.")
    s3_addressing: Literal["path", "virtual"] = Field(
        default="path", description="path for self-hosted stores, virtual for Aliyun OSS and Tencent COS."
    )
    s3_bucket: str = Field(default="tongban", description="Bucket of page images and source files.")
    s3_archive_bucket: str = Field(
        default="tongban-archive",
        description="Bucket of dossiers, slips, electronic results, statements and settlements; locked.",
    )
    lock_mode: Literal["COMPLIANCE", "GOVERNANCE", "OFF"] = Field(
        default="GOVERNANCE",
        description="Object lock of archived files where the store supports it. COMPLIANCE cannot be undone by anyone.",
    )
    lock_days: int = Field(default=3650, description="How long archived files stay locked, in days.")
    upload_max_mb: int = Field(default=200, description="Largest single uploaded file, in megabytes.")
    upload_keep_hours: int = Field(
        default=24,
        description="How long an interrupted upload may be continued, in hours after its last piece.",
    )
    spool_dir: str = Field(
        default="",
        description="Where pieces of uploads wait until they are whole. Several web servers need one folder that all "
        "of them see. Empty: `spool/` under the data folder.",
    )
    watch_folders: dict[str, Path] = Field(
        default={},
        description="JSON of window code to the folder into which its scanners write, e.g. "
        '`{"330681-01": "/srv/scans/zhuji"}`. Empty: no folder is watched.',
    )
    clamav: str = Field(
        default="",
        pattern=r"^$|^/.+|^.+:\d+$",
        description="Socket of clamd: `/run/clamav/clamd.ctl` or `host:port`. Empty: files are not checked for viruses.",
    )
    clamav_away: Literal["refuse", "accept"] = Field(
        default="refuse",
        description="What happens to a file that clamd cannot check: refuse it until it can, or accept it with a note.",
    )
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        default="rapidocr", description="First reader of pages."
    )
    ocr_backend: Literal["auto", "openvino", "onnxruntime"] = Field(
        default="auto", description="What RapidOCR computes with; auto chooses by the processor."
    )
    signature_level: Literal["B-B", "B-T", "B-LT", "B-LTA"] = Field(
        default="B-LTA", description="PAdES level of dossiers."
    )
    tsa_url: str = Field(
        default="",
        description="RFC 3161 timestamp service. Empty: the local authority stamps (not for production).",
    )
    stamp_renewal_days: int = Field(
        default=180,
        description="How many days before its certificate ends the last timestamp of a dossier is renewed. "
        "The timestamp service must have a younger certificate by then.",
    )
    trust_roots: str = Field(
        default="",
        description="PEM file of the certificate authorities that seals must chain to. Empty: the local authority.",
    )
    seal_secrets: dict[str, SecretStr] = Field(
        default={},
        description="JSON of seal code to passphrase (PKCS#12), PIN (PKCS#11) or `client:secret:pin` (seal platform; "
        'parts that contain a colon percent-encoded, each may be empty), e.g. `{"window-1": "…"}`.',
    )
    pkcs11_module: str = Field(
        default="",
        description="Library of the PKCS#11 device that holds seals; references read `token:label`.",
    )
    inbox_days: int = Field(
        default=180,
        ge=1,
        description="How many days the content of couriers' pushes is kept; then it is emptied, the line stays. "
        "Two billing months and a dispute should fit in.",
    )
    inbox_forged_days: int = Field(
        default=14, ge=1, description="The same for forged pushes, whose counts stay."
    )
    celery_concurrency: int = Field(default=2, description="Worker processes.")
    job_lease_seconds: int = Field(
        default=60, description="How long a worker may be silent before its job is given to another."
    )


def read_environment() -> Environment:
    return Environment()
