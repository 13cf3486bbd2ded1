import pytest

from creativeai.training.budget import Budget, Effort

BEFORE = Effort(10, 1.0, 2.0)


@pytest.mark.parametrize(
    ("budget", "effort", "fraction", "is_spent"),
    [
        (Budget(), Effort(1000, 1e9, 1e9), 0, False),
        (Budget(num_steps=20), Effort(15, 1, 2), 0.5, False),
        (Budget(num_steps=20), Effort(20, 1, 2), 1, True),
        (Budget(minutes=3), Effort(10, 1.5, 9), 0.25, False),
        (Budget(minutes=3), Effort(10, 3, 2), 1, True),
        (Budget(cpu_minutes=4), Effort(10, 9, 3.5), 0.75, False),
        (Budget(cpu_minutes=4), Effort(10, 1, 4.5), 1.25, True),
        (Budget(num_steps=20, minutes=3), Effort(15, 2.5, 2), 0.75, False),
        (Budget(num_steps=20, minutes=3), Effort(20, 1.5, 2), 1, True),
        (Budget(minutes=1), BEFORE, 1, True),
        (Budget(minutes=0), Effort(), 1, True),
        (Budget(minutes=-1), Effort(), 1, True),
    ],
)
def test_the_first_bound_counts(budget: Budget, effort: Effort, fraction: float, is_spent: bool) -> None:
    before = min(BEFORE, effort)
    assert budget.fraction_done(before, effort) == pytest.approx(fraction)
    assert budget.is_spent(effort) is is_spent


def test_minutes_begin_to_count_again_where_steps_do_not() -> None:
    assert Budget(50, 3, 4).from_here_on(BEFORE) == Budget(50, 4, 6)
    assert Budget().from_here_on(BEFORE) == Budget()
