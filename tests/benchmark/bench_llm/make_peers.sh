#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the peers that bench_llm.py measures beside this program, in a folder of its own and with pinned versions: transformers and
# sentence-transformers on torch, onnxruntime, llama.cpp from the source package of llama-cpp-python (compiled for this machine's processor, with
# its server), and peer_llama, the small program here that drives llama.cpp's library.
#
#   tests/benchmark/bench_llm/make_peers.sh FOLDER [--jobs N]      about 15 minutes on two cores and 5 GB; what is there is not made again
#
# The torch wheel names gigabytes of GPU libraries; of those only what `import torch` needs to be loaded is installed. No GPU is used.
# Exit codes: 0 all made · 2 usage · 7 a package or the compiler is missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-}
jobs=2
[ "${2:-}" = --jobs ] && jobs=${3:-2}
if [ -z "$folder" ] || [ "${folder#-}" != "$folder" ]; then
    sed -n '3,10p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
say() { printf '%s\n' "$*" >&2; }
for tool in python3 cmake c++ tar; do
    command -v "$tool" >/dev/null || { say "$tool is not there"; exit 7; }
done

llama=0.3.36
pip=(python -m pip --disable-pip-version-check --no-input -q)
[ -d "$folder/venv" ] || python3 -m venv "$folder/venv"
# shellcheck disable=SC1091
. "$folder/venv/bin/activate"

if ! python -c 'import torch' 2>/dev/null; then
    say "torch, with the GPU libraries that its import asks for"
    "${pip[@]}" install --no-cache-dir --no-deps torch==2.8.0 \
        nvidia-cuda-runtime-cu12==12.8.90 nvidia-cuda-cupti-cu12==12.8.90 nvidia-cuda-nvrtc-cu12==12.8.93 nvidia-cublas-cu12==12.8.4.1 \
        nvidia-cudnn-cu12==9.10.2.21 nvidia-cufft-cu12==11.3.3.83 nvidia-cufile-cu12==1.13.1.3 nvidia-curand-cu12==10.3.9.90 \
        nvidia-cusparse-cu12==12.5.8.93 nvidia-cusparselt-cu12==0.7.1 nvidia-nccl-cu12==2.27.3 nvidia-nvjitlink-cu12==12.8.93
    "${pip[@]}" install sympy==1.14.0 networkx==3.6.1 jinja2==3.1.6 filelock==4.3.1 fsspec==2026.9.0 typing_extensions==4.16.0 numpy==2.4.6
    python -c 'import torch; print("torch", torch.__version__)' || exit 7
fi
if ! python -c 'import transformers, sentence_transformers, onnxruntime, onnx, gguf' 2>/dev/null; then
    say "transformers, sentence-transformers, onnxruntime"
    # Without dependencies where one of them would name torch, and with it everything that was left out above.
    "${pip[@]}" install transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0 sentencepiece==0.2.3 gguf==0.19.0 protobuf==7.36.2 \
        onnxruntime==1.32.0 onnx==1.23.2 scikit-learn==1.9.1 scipy==1.17.1 psutil==7.2.2
    "${pip[@]}" install --no-deps sentence-transformers==6.2.0 accelerate==1.15.0
    python -c 'import transformers, sentence_transformers; print("transformers", transformers.__version__, "sentence-transformers", sentence_transformers.__version__)' || exit 7
fi

sources=$folder/llama_cpp_python-$llama
if [ ! -d "$sources" ]; then
    "${pip[@]}" download --no-deps --no-binary llama-cpp-python -d "$folder" "llama-cpp-python==$llama"
    tar -C "$folder" -xzf "$folder/llama_cpp_python-$llama.tar.gz"
fi
if ! python -c 'import llama_cpp' 2>/dev/null; then
    say "llama.cpp, compiled for this processor ($jobs jobs)"
    CMAKE_ARGS="-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF" CMAKE_BUILD_PARALLEL_LEVEL=$jobs \
        "${pip[@]}" install --no-cache-dir "$folder/llama_cpp_python-$llama.tar.gz[server]"
fi

library=$(python -c 'import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec("llama_cpp").origin).parent / "lib")')
vendor=$sources/vendor/llama.cpp
if [ ! -x "$folder/peer_llama" ] || [ "$here/peer_llama.cpp" -nt "$folder/peer_llama" ]; then
    c++ -std=c++20 -O2 -I"$vendor/include" -I"$vendor/ggml/include" "$here/peer_llama.cpp" -o "$folder/peer_llama" \
        -L"$library" -lllama -lggml -lggml-base -Wl,-rpath,"$library"
fi
say "made: $folder/venv, $folder/peer_llama"
