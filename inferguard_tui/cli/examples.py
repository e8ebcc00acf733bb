"""How each command is used, for its --help; a test reads every line with the command's own parser."""

from __future__ import annotations

OVERVIEW = (
    ("inferguard", "monitor the engines found on this host"),
    ("inferguard gpu-07:8000 gpu-08:8000", "monitor these"),
    ("inferguard scan gpu-07:8000 --json", "0 ok, 1 warning, 2 critical, 3 unknown"),
    ("inferguard demo", "no engine at hand: a simulated one"),
)

EXAMPLES: dict[str, tuple[str, ...]] = {
    "tui": ("inferguard tui gpu-07:8000 gpu-08:8000 --interval 2", "TARGET_ENDPOINT=gpu-07:8000 inferguard"),
    "scan": ("inferguard scan gpu-07:8000 --json", "inferguard scan gpu-07:8000 --samples 10 --interval 1"),
    "watch": (
        "inferguard watch gpu-07:8000 --json >> events.jsonl",
        "inferguard watch 'prometheus+http://prom:9090?job=vllm' --alertmanager http://am:9093",
        "inferguard watch --file-sd targets.json --listen :9464",
    ),
    "record": ("inferguard record gpu-07:8000 -o night.jsonl.gz --duration 3600",),
    "replay": (
        "inferguard replay night.jsonl.gz --speed 8",
        "inferguard replay night.jsonl.gz --json --check",
    ),
    "check": (
        "inferguard check night.jsonl.gz --rules try.toml",
        "inferguard check --export prometheus-rules > inferguard.yml",
    ),
    "incidents": (
        "inferguard incidents",
        "inferguard incidents show 20261126T0310",
        "inferguard incidents resolve 20261126T0310 'fewer sequences' --grade helped",
    ),
    "recall": ("inferguard recall KV pressure after a deploy",),
    "act": (
        "inferguard act now throttle_concurrency gpu-07:8000",
        "inferguard act now throttle_concurrency gpu-07:8000 --live",
        "inferguard act --audit",
    ),
    "web": ("inferguard web gpu-07:8000", "inferguard web --demo"),
    "themes": ("inferguard themes",),
    "validate": (
        "inferguard validate gpu-07:8000 sessions.json --json > before.json",
        "inferguard validate gpu-07:8000 sessions.json --compare before.json",
        "inferguard validate gpu-07:8000 --incident 20261126T0310",
    ),
    "serve": (
        "inferguard serve gpu-07:8000",
        "inferguard serve gpu-07:8000 --transport streamable-http --port 8766",
    ),
    "brain": ("inferguard brain", "inferguard brain --host 0.0.0.0 --port 8077"),
    "canary": (
        "inferguard canary flags --engine vllm --python /opt/vllm/bin/python -- --max-num-seqs 72",
        "inferguard canary replay staging:8000 sessions.json --before before.json",
    ),
    "doctor": ("inferguard doctor gpu-07:8000", "inferguard doctor --json"),
    "completion": (
        "source <(inferguard completion bash)",
        "inferguard completion fish > ~/.config/fish/completions/inferguard.fish",
    ),
    "demo": ("inferguard demo --scenario incident", "inferguard demo --engine sglang --endpoints 9"),
}
