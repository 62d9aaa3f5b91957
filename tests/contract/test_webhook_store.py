from __future__ import annotations

import pytest

from hmar.errors import ParameterError
from hmar.ports import WebhookStore
from hmar.values.webhooks import LONGEST_PAUSE_S, Claim, Webhook
from tests.contract.examples import Clock

URL = "https://ris.example/hook"
LEASE_S = 60.0


def claimed(store: WebhookStore, webhook: Webhook) -> Claim:
    claim = store.claim(webhook.webhook_id, LEASE_S)
    assert claim is not None
    return claim


def test_subscriptions_are_listed_as_they_were_added_in_order_of_name(
    webhooks: WebhookStore, clock: Clock
) -> None:
    some = webhooks.add("b", URL, frozenset({"lung", "teaching"}), 7)
    every = webhooks.add("a", URL, None, 0)
    assert webhooks.listed() == [every, some]
    assert some.webhook_id != every.webhook_id
    assert (some.collections, some.after, some.created_at) == ({"lung", "teaching"}, 7, clock.now)


def test_a_name_is_taken_until_its_subscription_is_removed(webhooks: WebhookStore) -> None:
    first = webhooks.add("a", URL, None, 0)
    with pytest.raises(ParameterError, match="'a'"):
        webhooks.add("a", URL, None, 0)
    assert webhooks.remove("a")
    assert not webhooks.remove("a")
    assert webhooks.listed() == []
    assert webhooks.add("a", URL, None, 0).webhook_id != first.webhook_id


def test_one_sender_holds_a_subscription_at_a_time(webhooks: WebhookStore, clock: Clock) -> None:
    webhook = webhooks.add("a", URL, None, 0)
    assert claimed(webhooks, webhook).webhook == webhook
    assert webhooks.claim(webhook.webhook_id, LEASE_S) is None
    clock.now += LEASE_S
    late = claimed(webhooks, webhook)
    clock.now += LEASE_S
    claim = claimed(webhooks, webhook)
    for ended in (webhooks.delivered(late, 9), webhooks.passed(late, 9), webhooks.failed(late, "", 9, True)):
        assert not ended
    assert webhooks.listed() == [webhook]
    assert webhooks.passed(claim, 5)
    assert claimed(webhooks, webhook).webhook.after == 5


def test_what_came_of_claims_is_kept(webhooks: WebhookStore, clock: Clock) -> None:
    webhook, begun = webhooks.add("a", URL, None, 0), clock.now
    for number in (1, 2):
        assert webhooks.failed(claimed(webhooks, webhook), f"fault {number}", clock.now, False)
        clock.now += 1
    [failing] = webhooks.listed()
    assert (failing.failures, failing.failing_since, failing.reason) == (2, begun, "fault 2")
    assert webhooks.delivered(claimed(webhooks, webhook), 3)
    [well] = webhooks.listed()
    assert (well.failures, well.failing_since, well.reason, well.after) == (0, None, None, 3)
    assert (well.deliveries, well.attempts_failed, well.delivered_at) == (1, 2, clock.now)


def test_nothing_is_claimed_before_its_time_or_while_it_is_disabled(
    webhooks: WebhookStore, clock: Clock
) -> None:
    webhook = webhooks.add("a", URL, None, 0)
    webhooks.failed(claimed(webhooks, webhook), "fault", clock.now + 10, False)
    assert webhooks.claim(webhook.webhook_id, LEASE_S) is None
    clock.now += 10
    webhooks.failed(claimed(webhooks, webhook), "fault", clock.now, True)
    assert webhooks.claim(webhook.webhook_id, LEASE_S) is None
    enabled = webhooks.enable("a")
    assert enabled is not None
    assert (enabled.disabled, enabled.failures, enabled.failing_since, enabled.reason) == (
        False,
        0,
        None,
        None,
    )
    assert claimed(webhooks, webhook).webhook == enabled
    assert webhooks.enable("b") is None


def test_a_clock_that_is_set_back_stops_nothing(webhooks: WebhookStore, clock: Clock) -> None:
    clock.now += 10 * LONGEST_PAUSE_S
    webhook = webhooks.add("a", URL, None, 0)
    webhooks.failed(claimed(webhooks, webhook), "fault", clock.now + LONGEST_PAUSE_S, False)
    clock.now -= 5 * LONGEST_PAUSE_S
    claimed(webhooks, webhook)
    clock.now -= 10 * LEASE_S
    claimed(webhooks, webhook)


def test_a_removed_subscription_cannot_be_claimed_or_ended(webhooks: WebhookStore) -> None:
    webhook = webhooks.add("a", URL, None, 0)
    claim = claimed(webhooks, webhook)
    webhooks.remove("a")
    assert webhooks.claim(webhook.webhook_id, LEASE_S) is None
    assert not webhooks.delivered(claim, 1)
