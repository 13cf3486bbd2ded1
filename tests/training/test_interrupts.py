import signal
import threading

import pytest

from creativeai.training.interrupts import deferred_interrupt, noted_interrupts


def test_ctrl_c_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), deferred_interrupt():
        signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_waits_where_it_is_caught() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        done = []
        with pytest.raises(KeyboardInterrupt), deferred_interrupt():
            signal.raise_signal(signal.SIGTERM)
            done.append("the rest")
        assert done
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_sigterm_that_kills_is_left_alone() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with deferred_interrupt():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_blocks_may_stand_in_each_other() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), deferred_interrupt():
        with deferred_interrupt():
            signal.raise_signal(signal.SIGINT)
        done.append("the rest")
    assert done


def test_errors_pass_and_the_handler_comes_back() -> None:
    with pytest.raises(ValueError, match="inside"), deferred_interrupt():
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_may_use_it() -> None:
    done = []

    def work() -> None:
        with deferred_interrupt():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_a_wish_to_stop_is_noted_however_often_it_comes() -> None:
    with noted_interrupts() as wish:
        assert not wish.is_there
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        assert wish.is_there
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_wish_cuts_short_what_may_be() -> None:
    done = []

    def work() -> None:
        done.append("begun")
        signal.raise_signal(signal.SIGINT)
        done.append("ended")

    with noted_interrupts() as wish:
        wish.cutting_short(lambda: done.append("before"))
        wish.cutting_short(work)
        assert wish.is_there
        signal.raise_signal(signal.SIGINT)  # of no account any more
        wish.cutting_short(work)
    assert done == ["before", "begun"]
