"""Names, labels, model ids and texts that would be code in another language stay text, or are refused."""

import json
import re
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from aifactory.blueprints.site import Site
from aifactory.components.given_telemetry import TelemetryGiven
from aifactory.components.observability import alerts, collector, dashboards, texts
from aifactory.components.observability.spec import ObservabilitySpec
from support.planning import site_data
from support.poisoned import HOSTILE, poisoned
from support.watching import GIVEN, HERE, PAGER, STORE, queries, series_of, watched

each = pytest.mark.parametrize("text", HOSTILE)


@each
def test_a_query_asks_for_the_same_series_whatever_the_names_are(text: str) -> None:
    clean = {name for _, query in queries(poisoned("plain").values()) for name in series_of(query)}
    asked = list(queries(poisoned(text).values()))
    assert len(asked) > 15
    assert {name for _, query in asked for name in series_of(query)} <= clean


@each
def test_a_name_in_a_selector_is_that_name(text: str) -> None:
    assert json.loads(texts.quoted(text)) == text
    assert re.fullmatch(texts.alternatives([text, "b"]), text)
    assert not re.fullmatch(texts.alternatives([text]), "other")


@each
def test_prometheus_runs_no_template_in_an_annotation_or_label(text: str) -> None:
    for body in poisoned(text).values():
        if body["kind"] == "PrometheusRule":
            for group in body["spec"]["groups"]:
                for rule in group["rules"]:
                    words = [*rule["annotations"].values(), *rule["labels"].values()]
                    assert not [word for word in words if "{{" in word or "}}" in word]


@each
def test_grafana_replaces_nothing_in_a_title_and_keeps_its_data_source(text: str) -> None:
    for name, body in poisoned(text).items():
        if not name.startswith("ConfigMap/"):
            continue
        for data in body["data"].values():
            board = json.loads(data)
            titles = [board["title"], *(panel["title"] for panel in board["panels"])]
            assert not [title for title in titles if re.search(r"\$|\[\[|\{\{", title)]
            sources = {panel["datasource"]["uid"] for panel in board["panels"]}
            assert sources == {"prometheus"}


@each
def test_a_collector_expands_nothing_but_tokens(text: str) -> None:
    bodies = poisoned(text)
    for name in ("watch-gateway", "watch-agent"):
        config = json.dumps(bodies[f"OpenTelemetryCollector/{name}"]["spec"]["config"], ensure_ascii=False)
        expanded = re.findall(r"\$\{[^}]*\}", config.replace("$$", ""))
        assert set(expanded) <= {"${env:TOKEN_LOGS}"}


@each
def test_rules_stay_rules_when_they_are_written_as_yaml(text: str) -> None:
    for name, body in poisoned(text).items():
        again = yaml.safe_load(yaml.safe_dump(body, allow_unicode=True))
        assert again == body, name


@pytest.mark.parametrize(
    "field",
    [
        {"name": 'watch"'},
        {"name": "{{ .Values.a }}"},
        {"name": "${env:A}"},
        {"storage_class": "{{ fast }}"},
        {"grafana_secret": "a{{b}}"},
        {"data_class": "customer$"},
        {"promises": [{"model": 'llama"} or up', "ttft_p99_ms": 1}]},
    ],
)
def test_a_form_refuses_what_would_be_code(field: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ObservabilitySpec.model_validate({"kind": "observability", "name": "watch", **field})


@pytest.mark.parametrize("text", ["{{ .Release.Name }}", "${env:HOME}", "a b", 'a"b', "a\nb", "$(id)", "`id`"])
def test_addresses_buckets_and_secrets_of_a_site_are_no_templates(text: str) -> None:
    """Charts run some of their values through templates: remote write of Prometheus, most of Loki's."""
    changes: list[dict[str, Any]] = [
        {"store": {**STORE, field: text}} for field in ("endpoint", "region", "logs", "traces", "secret")
    ]
    changes += [{"sinks": [{**PAGER, field: text}]} for field in ("name", "secret")]
    changes += [{"sinks": [{**PAGER, "url": f"https://a.example.com/{text}"}]}]
    changes += [{"sinks": [{**PAGER, "kind": "loki", "organisation": text}]}]
    for given in changes:
        with pytest.raises(ValidationError):
            TelemetryGiven.model_validate(given)


@each
def test_the_name_of_an_operator_reaches_no_object(text: str) -> None:
    place = {**HERE, "operator": text}
    given = {**GIVEN, "store": {**STORE, "place": place}}
    if "\n" in text:
        with pytest.raises(ValidationError):
            Site.model_validate(site_data(telemetry=given))
        return
    seen = watched(given)
    assert seen.broken == []
    written = json.dumps([seen.bodies, seen.asked("loki"), seen.asked("metrics")], ensure_ascii=False)
    assert json.dumps(text, ensure_ascii=False)[1:-1] not in written


def test_the_functions_that_escape_are_those_that_write() -> None:
    """A new piece of text in a rule or a dashboard goes through one of these: the modules name no other way."""
    for module in (alerts, dashboards, collector):
        assert {"quoted", "literal", "said", "shown", "matcher", "any_of"} & set(vars(module))
