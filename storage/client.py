"""The one S3 client: every write carries its digests, every read is checked against one."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from storage.errors import Refused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

CHUNK = 1 << 20


class Unavailable(Refused):
    """The object store did not answer or refused us; the same act may succeed later."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "storage_unavailable", "文件库暂时无法访问，请稍后再试；已上传的内容不会丢失。", can_retry=True
        )
        self.cause = cause


class Damaged(Refused):
    """Stored bytes are not the bytes that were stored, or are gone."""

    def __init__(self, key: str, fault: str) -> None:
        super().__init__(
            "storage_damaged", "库存文件与登记的指纹不符或已缺失，请联系管理员运行 storage_check。"
        )
        self.key = key
        self.fault = fault


@dataclass(frozen=True)
class Digests:
    """What a file is: SHA-256 (hex), MD5 (base64, as the Content-MD5 header wants it) and size in bytes."""

    sha256: str
    content_md5: str
    size: int


@dataclass(frozen=True)
class Listed:
    bucket: str
    key: str
    size: int
    modified: datetime


def digest(file: IO[bytes]) -> Digests:
    """Read the file from its start to its end and rewind it."""
    sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    file.seek(0)
    while block := file.read(CHUNK):
        sha.update(block)
        md5.update(block)
        size += len(block)
    file.seek(0)
    return Digests(sha.hexdigest(), base64.b64encode(md5.digest()).decode(), size)


class ObjectStore:
    """A thin wrapper that holds the client rules which every S3 server we know obeys.

    Content-MD5 is sent with each write because it is the one check that all servers enforce; newer
    checksum trailers are left off because several refuse them.
    """

    def __init__(
        self, *, endpoint: str, access_key: str, secret_key: str, region: str, addressing: str
    ) -> None:
        config = Config(
            region_name=region,
            signature_version="s3v4",
            s3={"addressing_style": "virtual" if addressing == "virtual" else "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "max_attempts": 4},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=16,
        )
        self.client: S3Client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=config,
        )
        self._lockable: dict[str, bool] = {}

    def ensure_bucket(self, bucket: str, *, lockable: bool = False) -> None:
        """Make the bucket when it is missing, with object lock when asked for and the server can."""
        try:
            self.client.head_bucket(Bucket=bucket)
            return
        except ClientError as fault:
            if _status(fault) != 404:
                raise Unavailable(str(fault)) from fault
        except BotoCoreError as fault:
            raise Unavailable(str(fault)) from fault
        try:
            if lockable:
                self.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
            else:
                self.client.create_bucket(Bucket=bucket)
        except ClientError as fault:
            if fault.response["Error"]["Code"] in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                return
            raise Unavailable(str(fault)) from fault

    def can_lock(self, bucket: str) -> bool:
        """Whether this bucket really holds object locks; asked of the server once, not assumed."""
        if bucket not in self._lockable:
            try:
                answer = self.client.get_object_lock_configuration(Bucket=bucket)
                enabled = answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
            except ClientError as fault:
                if _status(fault) >= 500:
                    raise Unavailable(str(fault)) from fault
                enabled = False
            except BotoCoreError as fault:
                raise Unavailable(str(fault)) from fault
            self._lockable[bucket] = enabled
        return self._lockable[bucket]

    def put(
        self,
        *,
        bucket: str,
        key: str,
        file: IO[bytes],
        digests: Digests,
        media_type: str,
        lock_mode: str = "",
        locked_until: datetime | None = None,
    ) -> None:
        lock = (
            {"ObjectLockMode": lock_mode, "ObjectLockRetainUntilDate": locked_until}
            if lock_mode and locked_until
            else {}
        )
        try:
            self.client.put_object(
                Bucket=bucket,
                Key=key,
                Body=file,
                ContentLength=digests.size,
                ContentMD5=digests.content_md5,
                ContentType=media_type,
                Metadata={"sha256": digests.sha256},
                **lock,  # type: ignore[arg-type]
            )
        except (ClientError, BotoCoreError) as fault:
            raise Unavailable(str(fault)) from fault

    def size_of(self, *, bucket: str, key: str) -> int | None:
        """Size in bytes, or None when there is no such object."""
        head = self._head(bucket, key)
        return head and int(head["ContentLength"])

    def locked_until(self, *, bucket: str, key: str) -> datetime | None:
        """The end of the newest version's lock, or None when it has none or is not there."""
        head = self._head(bucket, key)
        until: datetime | None = head.get("ObjectLockRetainUntilDate") if head else None
        return until and until.astimezone(UTC)

    def _head(self, bucket: str, key: str) -> "HeadObjectOutputTypeDef | None":
        """What the server says of the newest version, or None when there is no such object."""
        try:
            return self.client.head_object(Bucket=bucket, Key=key)
        except ClientError as fault:
            if _status(fault) == 404:
                return None
            raise Unavailable(str(fault)) from fault
        except BotoCoreError as fault:
            raise Unavailable(str(fault)) from fault

    def lock(self, *, bucket: str, key: str, mode: str, until: datetime) -> None:
        """Lock the newest version; a lock that lasts longer stays as it is at every server."""
        try:
            self.client.put_object_retention(
                Bucket=bucket,
                Key=key,
                Retention={"Mode": mode, "RetainUntilDate": until},  # type: ignore[misc, arg-type]
            )
        except (ClientError, BotoCoreError) as fault:
            raise Unavailable(str(fault)) from fault

    def versions(self, *, bucket: str, key: str) -> Iterator[str]:
        """Every version of this object, newest first. Deletions are not among them."""
        try:
            pages = self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
            for page in pages:
                yield from (entry["VersionId"] for entry in page.get("Versions", []) if entry["Key"] == key)
        except (ClientError, BotoCoreError) as fault:
            raise Unavailable(str(fault)) from fault

    def stream(self, *, bucket: str, key: str, sha256: str, version: str = "") -> Iterator[bytes]:
        """The bytes of the newest or the named version, in blocks; raises Damaged after the last block when they are
        not the right ones."""
        which: dict[str, str] = {"VersionId": version} if version else {}
        try:
            body = self.client.get_object(Bucket=bucket, Key=key, **which)["Body"]  # type: ignore[arg-type]
            sha = hashlib.sha256()
            for block in body.iter_chunks(CHUNK):
                sha.update(block)
                yield block
        except ClientError as fault:
            if _status(fault) == 404:
                raise Damaged(key, "missing") from fault
            raise Unavailable(str(fault)) from fault
        except BotoCoreError as fault:
            raise Unavailable(str(fault)) from fault
        if sha.hexdigest() != sha256:
            raise Damaged(key, "digest")

    def fetch(self, *, bucket: str, key: str, sha256: str, path: Path, version: str = "") -> None:
        """Write the object to `path`; the file appears there only when its digest is right."""
        draft = path.with_name(f".{path.name}.part")
        try:
            with draft.open("wb") as file:
                for block in self.stream(bucket=bucket, key=key, sha256=sha256, version=version):
                    file.write(block)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def read_range(self, *, bucket: str, key: str, first: int, last: int) -> bytes:
        """Bytes first..last inclusive. A part cannot be checked against the digest of the whole."""
        try:
            answer = self.client.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")
            return answer["Body"].read()
        except (ClientError, BotoCoreError) as fault:
            raise Unavailable(str(fault)) from fault

    def list(self, *, bucket: str, prefix: str = "") -> Iterator[Listed]:
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    modified = entry["LastModified"].astimezone(UTC)
                    yield Listed(bucket, entry["Key"], int(entry["Size"]), modified)
        except (ClientError, BotoCoreError) as fault:
            raise Unavailable(str(fault)) from fault


def _status(fault: ClientError) -> int:
    return int(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@lru_cache(maxsize=8)
def _store(endpoint: str, access_key: str, secret_key: str, region: str, addressing: str) -> ObjectStore:
    return ObjectStore(
        endpoint=endpoint, access_key=access_key, secret_key=secret_key, region=region, addressing=addressing
    )


def store() -> ObjectStore:
    """The store that the settings name."""
    return _store(
        settings.S3_ENDPOINT,
        settings.S3_ACCESS_KEY,
        settings.S3_SECRET_KEY,
        settings.S3_REGION,
        settings.S3_ADDRESSING,
    )
