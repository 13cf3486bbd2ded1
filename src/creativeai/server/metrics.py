"""What Prometheus reads at /metrics."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

NO_MODEL = ""
"""Label of what is no model's."""
# Every one's place is kept from the start: a rate needs a zero to begin at.
_REASONS = ("queue_full", "server_full", "rate_limit", "deadline", "no_key")
_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one app, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "creativeai_http_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "creativeai_http_request_duration_seconds",
            "Time from a request's arrival in the app to its answer",
            ["route", "model"],
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "creativeai_http_requests_in_progress",
            "HTTP requests being worked on or waiting for pictures",
            registry=self.registry,
        )
        self.errors = Counter(
            "creativeai_errors",
            "Answers that are errors, by their code",
            ["code"],
            registry=self.registry,
        )
        self.refused = Counter(
            "creativeai_refused_requests",
            "Requests refused for load, rate, time or lack of a key",
            ["model", "reason"],
            registry=self.registry,
        )
        for reason in _REASONS:
            self.refused.labels(NO_MODEL, reason)
        self.pictures = Counter(
            "creativeai_pictures", "Pictures generated", ["model"], registry=self.registry
        )
        self.picture_seconds = Histogram(
            "creativeai_picture_duration_seconds",
            "Time an engine took for a picture",
            ["model"],
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.stage_seconds = Histogram(
            "creativeai_stage_duration_seconds",
            "Time of each stage of a picture: encode_text, generate, encode_image",
            ["model", "stage"],
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "creativeai_queue_depth_pictures",
            "Pictures waiting for an engine",
            ["model"],
            registry=self.registry,
        )

    def picture_observer(self, model: str) -> Callable[[float], None]:
        """The function to tell of each picture of this model: the seconds it took."""
        pictures = self.pictures.labels(model)
        picture_seconds = self.picture_seconds.labels(model)

        def observe(seconds: float) -> None:
            pictures.inc()
            picture_seconds.observe(seconds)

        return observe

    def stage_observer(self, model: str) -> Callable[[str, float], None]:
        """The function to tell of each stage of this model's pictures: its name and the seconds it took."""

        def observe(stage: str, seconds: float) -> None:
            self.stage_seconds.labels(model, stage).observe(seconds)

        return observe
