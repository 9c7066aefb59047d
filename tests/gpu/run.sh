#!/usr/bin/env bash
# Tests and measures CUDA kernels on a machine with a GPU on which nothing is installed and nothing can be fetched; ends
# with one file, gpu.json. Prepare the checkout with tests/gpu/collect.sh where there is internet. Fits into 10 minutes.
#
#   tests/gpu/run.sh                    everything: setup tests sanitizer bench paper cubnm
#   tests/gpu/run.sh setup bench        some parts; a part alone finds what the others left
#
#   OUT                folder for gpu.json and run.log            (gpu-results)
#   RATEMLX_SECONDS    seconds for the benchmark, without compiling    (120)
#   RATEMLX_BUDGET     seconds for everything; what is left over then is stopped or skipped, and said so    (585)
#   RATEMLX_DEVICE     cuda-emulation: a dry run on the host, with small sizes and no GPU; no figure of it counts
#   RATEMLX_WORK       folder for what is installed and for parts     (/tmp/ratemlx-gpu)
#   CARRY              what collect.sh collected                    (.carry)
#   PYTHON             interpreter                                  (python3)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

DEVICE=${RATEMLX_DEVICE:-cuda}
OUT=$(mkdir -p "${OUT:-gpu-results}" && cd "${OUT:-gpu-results}" && pwd)
WORK=${RATEMLX_WORK:-/tmp/ratemlx-gpu}
SECONDS_GIVEN=${RATEMLX_SECONDS:-120}
DEADLINE=$(($(date +%s) + ${RATEMLX_BUDGET:-585}))
PYTHON=${PYTHON:-python3}
CARRY=${CARRY:-$PWD/.carry}
SITE=$WORK/site
PARTS=$WORK/parts
DRY=""
[ "$DEVICE" = cuda-emulation ] && DRY=1

mkdir -p "$SITE" "$PARTS"
export PYTHONPATH="$PWD:$SITE:$CARRY/site${PYTHONPATH:+:$PYTHONPATH}"
export RATEMLX_CACHE_DIR=${RATEMLX_CACHE_DIR:-$WORK/cache}
if [ -d "$CARRY/reference" ]; then export RATEMLX_REFERENCE=$CARRY/reference; fi
if [ -n "$DRY" ]; then
    export RATEMLX_GPU_DEVICES=$DEVICE RATEMLX_GPU_DURATION=5
    SMALLER=(--works montbrio --gpu H200 --seconds 1 --instances 8 --steps 20 --host-headers tests/support/cuda_host)
else
    SMALLER=()
fi
: >>"$OUT/run.log"

say() { echo "== $*" | tee -a "$OUT/run.log"; }

limited() { # SECONDS COMMAND...: within so long, all it says into the log, the end of it also here
    local seconds=$1 status left
    shift
    left=$((DEADLINE - $(date +%s)))
    [ "$left" -gt 5 ] || { say "no time is left for: $*"; return 124; }
    [ "$seconds" -lt "$left" ] || seconds=$left
    timeout --kill-after=10 "$seconds" "$@" 2>&1 | tee -a "$OUT/run.log" | tail -n 40
    status=${PIPESTATUS[0]}
    [ "$status" -ne 124 ] || say "stopped after $seconds s: $*"
    return "$status"
}

# --- parts ------------------------------------------------------------------------------------------------------------

setup() {
    if [ -n "$DRY" ] && [ ! -d "$CARRY/wheels" ]; then
        say "nothing carried; what is installed here is used"
        return 0
    fi
    local found=() wheel
    for wheel in "$CARRY"/wheels/*.whl; do found+=("$wheel"); done
    limited 120 "$PYTHON" -m pip install --quiet --no-index --no-deps --no-compile --upgrade --target "$SITE" "${found[@]}" || return
    if [ -z "$DRY" ]; then build_pycuda || say "PyCUDA is not there; cuda-core alone is tested"; fi
    return 0
}

build_pycuda() { # From source, for this machine's Python and CUDA. cuRAND, which ratemlx does not use, is left out.
    local libraries=$WORK/libraries driver
    driver=$(ldconfig -p | sed -n 's/.*=> \(.*libcuda\.so\.1\)$/\1/p' | head -n 1)
    [ -n "$driver" ] || driver=$(find /usr/local/nvidia /usr/lib /usr/lib64 -name libcuda.so.1 2>/dev/null | head -n 1)
    [ -n "$driver" ] || { say "no driver: there is no libcuda.so.1"; return 1; }
    mkdir -p "$libraries" "$WORK/home"
    ln -sf "$driver" "$libraries/libcuda.so"
    cat >"$WORK/home/.aksetup-defaults.py" <<SETTINGS
CUDA_ROOT = "${CUDA_HOME:-/usr/local/cuda}"
CUDA_ENABLE_CURAND = False
CUDADRV_LIB_DIR = ["$libraries"]
SETTINGS
    # Its settings are read from the home folder; the user's own is left alone.
    limited 200 env HOME="$WORK/home" "$PYTHON" -m pip install --quiet --no-index --no-deps --no-build-isolation --upgrade \
        --target "$SITE" --find-links "$CARRY/wheels" pycuda
}

tests() {
    rm -f "$PARTS"/tests-*.xml
    if [ -n "$DRY" ]; then
        run_tests reference 200 tests/gpu/test_reference.py -k "float64 and not noisy"
        return
    fi
    # By name, so that a GPU that cannot be opened fails the tests; left to themselves, they would be skipped.
    RATEMLX_GPU_DEVICES=${RATEMLX_GPU_DEVICES:-$("$PYTHON" -m tests.gpu.runs)} || return
    export RATEMLX_GPU_DEVICES
    say "devices: $RATEMLX_GPU_DEVICES"
    local status=0 workers=()
    # What looks at memory and time has the GPU to itself; the rest spends its time in compilers, side by side.
    if "$PYTHON" -c "import xdist" 2>/dev/null; then workers=(-n 8); fi
    run_tests adapters 120 tests/gpu/test_adapters.py || status=$?
    run_tests others 200 tests/gpu --ignore tests/gpu/test_adapters.py "${workers[@]+"${workers[@]}"}" || status=$?
    return "$status"
}

run_tests() { # NAME SECONDS WHAT...: some tests, and their report
    local name=$1 seconds=$2
    shift 2
    limited "$seconds" "$PYTHON" -m pytest -q -p no:cacheprovider --junitxml "$PARTS/tests-$name.xml" "$@"
}

sanitizer() {
    local status=0 tool
    if [ -n "$DRY" ]; then
        limited 60 "$PYTHON" -m tests.gpu.small "$DEVICE"
        status=$?
        echo "{\"sanitizer\": {\"small\": $status}}" >"$PARTS/sanitizer.json"
        return "$status"
    fi
    local said=""
    for tool in memcheck racecheck; do
        limited 60 compute-sanitizer --tool "$tool" --error-exitcode 9 --launch-timeout 120 \
            "$PYTHON" -m tests.gpu.small "$DEVICE"
        local one=$?
        said="$said${said:+, }\"$tool\": $one"
        [ "$one" -eq 0 ] || status=$one
    done
    echo "{\"sanitizer\": {$said}}" >"$PARTS/sanitizer.json"
    return "$status"
}

measured() { # PART SECONDS LIMIT: one part of the benchmark, into a file of its own
    limited "$3" "$PYTHON" -m ratemlx.bench.gpu --device "$DEVICE" --parts "$1" --seconds "$2" \
        --output "$PARTS/${1%%,*}.json" "${SMALLER[@]+"${SMALLER[@]}"}"
}

bench() { measured works,memory,analysis "$SECONDS_GIVEN" $((SECONDS_GIVEN * 2)); }

paper() { measured paper 20 90; }

cubnm() { # With NumPy 1.26, which its wheel was built for, in front of this machine's own.
    if [ -z "$DRY" ] && [ -d "$CARRY/cubnm" ] && [ ! -d "$WORK/cubnm/cubnm" ]; then
        limited 90 "$PYTHON" -m pip install --quiet --no-index --no-deps --no-build-isolation --no-compile --target "$WORK/cubnm" \
            "$CARRY"/cubnm/*.whl "$CARRY"/cubnm/*.tar.gz
    fi
    local PYTHONPATH="$WORK/cubnm:$PYTHONPATH"
    export PYTHONPATH
    measured cubnm 20 90
}

# --- all of them, then one file ---------------------------------------------------------------------------------------

[ $# -gt 0 ] || set -- setup tests sanitizer bench paper cubnm
failed=""
for part in "$@"; do
    case $part in
        setup | tests | sanitizer | bench | paper | cubnm) ;;
        *)
            echo "there is no part $part: setup, tests, sanitizer, bench, paper, cubnm" >&2
            exit 2
            ;;
    esac
    say "$part"
    begun=$(date +%s)
    "$part" || failed="$failed $part"
    say "$part: $(($(date +%s) - begun)) s"
done
"$PYTHON" -m tests.gpu.summary "$PARTS" "$OUT/gpu.json" "$failed" | tee -a "$OUT/run.log" || failed="$failed summary"
if [ -n "$failed" ]; then
    say "failed:$failed"
    exit 1
fi
