from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creativeai.server.app import create_app
from creativeai.server.limits import Limits
from creativeai.server.rates import RateLimiter
from creativeai.server.settings import ServerSettings
from server.test_bad_requests import error_of

URL = "/v1/images/generations"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0, 50), st.integers(1, 64)), max_size=60),
)
def test_the_rate_holds_and_what_is_told_is_true(rate: int, asked: list[tuple[float, int]]) -> None:
    clock = Clock()
    limiter = RateLimiter(rate, clock=clock)
    num_taken = 0
    largest = 0
    for pause, num in asked:
        clock.now += pause
        retry_after = limiter.take("me", num)
        if retry_after is not None:
            assert retry_after >= 1
            clock.now += retry_after
            assert limiter.take("me", num) is None, "after the time told it is let through"
        num_taken += num
        largest = max(largest, num)
        assert num_taken <= rate + rate * clock.now / 60 + largest


@given(st.lists(st.sampled_from("abcdefgh"), max_size=100))
def test_only_so_many_clients_are_kept(clients: list[str]) -> None:
    limiter = RateLimiter(1, max_clients=3, clock=Clock())
    for client in clients:
        limiter.take(client, 1)
        assert limiter.num_clients <= 3
    for client in list(dict.fromkeys(reversed(clients)))[:1]:
        assert limiter.take(client, 1) is not None, "the newest is not forgotten"


def test_clients_have_buckets_of_their_own() -> None:
    limiter = RateLimiter(2, clock=Clock())
    assert limiter.take("a", 2) is None
    assert limiter.take("a", 1) == 30
    assert limiter.take("b", 2) is None


def test_what_is_given_back_can_be_taken_again() -> None:
    limiter = RateLimiter(4, clock=Clock())
    assert limiter.take("a", 4) is None
    limiter.give_back("a", 4)
    limiter.give_back("a", 4)
    assert limiter.take("a", 4) is None
    assert limiter.take("a", 1) is not None


def test_more_than_a_minutes_worth_is_let_through_once_and_paid_off() -> None:
    clock = Clock()
    limiter = RateLimiter(6, clock=clock)
    assert limiter.take("a", 12) is None
    assert limiter.take("a", 1) == 70
    clock.now = 120
    assert limiter.take("a", 12) is None


@pytest.fixture
def limited(bundle: Path) -> ServerSettings:
    return ServerSettings(limits=Limits(rate_limit=4), trusted_proxies=1)


def test_api_refuses_a_client_that_had_its_share(bundle: Path, limited: ServerSettings) -> None:
    client = create_app({"tiny": bundle}, settings=limited, wait_for_models=True).test_client()

    def ask(address: str, **fields: object):
        headers = {"X-Forwarded-For": address}
        return client.post(URL, json={"prompt": "a bird", **fields}, headers=headers)

    assert ask("203.0.113.7", n=4).status_code == 200
    response = ask("203.0.113.7")
    error = error_of(response, 429)
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert 10 <= int(response.headers["Retry-After"]) <= 15
    assert ask("203.0.113.8").status_code == 200
    assert ask("203.0.113.7", response_format="url").status_code == 200, "addresses are no pictures yet"
    # A home's addresses are one client.
    assert ask("2001:db8::1", n=4).status_code == 200
    assert ask("2001:db8::2").status_code == 429
    assert ask("2001:db8:0:1::2").status_code == 200
    text = client.get("/metrics").text
    assert 'creativeai_refused_requests_total{model="tiny",reason="rate_limit"} 2.0' in text


def test_forwarded_addresses_are_believed_of_trusted_proxies_only(bundle: Path) -> None:
    settings = ServerSettings(limits=Limits(rate_limit=1))
    client = create_app({"tiny": bundle}, settings=settings, wait_for_models=True).test_client()
    for address, status in (("203.0.113.7", 200), ("203.0.113.8", 429)):
        headers = {"X-Forwarded-For": address}
        assert client.post(URL, json={"prompt": "a bird"}, headers=headers).status_code == status
