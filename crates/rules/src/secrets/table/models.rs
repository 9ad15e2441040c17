//! Those who serve models, and tools round them.

use review::Severity::{Critical, High};

use super::super::format::{Format, issuer, token};

pub(super) const FORMATS: &[Format] = &[
    // `T3BlbkFJ` is the base64 of the issuer's name, in the middle of every key of either shape.
    token(
        "secrets/openai-key",
        "OpenAI API key",
        Critical,
        &["sk-"],
        "sk-(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{20,80}T3BlbkFJ[A-Za-z0-9_-]{20,80}",
        "sk-proj-{w74}T3BlbkFJ{w74}",
    ),
    // The last characters are fixed for keys, and not for what a login hands out.
    token(
        "secrets/anthropic-key",
        "Anthropic API key",
        Critical,
        &["sk-ant-"],
        "sk-ant-(?:(?:api|admin)[0-9]{2}-[A-Za-z0-9_-]{93}AA|(?:oat|ort|sid)[0-9]{2}-[A-Za-z0-9_-]{80,120})",
        "sk-ant-api03-{w93}AA",
    ),
    token(
        "secrets/openrouter-key",
        "OpenRouter API key",
        Critical,
        &["sk-or-v1-"],
        "sk-or-v1-[a-f0-9]{64}",
        "sk-or-v1-{h64}",
    ),
    token(
        "secrets/langfuse-key",
        "Langfuse secret key",
        High,
        &["sk-lf-"],
        "sk-lf-[A-Fa-f0-9]{8}(?:-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}",
        "sk-lf-{uuid}",
    ),
    // DeepSeek and several others issue keys of this shape.
    token(
        "secrets/sk-hex-key",
        "model provider's API key",
        Critical,
        &["sk-"],
        "sk-[a-f0-9]{32}",
        "sk-{h32}",
    ),
    token(
        "secrets/sk-base62-key",
        "model provider's API key",
        Critical,
        &["sk-"],
        "sk-[A-Za-z0-9]{48}",
        "sk-{b48}",
    )
    .entropy(4.0),
    token("secrets/xai-key", "xAI API key", Critical, &["xai-"], "xai-[A-Za-z0-9]{70,84}", "xai-{b80}"),
    token("secrets/groq-key", "Groq API key", Critical, &["gsk_"], "gsk_[A-Za-z0-9]{52}", "gsk_{b52}"),
    token("secrets/cerebras-key", "Cerebras API key", Critical, &["csk-"], "csk-[a-z0-9]{48}", "csk-{l48}"),
    token(
        "secrets/hugging-face-token",
        "Hugging Face access token",
        Critical,
        &["hf_"],
        "hf_[A-Za-z]{34}",
        "hf_{a34}",
    )
    .entropy(2.8),
    token(
        "secrets/hugging-face-organization-token",
        "Hugging Face organization token",
        Critical,
        &["api_org_"],
        "api_org_[A-Za-z]{34}",
        "api_org_{a34}",
    )
    .entropy(2.8),
    token(
        "secrets/replicate-token",
        "Replicate API token",
        Critical,
        &["r8_"],
        "r8_[A-Za-z0-9]{37}",
        "r8_{b37}",
    ),
    token(
        "secrets/perplexity-key",
        "Perplexity API key",
        Critical,
        &["pplx-"],
        "pplx-[A-Za-z0-9]{48}",
        "pplx-{b48}",
    ),
    token(
        "secrets/fireworks-key",
        "Fireworks API key",
        Critical,
        &["fw_"],
        "fw_[A-Za-z0-9]{22,24}",
        "fw_{b24}",
    )
    .entropy(3.8),
    token(
        "secrets/together-key",
        "Together API key",
        Critical,
        &["tgp_v1_"],
        "tgp_v1_[A-Za-z0-9_-]{43}",
        "tgp_v1_{w43}",
    ),
    token(
        "secrets/nvidia-key",
        "NVIDIA API key",
        Critical,
        &["nvapi-"],
        "nvapi-[A-Za-z0-9_-]{60,70}",
        "nvapi-{w64}",
    ),
    token("secrets/elevenlabs-key", "ElevenLabs API key", High, &["sk_"], "sk_[a-f0-9]{48}", "sk_{h48}"),
    token(
        "secrets/langsmith-key",
        "LangSmith API key",
        High,
        &["lsv2_"],
        "lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
        "lsv2_pt_{h32}_{h10}",
    ),
    token(
        "secrets/pinecone-key",
        "Pinecone API key",
        High,
        &["pcsk_"],
        "pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{60,66}",
        "pcsk_{b5}_{b63}",
    ),
    token(
        "secrets/tavily-key",
        "Tavily API key",
        High,
        &["tvly-"],
        "tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}",
        "tvly-{b32}",
    ),
    token("secrets/e2b-key", "E2B API key", High, &["e2b_"], "e2b_[a-f0-9]{40}", "e2b_{h40}"),
    token(
        "secrets/jina-key",
        "Jina API key",
        High,
        &["jina_"],
        "jina_[a-f0-9]{32}[A-Za-z0-9_-]{28}",
        "jina_{h32}{w28}",
    ),
    token("secrets/firecrawl-key", "Firecrawl API key", High, &["fc-"], "fc-[a-f0-9]{32}", "fc-{h32}"),
    token("secrets/runpod-key", "RunPod API key", High, &["rpa_"], "rpa_[A-Z0-9]{40,50}", "rpa_{u44}"),
    token("secrets/voyage-key", "Voyage AI API key", High, &["pa-"], "pa-[A-Za-z0-9_-]{43}", "pa-{w43}")
        .entropy(4.0),
    issuer(
        "secrets/mistral-key",
        "Mistral API key",
        Critical,
        &["mistral"],
        "[A-Za-z0-9]{32}",
        "MISTRAL_API_KEY={b32}",
    )
    .entropy(3.5),
    issuer(
        "secrets/cohere-key",
        "Cohere API key",
        Critical,
        &["cohere", "co_api_key"],
        "[A-Za-z0-9]{40}",
        "COHERE_API_KEY={b40}",
    )
    .entropy(3.5),
    issuer(
        "secrets/wandb-key",
        "Weights & Biases API key",
        High,
        &["wandb"],
        "[a-f0-9]{40}",
        "WANDB_API_KEY={h40}",
    ),
    issuer(
        "secrets/privateai-key",
        "Private AI API key",
        High,
        &["privateai", "private_ai", "private-ai"],
        "[a-z0-9]{32}",
        "privateai_api_key = \"{l32}\"",
    )
    .entropy(3.5),
];
