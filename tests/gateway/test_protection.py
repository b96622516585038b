"""What the person is told through the gateway, and answers under a cap."""

from typing import Any

from costeer.cloud.in_process import InProcess
from costeer.edge.watch import WARNING
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from tests.support.gateway import HELLO, post, running_gateway
from tests.support.lying import LURES, LyingModel, RecitingModel


def test_a_flat_cloud_is_told_in_a_header(tmp_path: Any) -> None:
    cloud, context = InProcess(LyingModel(LURES[0])), "Your name is Maren Okafor."
    with running_gateway(tmp_path, cloud, RecitingModel(), context, strength=1.0) as app:
        answer = post(app, HELLO | {"max_tokens": 40})
    assert answer.status_code == 200
    assert answer.headers["x-costeer-warning"] == WARNING


def test_under_a_cap_a_request_without_a_seed_is_answered(tmp_path: Any) -> None:
    budget = Budget(1.0, Odometer(tmp_path))
    with running_gateway(tmp_path, epsilon=budget, lanes=1) as app:
        answer = post(app, HELLO | {"temperature": 1})
        greedy = post(app, HELLO | {"temperature": 0})
        seeded = post(app, HELLO | {"temperature": 1, "seed": 5})
    assert answer.status_code == 200
    assert abs(budget.odometer.high) <= 1
    assert (greedy.status_code, seeded.status_code) == (400, 400)
