// A driver library for machines without a GPU: the calls of CUDA's driver API that the adapters make, played on the host.
//
// "Device code" is a line "emulation:LIBRARY:BYTES": a kernel compiled under the emulation header, and the size of its
// argument. A kernel with the line "nothing" does nothing. Work is done as late as the rules of streams allow, so that
// whoever forgets to wait reads what is not there yet: a stream runs when somebody waits for it, and an event that it
// waits for makes another stream run up to there. New memory holds no numbers (all bits set), freed memory neither.
//
// Variables: FAKE_CUDA_MEMORY (bytes of the device), FAKE_CUDA_CAPABILITY (90), FAKE_CUDA_DEVICES (1), FAKE_CUDA_FAIL
// (CALL:CODE, fails from the first call on), FAKE_CUDA_LOG (a file that gets a line for each launch and copy that was done).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dlfcn.h>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

extern "C" {
typedef int Result;
enum { SUCCESS, INVALID_VALUE, OUT_OF_MEMORY, INVALID_DEVICE = 101, INVALID_IMAGE = 200, INVALID_CONTEXT = 201, NOT_FOUND = 500 };
struct Stream;
struct Event {
    std::shared_ptr<bool> done = std::make_shared<bool>(true);
    Stream *stream = nullptr;
};
struct Function {
    std::string name;
    void (*call)(const void *, int32_t, int32_t) = nullptr;
    size_t bytes = 0;
};
struct Module {
    void *library = nullptr;
    size_t bytes = 0;
    std::map<std::string, Function> functions;
};
struct Stream {
    std::deque<std::function<void()>> work;
};
}

static std::vector<std::unique_ptr<Stream>> streams;
static std::map<uint64_t, size_t> blocks;
static size_t in_use = 0;
static thread_local std::vector<void *> contexts;

static long setting(const char *name, long otherwise)
{
    const char *text = std::getenv(name);
    return text ? std::atol(text) : otherwise;
}

static void log(const char *format, const char *name, long a, long b, long c)
{
    const char *path = std::getenv("FAKE_CUDA_LOG");
    if (!path) return;
    FILE *file = std::fopen(path, "a");
    std::fprintf(file, format, name, a, b, c);
    std::fclose(file);
}

static Result failing(const char *call)
{
    const char *text = std::getenv("FAKE_CUDA_FAIL");
    const size_t length = std::strlen(call);
    return text && !std::strncmp(text, call, length) && text[length] == ':' ? std::atoi(text + length + 1) : SUCCESS;
}

#define CHECK(call)                                                                                                    \
    if (const Result wrong = failing(call)) return wrong;
#define CHECK_CURRENT(call)                                                                                            \
    CHECK(call)                                                                                                        \
    if (contexts.empty()) return INVALID_CONTEXT;

// Runs a stream until `done` is set, or until it is empty.
static void run(Stream *stream, const std::shared_ptr<bool> &done)
{
    while (!stream->work.empty() && !(done && *done)) {
        auto next = std::move(stream->work.front());
        stream->work.pop_front();
        next();
    }
}
static void run_all()
{
    for (auto &stream : streams) run(stream.get(), nullptr);
}

extern "C" {
Result cuInit(unsigned) { CHECK("cuInit") return SUCCESS; }
Result cuDriverGetVersion(int *version) { *version = 13000; return SUCCESS; }
Result cuDeviceGetCount(int *count) { *count = (int)setting("FAKE_CUDA_DEVICES", 1); return SUCCESS; }
Result cuDeviceGet(int *device, int number)
{
    if (number >= setting("FAKE_CUDA_DEVICES", 1)) return INVALID_DEVICE;
    *device = number;
    return SUCCESS;
}
Result cuDeviceGetName(char *name, int length, int) { std::snprintf(name, (size_t)length, "Fake GPU"); return SUCCESS; }
Result cuDeviceTotalMem_v2(size_t *bytes, int) { *bytes = (size_t)setting("FAKE_CUDA_MEMORY", 1 << 30); return SUCCESS; }
Result cuDeviceGetAttribute(int *value, int kind, int)
{
    const int capability = (int)setting("FAKE_CUDA_CAPABILITY", 90);
    *value = kind == 75 ? capability / 10 : kind == 76 ? capability % 10 : kind == 16 ? 4 : 0;
    return SUCCESS;
}
Result cuDeviceComputeCapability(int *major, int *minor, int device)
{
    cuDeviceGetAttribute(major, 75, device);
    return cuDeviceGetAttribute(minor, 76, device);
}
Result cuDevicePrimaryCtxRetain(void **context, int) { CHECK("cuDevicePrimaryCtxRetain") *context = &blocks; return SUCCESS; }
Result cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }
Result cuCtxPushCurrent_v2(void *context) { contexts.push_back(context); return SUCCESS; }
Result cuCtxPopCurrent_v2(void **context)
{
    if (contexts.empty()) return INVALID_CONTEXT;
    if (context) *context = contexts.back();
    contexts.pop_back();
    return SUCCESS;
}
Result cuCtxGetCurrent(void **context) { *context = contexts.empty() ? nullptr : contexts.back(); return SUCCESS; }
Result cuCtxGetDevice(int *device) { *device = 0; return SUCCESS; }
Result cuCtxSynchronize(void) { CHECK_CURRENT("cuCtxSynchronize") run_all(); return SUCCESS; }

Result cuMemGetInfo_v2(size_t *free, size_t *total)
{
    CHECK_CURRENT("cuMemGetInfo")
    cuDeviceTotalMem_v2(total, 0);
    *free = *total - in_use;
    return SUCCESS;
}
Result cuMemAlloc_v2(uint64_t *address, size_t size)
{
    CHECK_CURRENT("cuMemAlloc")
    if (!size) return INVALID_VALUE;
    if (in_use + size > (size_t)setting("FAKE_CUDA_MEMORY", 1 << 30)) return OUT_OF_MEMORY;
    void *block = std::aligned_alloc(512, (size + 511) / 512 * 512);
    std::memset(block, 0xff, size);
    *address = (uint64_t)block;
    blocks[*address] = size;
    in_use += size;
    return SUCCESS;
}
Result cuMemFree_v2(uint64_t address)
{
    CHECK_CURRENT("cuMemFree")
    if (!blocks.count(address)) return INVALID_VALUE;
    run_all();
    std::memset((void *)address, 0xff, blocks[address]);
    in_use -= blocks[address];
    blocks.erase(address);
    std::free((void *)address);
    return SUCCESS;
}
Result cuMemHostAlloc(void **address, size_t size, unsigned)
{
    CHECK_CURRENT("cuMemHostAlloc")
    *address = std::malloc(size);
    std::memset(*address, 0xff, size);
    return SUCCESS;
}
Result cuMemAllocHost_v2(void **address, size_t size) { return cuMemHostAlloc(address, size, 0); }
Result cuMemFreeHost(void *address)
{
    CHECK_CURRENT("cuMemFreeHost")
    run_all();
    std::free(address);
    return SUCCESS;
}
Result cuMemsetD8Async(uint64_t address, unsigned char value, size_t size, Stream *stream)
{
    CHECK_CURRENT("cuMemsetD8Async")
    stream->work.push_back([=] { std::memset((void *)address, value, size); });
    return SUCCESS;
}
static Result copy(const char *name, void *to, const void *from, size_t size, Stream *stream)
{
    CHECK_CURRENT(name)
    stream->work.push_back([=] {
        std::memcpy(to, from, size);
        log("%s %ld\n", name, (long)size, 0, 0);
    });
    return SUCCESS;
}
Result cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size, Stream *stream)
{
    return copy("cuMemcpyHtoDAsync", (void *)to, from, size, stream);
}
Result cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, Stream *stream)
{
    return copy("cuMemcpyDtoHAsync", to, (const void *)from, size, stream);
}

Result cuStreamCreate(Stream **stream, unsigned)
{
    CHECK_CURRENT("cuStreamCreate")
    streams.push_back(std::make_unique<Stream>());
    *stream = streams.back().get();
    return SUCCESS;
}
Result cuStreamDestroy_v2(Stream *) { return SUCCESS; }
Result cuStreamSynchronize(Stream *stream) { CHECK_CURRENT("cuStreamSynchronize") run(stream, nullptr); return SUCCESS; }
Result cuEventCreate(Event **event, unsigned) { CHECK_CURRENT("cuEventCreate") *event = new Event; return SUCCESS; }
Result cuEventDestroy_v2(Event *event) { delete event; return SUCCESS; }
Result cuEventRecord(Event *event, Stream *stream)
{
    CHECK_CURRENT("cuEventRecord")
    event->done = std::make_shared<bool>(false);
    event->stream = stream;
    stream->work.push_back([done = event->done] { *done = true; });
    return SUCCESS;
}
Result cuEventSynchronize(Event *event)
{
    CHECK_CURRENT("cuEventSynchronize")
    if (event->stream) run(event->stream, event->done);
    return SUCCESS;
}
Result cuStreamWaitEvent(Stream *stream, Event *event, unsigned)
{
    CHECK_CURRENT("cuStreamWaitEvent")
    if (event->stream)
        stream->work.push_back([other = event->stream, done = event->done] { if (!*done) run(other, done); });
    return SUCCESS;
}

Result cuModuleLoadDataEx(Module **module, const void *image, unsigned, void *, void *)
{
    CHECK_CURRENT("cuModuleLoadData")
    const std::string text((const char *)image, strnlen((const char *)image, 4096));
    auto loaded = std::make_unique<Module>();
    if (text.rfind("emulation:", 0) == 0) {
        const size_t end = text.rfind(':');
        loaded->library = dlopen(text.substr(10, end - 10).c_str(), RTLD_NOW | RTLD_LOCAL);
        loaded->bytes = (size_t)std::atol(text.c_str() + end + 1);
    }
    if (!loaded->library && text.rfind("nothing", 0) != 0) return INVALID_IMAGE;
    *module = loaded.release();
    return SUCCESS;
}
Result cuModuleLoadData(Module **module, const void *image) { return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr); }
Result cuModuleUnload(Module *) { return SUCCESS; }
Result cuModuleGetFunction(Function **function, Module *module, const char *name)
{
    CHECK_CURRENT("cuModuleGetFunction")
    std::string text(name);
    const size_t end = text.rfind("_kernel");
    if (end == std::string::npos) return NOT_FOUND;
    Function &found = module->functions[text];
    found.name = text;
    found.bytes = module->bytes;
    if (module->library) {
        // The host's form of a kernel takes any number of steps.
        const std::string host = "ratemlx_" + (text == "advance_tile_kernel" ? "advance" : text.substr(0, end));
        found.call = (void (*)(const void *, int32_t, int32_t))dlsym(module->library, host.c_str());
        if (!found.call) return NOT_FOUND;
    }
    *function = &found;
    return SUCCESS;
}
Result cuLaunchKernel(Function *function, unsigned tiles, unsigned rows, unsigned, unsigned lanes, unsigned, unsigned, unsigned,
                      Stream *stream, void **parameters, void **extra)
{
    CHECK_CURRENT("cuLaunchKernel")
    if (rows > 65535) return INVALID_VALUE;
    if (!function->call) return SUCCESS;
    // Either an array of pointers to arguments, or a list of markers with a buffer (1) that holds them all and its size (2).
    const char *from = (const char *)(parameters ? parameters[0] : extra[1]);
    if (!parameters && *(size_t *)extra[3] != function->bytes) return INVALID_VALUE;
    std::vector<char> arguments(from, from + function->bytes);
    stream->work.push_back([=] {
        function->call(arguments.data(), 0, (int32_t)tiles);
        log("%s %ld %ld %ld\n", function->name.c_str(), (long)tiles, (long)rows, (long)lanes);
    });
    return SUCCESS;
}

Result cuGetErrorString(Result code, const char **text)
{
    static const std::map<Result, const char *> words = {
        {2, "out of memory"}, {46, "CUDA-capable device(s) is/are busy or unavailable"},
        {100, "no CUDA-capable device is detected"}, {101, "invalid device ordinal"},
        {200, "device kernel image is invalid"}, {201, "invalid device context"}, {500, "named symbol not found"},
        {700, "an illegal memory access was encountered"}, {3, "initialization error"}, {1, "invalid argument"},
    };
    const auto found = words.find(code);
    *text = found == words.end() ? "unspecified" : found->second;
    return SUCCESS;
}
Result cuGetErrorName(Result, const char **text) { *text = "CUDA_ERROR"; return SUCCESS; }

// cuda-bindings asks for every call by its name; the newest form of each is the one that is here.
Result cuGetProcAddress_v2(const char *name, void **function, int, uint64_t, int *status)
{
    void *found = nullptr;
    for (const char *ending : {"_v3", "_v2", ""})
        if (!found) found = dlsym(RTLD_DEFAULT, (std::string(name) + ending).c_str());
    static void *self = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    for (const char *ending : {"_v3", "_v2", ""})
        if (!found && self) found = dlsym(self, (std::string(name) + ending).c_str());
    *function = found;
    if (status) *status = found ? 0 : 1;
    return found ? SUCCESS : NOT_FOUND;
}
}
