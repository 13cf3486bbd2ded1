import signal
import threading

import pytest

from creativeai.training.interrupts import deferred_interrupt


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
