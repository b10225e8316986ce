"""The one Celery task: it carries the number of a job, nothing else."""

from celery import shared_task
from django.utils import timezone

from workers.running import run


@shared_task(name="workers.run_job", ignore_result=True, acks_late=True)
def run_job(job_id: int) -> None:
    """Harmless to deliver twice or for a job that is done: the claim decides."""
    run(job_id=job_id, clock=timezone.now)
