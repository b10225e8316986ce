"""The Celery application: how messages travel. What has to be done is remembered by the database, not here."""

import os

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

TASK = "workers.run_job"
# A process that hangs is ended after this long; its job is then taken up by the reaper. Less than the half hour
# after which RabbitMQ shuts out a consumer that has not acknowledged.
TIME_LIMIT = 25 * 60
# A process that reads settles below 0.8 GiB; one that has grown beyond 1.5 GiB is replaced.
MEMORY_LIMIT_KB = 1_572_864

app = Celery("tongban")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 2 * TIME_LIMIT}
    if settings.CELERY_BROKER_URL.startswith("redis")
    else {},
    imports=["workers.tasks"],
    task_acks_late=True,
    task_ignore_result=True,
    task_time_limit=TIME_LIMIT,
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2},
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_concurrency=settings.CELERY_CONCURRENCY,
    worker_max_memory_per_child=MEMORY_LIMIT_KB,
    worker_hijack_root_logger=False,
    timezone="UTC",
)


@worker_process_init.connect
def make_ready_to_read(**_: object) -> None:
    """A worker process of the queue that pages come through loads its engine at once, and not with its first page."""
    if app.conf.task_default_queue in app.amqp.queues.consume_from:
        # Only workers need what this brings in.
        from ocr.warming import begin_warming  # noqa: PLC0415

        begin_warming(settings.OCR_ENGINE, settings.OCR_BACKEND)


def send(job_id: int) -> None:
    """Raises kombu.exceptions.OperationalError when the broker is away."""
    app.send_task(TASK, args=(job_id,))
