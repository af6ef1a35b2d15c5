"""An S3 to test against: moto's server, in a thread of this process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer


@contextmanager
def bucket() -> Iterator[str]:
    """VITRINE_STORAGE_URL of a fresh bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address, name = f"http://{host}:{port}", f"vitrine-{uuid.uuid4().hex[:8]}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="somebody",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=name)
    try:
        yield f"s3://somebody:secret@{name}/lab?endpoint_url={address}&region_name=us-east-1&addressing_style=path"
    finally:
        server.stop()
