"""What a worker consists of: connections, processes for pictures, the loop, and signals."""

import functools
import logging
import signal
from dataclasses import replace

from ..db.engine import make_engine
from ..db.session import transaction_scope
from ..settings import ENV_PREFIX, PREFIX, Settings, SettingsError
from ..vision.pool import Pool, memory_limit
from ..vision_client import VisionClient
from .analysis import AnalysisJob
from .metrics import WorkerMetrics
from .worker import Worker

log = logging.getLogger(__name__)


def work(settings: Settings) -> None:
    """Examine pictures until SIGTERM or SIGINT. Raises SettingsError."""
    if not settings.vision_url:
        raise SettingsError(
            f"{PREFIX}vision_url: it is not set; set it in the ini file or as "
            f"{ENV_PREFIX}VISION_URL in the environment"
        )
    processes = settings.worker_processes
    memory = memory_limit(settings.image_max_bytes, settings.image_max_pixels)
    pool = Pool(processes, memory)
    # A connection for each picture, and one for the loop; half of the size is for requests that
    # read, of which there are none.
    own = replace(settings, database_pool_size=2 * (processes + 1))
    engine = make_engine(own, impatient=True)
    scope = functools.partial(transaction_scope, engine)
    metrics = WorkerMetrics()
    if settings.worker_listen:
        metrics.listen(settings.worker_listen)
    worker = Worker(scope, AnalysisJob(scope, pool, VisionClient.of(settings)), processes, metrics)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: worker.stop())
    log.info("examining pictures, %s at a time", processes)
    worker.run()
    engine.dispose()
    log.info("ended")
