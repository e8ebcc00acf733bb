"""What stands in the captured pages, read in the files with grep: the oracle of the engine tables."""

from __future__ import annotations

from inferguard_core.signals import Signal

S = Signal

# Renderings of one vLLM version are filled with the same made-up values: one set for V0, one for V1.
V0 = {
    S.KV_USAGE: 0.42,
    S.RUNNING: 3,
    S.WAITING: 3,
    S.PROMPT_TOKENS: 3,
    S.GENERATION_TOKENS: 3,
    "ttft": (1, 0.12),
}
V0_COUNTS = {S.PREEMPTIONS: 3, S.FINISHED: 2, S.FINISHED_ABORT: 0, S.KV_CAPACITY_TOKENS: 20539 * 16}
V0_SWAP = {S.SWAPPED: 3, S.CPU_CACHE_USAGE: 0.42}
V1 = {
    S.KV_USAGE: 0.42,
    S.RUNNING: 3,
    S.WAITING: 0,
    S.PROMPT_TOKENS: 512,
    S.GENERATION_TOKENS: 64,
    "ttft": (1, 0.05),
}
V1_POOL = {S.KV_CAPACITY_TOKENS: 328624}
V1_COUNTS = {S.PREEMPTIONS: 0, S.FINISHED: 1, S.FINISHED_ABORT: 0, S.ENGINE_STEPS: 1}
V1_PREFIX = {S.PREFIX_QUERIES: 4096, S.PREFIX_HITS: 1024}
V1_ALL = V1 | V1_POOL | V1_COUNTS | V1_PREFIX
SOURCES = {S.PROMPT_TOKENS_COMPUTED: 384, S.FINISHED_ERROR: 0}
QUEUES = {S.WAITING_CAPACITY: 0, S.WAITING_DEFERRED: 0}
SGLANG = {
    S.KV_USAGE: 0.41,
    S.KV_USED_TOKENS: 41234,
    S.RUNNING: 3,
    S.WAITING: 2,
    S.PREFIX_HIT_RATE: 0.37,
    "ttft": (1, 0.21),
}
AT_END = {S.PROMPT_TOKENS: 512, S.GENERATION_TOKENS: 128, S.PREFIX_QUERIES: 512}
LIVE = {
    S.PROMPT_TOKENS: 200,
    S.PROMPT_TOKENS_COMPUTED: 100,
    S.GENERATION_TOKENS: 100,
    S.FINISHED: 1,
    S.PREEMPTIONS: 1,
    S.NEW_TOKEN_RATIO: 0.55,
}
CACHED = {S.PREFIX_HITS: 256, S.FINISHED: 1}

PAGES: dict[str, dict[str, float | tuple[float, float]]] = {
    "vllm-0.3-1": {S.RUNNING: 0, S.WAITING: 0, S.PROMPT_TOKENS: 14025, S.GENERATION_TOKENS: 58149},
    "vllm-0.3.3-v0-rendered": V0 | V0_SWAP,
    "vllm-0.4.3-v0-rendered": V0 | V0_SWAP | V0_COUNTS,
    "vllm-0.5.3-1": {
        S.KV_USAGE: 0.0026235242675994863,
        S.RUNNING: 3,
        S.WAITING: 5,
        S.SWAPPED: 0,
        S.KV_CAPACITY_TOKENS: 4574 * 16,
        S.PROMPT_TOKENS: 90,
        S.GENERATION_TOKENS: 2546,
        S.FINISHED: 6,
        S.OPEN_FDS: 76,
        S.GENERATION_THROUGHPUT: 34.30352890481867,
        "ttft": (9, 0.5106480121612549),
    },
    "vllm-0.5.5-v0-rendered": V0 | V0_SWAP | V0_COUNTS,
    "vllm-0.6.3-v0-rendered": V0 | V0_SWAP | V0_COUNTS,
    "vllm-0.6.6-v0-rendered": V0 | V0_SWAP | V0_COUNTS | {"queue_time": (1, 0.12)},
    "vllm-0.6.6-v0-multiproc-rendered": V0 | V0_SWAP | V0_COUNTS,
    "vllm-0.7.0-1": {S.PROMPT_TOKENS: 148, S.FINISHED: 4, S.KV_CAPACITY_TOKENS: 81767 * 16, S.SWAPPED: 0},
    "vllm-0.7.1-v1-rendered": V1,
    "vllm-0.7.3-v0-rendered": V0 | V0_SWAP | V0_COUNTS,
    "vllm-0.7.3-v1-rendered": V1 | V1_PREFIX,
    "vllm-0.8.0-partial-v1": {S.KV_USAGE: 0, S.RUNNING: 0, S.WAITING: 0, S.OPEN_FDS: 45},
    "vllm-0.8.2-v1-rendered": V1_ALL,
    "vllm-0.8.5-v0-rendered": V0 | V0_COUNTS,
    "vllm-0.8.5-v1-rendered": V1_ALL | {S.SPEC_DRAFTS: 0},
    "vllm-0.9.2-v1-rendered": V1_ALL,
    "vllm-0.9.2dev-partial-v0-multiproc": {S.KV_CAPACITY_TOKENS: 11915 * 16},
    "vllm-0.10.0-partial": {S.KV_USAGE: 9.75010481363281e-06, S.PREFIX_QUERIES: 32},
    "vllm-0.10.2-v0-rendered": V0 | V0_COUNTS | {"itl": (1, 0.12)},
    "vllm-0.10.2-v1-multiproc-rendered": V1_ALL,
    "vllm-0.10.2-v1-dp2-rendered": {
        S.KV_USAGE: 0.72,
        S.RUNNING: 7,
        S.WAITING: 2,
        S.KV_CAPACITY_TOKENS: 41078 * 16,
        S.PREFIX_QUERIES: 8192,
        S.PREFIX_HITS: 2048,
        S.PROMPT_TOKENS: 1024,
        S.FINISHED: 2,
        "ttft": (2, 0.1),
        "itl": (2, 0.1),
    },
    "vllm-0.10.2-1-multiproc": {
        S.KV_USAGE: 0,
        S.PREFIX_QUERIES: 31872,
        S.PREFIX_HITS: 29760,
        S.FINISHED: 16,
        S.HTTP_2XX: 16,
        S.HTTP_4XX: 0,
        S.KV_CAPACITY_TOKENS: 33066 * 16,
        "itl": (1520, 5.390205169999987),
    },
    "vllm-0.11.0-partial-multiapi": {S.KV_USAGE: 0.6530455880475035},
    "vllm-0.11.2-v1-rendered": V1_ALL | {S.AWAKE: 1},
    "vllm-0.12.0-v1-rendered": V1_ALL | {S.AWAKE: 1},
    "vllm-0.14.0-v1-rendered": V1_ALL | {S.FINISHED_ERROR: 0},
    "vllm-0.16.0-v1-rendered": V1_ALL | SOURCES,
    "vllm-0.20.0-v1-dp2-rendered": {S.KV_USAGE: 0.72, S.RUNNING: 7, S.WAITING: 2, S.WAITING_CAPACITY: 2},
    "vllm-0.20-1": {
        S.PROMPT_TOKENS: 22130,
        S.PROMPT_TOKENS_COMPUTED: 2306,
        S.PREFIX_HITS: 19824,
        S.FINISHED: 10,
        S.ENGINE_STEPS: 960,
        S.HTTP_2XX: 10,
        S.HTTP_5XX: 0,
        S.OPEN_FDS: 44,
        S.PROCESS_START: 1778194878.57,
        S.KV_CAPACITY_TOKENS: 20539 * 16,
        "ttft": (10, 0.6501529216766357),
    },
    "vllm-0.20-2": {S.PROMPT_TOKENS: 53112, S.PREFIX_HITS: 1188960, S.FINISHED: 24, S.HTTP_2XX: 24},
    "vllm-0.24.0-v1-rendered": V1_ALL | SOURCES | QUEUES,
    "vllm-0.28.0-v1-rendered": V1_ALL | SOURCES | QUEUES,
    "vllm-0.32.0-v1-dp2-rendered": {
        S.KV_USAGE: 0.72,
        S.RUNNING: 7,
        S.KV_CAPACITY_TOKENS: 2 * 328624,
        S.REJECTED: 0,
        S.AWAKE: 1,
        S.OPEN_FDS: 6,
    },
    "vllm-0.33.0-v1-rendered": V1_ALL | SOURCES | QUEUES | {S.REJECTED: 0, S.OPEN_FDS: 6},
    "vllm-0.33.0-v1-multiproc-rendered": V1_ALL | SOURCES | QUEUES | {S.REJECTED: 0},
    "vllm-triton-backend-1": {S.PROMPT_TOKENS: 10, S.GENERATION_TOKENS: 16, "itl": (15, 0.04501533508300781)},
    "sglang-main20241107-1": {S.KV_USAGE: 0.01, S.PROMPT_TOKENS: 506780, "itl": (422425, 29846.5393948555)},
    "sglang-0.3.6-rendered": SGLANG | AT_END,
    "sglang-0.4.1-1": {S.RUNNING: 162, S.WAITING: 2826, S.KV_USAGE: 0.28, S.PROMPT_TOKENS: 8128902},
    "sglang-0.4.3-rendered": SGLANG | AT_END | {S.FINISHED: 1},
    "sglang-0.4.4-partial": {S.KV_USAGE: 0, S.RUNNING: 0, S.KV_USED_TOKENS: 0},
    "sglang-0.4.6-rendered": SGLANG | AT_END | CACHED,
    "sglang-0.4.10-rendered": SGLANG | AT_END | CACHED | {S.PREEMPTIONS: 0, S.FINISHED_ABORT: 0},
    "sglang-0.5.1-partial": {S.RUNNING: 1, S.KV_USED_TOKENS: 1, S.GENERATION_THROUGHPUT: 0.8371284457403783},
    "sglang-0.5.2-rendered": SGLANG | AT_END | CACHED | {S.PREEMPTIONS: 0},
    "sglang-0.5.3-partial-dp8": {"num_retracted_reqs": 0, "num_paused_reqs": 0},
    "sglang-0.5.4-rendered": SGLANG | AT_END | CACHED,
    "sglang-0.5.4-metrics": {
        S.RUNNING: 1,
        S.WAITING: 0,
        S.KV_USAGE: 0,
        S.PROMPT_TOKENS: 6899,
        S.GENERATION_TOKENS: 3155,
        S.FINISHED: 83,
        S.FINISHED_ABORT: 0,
        S.PREFIX_HITS: 168,
        "itl": (3072, 57.84636974334717),
        "ttft": (83, 15.81252384185791),
    },
    "sglang-0.5.7-rendered": SGLANG | LIVE | CACHED,
    "sglang-0.5.9-rendered": SGLANG | LIVE | CACHED,
    "sglang-0.5.10-rendered": SGLANG | LIVE | CACHED,
    "sglang-0.5.10-metrics": {
        S.KV_USAGE: 0.037760416666666664,
        S.KV_CAPACITY_TOKENS: 3072,
        S.RUNNING: 1,
        S.PROMPT_TOKENS: 5088 + 118,
        S.PROMPT_TOKENS_COMPUTED: 5088,
        S.GENERATION_TOKENS: 2481,
        S.PREFIX_QUERIES: 5206,
        S.PREFIX_HITS: 118,
        S.PREEMPTIONS: 0,
        S.EVICTED_TOKENS: 4516,
        S.HTTP_2XX: 64,
        S.HTTP_4XX: 0,
        S.HTTP_ACTIVE: 1,
        S.ENGINE_STEPS: 60 + 2085,
    },
    "sglang-0.5.14-rendered": SGLANG | LIVE | CACHED | {S.KV_CAPACITY_TOKENS: 100000},
    "sglang-0.5.18-rendered": SGLANG | LIVE | {S.KV_CAPACITY_TOKENS: 100000, S.PREFIX_QUERIES: 0},
    "sglang-0.5.23-rendered": SGLANG | LIVE | {S.KV_CAPACITY_TOKENS: 100000, S.SCHEDULER_SECONDS: 0},
    "sglang-0.5.23-metrics": {
        S.KV_USAGE: 0,
        S.KV_EVICTABLE_TOKENS: 3001,
        S.KV_CAPACITY_TOKENS: 3072,
        S.RUNNING: 0,
        S.WAITING: 0,
        S.PROMPT_TOKENS: 12935,
        S.GENERATION_TOKENS: 5730,
        S.PREFIX_QUERIES: 12935,
        S.PREFIX_HITS: 331,
        S.PREEMPTIONS: 0,
        S.FINISHED: 149,
        S.EVICTED_TOKENS: 15331,
        S.HTTP_ACTIVE: 0,
        S.HTTP_2XX: 149,
        # 11.2329 + 21.3453 + 3.1556 + 11.9648 + 0 + 44.7859 + 10.3553 + 16.4690 + 51.2666
        S.SCHEDULER_SECONDS: 170.57525,
        "ttft": (149, 12.465009297000506),
    },
    "sglang-gateway-aggregated-partial": {
        "cuda_graph_passes[decode_cuda_graph]": 311,
        S.PREFIX_HIT_RATE: 0,
        "num_prefill_prealloc_queue_reqs": 0,
    },
}

DOUBTED = {
    # An unreleased build that gave the rate as a percentage, and a file that was cut in the middle of a histogram.
    "sglang-main20241107-1": "sglang:cache_hit_rate is 10.61",
    "vllm-0.7.0-1": "vllm:iteration_tokens_total is incomplete",
}

MODELS = {
    "vllm-0.5.3-1": ("neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8", "other/OTHER"),
    "vllm-0.20-1": ("Qwen/Qwen3-8B",),
    "vllm-triton-backend-1": ("vllm_model",),
    "vllm-0.33.0-v1-rendered": ("demo/model",),
    "sglang-0.5.23-metrics": ("tiny",),
    "sglang-gateway-aggregated-partial": ("meta-llama/Llama-3.1-8B-Instruct",),
    "sglang-main20241107-1": (),
}

ABSENT = {
    # Signals that these versions do not export, or not with the features that were on: no key, not 0.
    "vllm-0.5.3-1": (S.SPEC_DRAFT_TOKENS, S.SPEC_ACCEPT_RATE, S.ENGINE_STEPS, S.HTTP_2XX, S.QUEUE_TIME),
    "vllm-0.6.6-v0-rendered": (S.PREFIX_HIT_RATE, S.PREFIX_HITS, S.GENERATION_THROUGHPUT, S.FINISHED_ERROR),
    "vllm-0.6.6-v0-multiproc-rendered": (S.OPEN_FDS, S.PROCESS_START),
    "vllm-0.7.1-v1-rendered": (S.PREEMPTIONS, S.FINISHED, S.KV_CAPACITY_TOKENS, S.SWAPPED),
    "vllm-0.12.0-v1-rendered": (S.FINISHED_ERROR, S.PROMPT_TOKENS_COMPUTED, S.REJECTED, S.WAITING_CAPACITY),
    "vllm-0.33.0-v1-rendered": (S.OFFLOAD_FAILURES, S.SWAPPED, S.EVICTED_TOKENS, S.HTTP_2XX),
    "vllm-triton-backend-1": (S.KV_USAGE, S.RUNNING, S.WAITING, S.PREEMPTIONS, S.FINISHED),
    "sglang-0.5.4-metrics": (
        S.PREEMPTIONS,
        S.KV_CAPACITY_TOKENS,
        S.SPEC_ACCEPT_LENGTH,
        S.SPEC_ACCEPT_RATE,
        S.PROMPT_TOKENS_COMPUTED,
        S.EVICTED_TOKENS,
        S.ENGINE_STEPS,
        S.HTTP_ACTIVE,
        S.SCHEDULER_SECONDS,
    ),
    "sglang-0.5.10-rendered": (S.KV_CAPACITY_TOKENS,),
    "sglang-0.5.23-metrics": ("fwd_occupancy", S.SPEC_ACCEPT_LENGTH, S.OPEN_FDS, S.PROCESS_START),
    "sglang-main20241107-1": (S.RUNNING, S.PREEMPTIONS, S.EVICTED_TOKENS, S.PREFIX_HIT_RATE),
    "sglang-gateway-aggregated-partial": (S.GENERATION_TOKENS, S.PREEMPTIONS, S.FINISHED, S.WAITING),
}
