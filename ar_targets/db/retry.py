"""Retries of a transaction after a conflict: how often, until when, and the pauses between.

pyramid_retry runs a request again; `pause` waits before it does. Nodes of a cluster find out about
each other's changes at COMMIT, so writers that meet on one row fail again and again unless
they come back at different moments: the pauses are random, below a bound that doubles ("full
jitter": M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015).
"""

import random
import time

from pyramid.config import Configurator
from pyramid_retry import IBeforeRetry

# Attempts of a transaction, where `engine.is_retryable` allows a retry.
ATTEMPTS = 12
# Seconds after which a request is not tried again. Three waits for a lock, of three seconds each,
# fit in.
LONGEST_RETRYING = 8
# Bounds in seconds of the first pause and of the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.64


def pause(attempt: int) -> None:
    """Wait before the attempt after ``attempt``, which counts from 0."""
    bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
    time.sleep(random.uniform(0, bound))  # noqa: S311  nobody gains by guessing it


def before_retry(event: IBeforeRetry) -> None:
    """pyramid_retry's event: the transaction has ended, its connection is back in the pool."""
    pause(event.environ["retry.attempt"])


def includeme(config: Configurator) -> None:
    """Pause before each retry of a request."""
    config.add_subscriber(before_retry, IBeforeRetry)
