/* Two NVIDIA cards that are not there, for MXNet's CUDA build: it runs every operator's GPU path on them, and what it asks of
 * CUDA is counted. No kernel computes anything. Loaded by LD_PRELOAD before NVIDIA's libraries, so that its names come first.
 *
 * Memory of the card is one file mapped twice: at `card`, where MXNet's pointers point and nothing may be read or written, and
 * at `host`, through which copies go. Code for the CPU that touches an array on the card ends the process, as it would there.
 * What is not here, `build.py` writes from the names that libmxnet.so asks for: a function that is counted and returns 0.
 *
 * PRETEND_CAPABILITY: of both cards, 75 unless said. PRETEND_ALLOCATIONS: how many succeed before the memory is full.
 */
#define _GNU_SOURCE
#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (1ul << 36)      /* addresses, of which only what is written to takes room */
#define KERNELS (1u << 19)
#define CARDS 2

/* ---- counting ---- */
struct kernel { const void *function; const char *name; };
struct count { const char *kind, *name; long number; };
static struct kernel kernels[KERNELS];
static struct count counts[4096];
static int used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int capturing;      /* this thread records a CUDA graph: nothing is launched yet */

void pretend_count(const char *kind, const char *name) {
    pthread_mutex_lock(&lock);
    if (capturing)
        kind = "recorded";
    int i = 0;
    while (i < used && (counts[i].kind != kind || counts[i].name != name))
        i++;
    if (i == used && used++ < 4096)
        counts[i] = (struct count){kind, name, 0};
    counts[i].number++;
    pthread_mutex_unlock(&lock);
}

/* All counts as lines "kind name number", since the process began. */
void pretend_report(char *text, size_t size) {
    pthread_mutex_lock(&lock);
    for (int i = 0, n; i < used && (n = snprintf(text, size, "%s %s %ld\n", counts[i].kind, counts[i].name, counts[i].number)) < (long)size; i++)
        text += n, size -= n;
    pthread_mutex_unlock(&lock);
}

static struct kernel *find(const void *function) {
    unsigned i = ((size_t)function >> 4) % KERNELS;
    while (kernels[i].function && kernels[i].function != function)
        i = (i + 1) % KERNELS;
    return &kernels[i];
}

void __cudaRegisterFunction(void **handle, const char *function, char *device_function, const char *name) {
    *find(function) = (struct kernel){function, name};
}

cudaError_t cudaLaunchKernel(const void *function, dim3 grid, dim3 block, void **args, size_t shared, cudaStream_t stream) {
    const char *name = find(function)->name;
    pretend_count("kernel", name ? name : "unknown");
    return cudaSuccess;
}

/* ---- memory ---- */
static char *card, *host;
static size_t next_byte = 4096;
static long allocations_left = -1;
static __thread cudaError_t last_error;

__attribute__((constructor)) static void begin(void) {
    int file = memfd_create("card", 0);
    if (file < 0 || ftruncate(file, MEMORY))
        abort();
    card = mmap(NULL, MEMORY, PROT_NONE, MAP_SHARED | MAP_NORESERVE, file, 0);
    host = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    close(file);
    if (card == MAP_FAILED || host == MAP_FAILED)
        abort();
    if (getenv("PRETEND_ALLOCATIONS"))
        allocations_left = atol(getenv("PRETEND_ALLOCATIONS"));
}

static int on_card(const void *p) { return card && (char *)p >= card && (char *)p < card + MEMORY; }
static void *reachable(const void *p) { return on_card(p) ? host + ((char *)p - card) : (void *)p; }

cudaError_t cudaMalloc(void **p, size_t size) {
    pthread_mutex_lock(&lock);
    int full = !allocations_left;
    if (allocations_left > 0)
        allocations_left--;
    *p = card + next_byte;
    if (!full)
        next_byte += (size + 511) / 512 * 512;
    pthread_mutex_unlock(&lock);
    pretend_count("allocation", "cudaMalloc");
    return last_error = full || next_byte > MEMORY ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaHostAlloc(void **p, size_t size, unsigned flags) {
    pretend_count("allocation", "cudaHostAlloc");
    return posix_memalign(p, 4096, size + 1) ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFree(void *p) { return cudaSuccess; }
cudaError_t cudaFreeHost(void *p) { free(p); return cudaSuccess; }

static cudaError_t copy(const char *how, void *to, const void *from, size_t size, enum cudaMemcpyKind kind) {
    const char *names[] = {"within_host", "to_host", "to_card", "within_card"};
    int direction = 2 * on_card(to) + on_card(from);
    enum cudaMemcpyKind said[] = {cudaMemcpyHostToHost, cudaMemcpyDeviceToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToDevice};
    if (kind != cudaMemcpyDefault && kind != said[direction])
        abort();
    pretend_count(names[direction], how);
    memmove(reachable(to), reachable(from), size);
    /* A few numbers that the host reads are a loss, a flag or an index, which no kernel has written: not what was there before. */
    if (direction == 1 && size <= 24)
        memset(to, 0, size);
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind) {
    pretend_count("sync", "cudaMemcpy");
    return copy("cudaMemcpy", to, from, size, kind);
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t size, enum cudaMemcpyKind kind, cudaStream_t stream) {
    return copy("cudaMemcpyAsync", to, from, size, kind);
}
cudaError_t cudaMemcpyPeerAsync(void *to, int to_card, const void *from, int from_card, size_t size, cudaStream_t stream) {
    return copy("cudaMemcpyPeerAsync", to, from, size, cudaMemcpyDeviceToDevice);
}
cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height,
                              enum cudaMemcpyKind kind, cudaStream_t stream) {
    for (size_t i = 0; i < height; i++)
        copy("cudaMemcpy2DAsync", (char *)to + i * to_pitch, (char *)from + i * from_pitch, width, kind);
    return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void *p, int value, size_t size, cudaStream_t stream) {
    pretend_count("kernel", "cudaMemsetAsync");
    memset(reachable(p), value, size);
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t *left, size_t *total) { *left = *total = 15ul << 30; return cudaSuccess; }

/* ---- what the cards say of themselves ---- */
static __thread int device;
static int capability(void) { return getenv("PRETEND_CAPABILITY") ? atoi(getenv("PRETEND_CAPABILITY")) : 75; }

cudaError_t cudaGetDeviceCount(int *count) { *count = CARDS; return cudaSuccess; }
cudaError_t cudaGetDevice(int *number) { *number = device; return cudaSuccess; }
cudaError_t cudaSetDevice(int number) {
    if (number < 0 || number >= CARDS)
        return last_error = cudaErrorInvalidDevice;
    device = number;
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int number) {
    memset(p, 0, sizeof *p);
    strcpy(p->name, "Pretend GPU");
    p->major = capability() / 10, p->minor = capability() % 10, p->multiProcessorCount = 40, p->warpSize = 32;
    p->totalGlobalMem = 15ul << 30, p->sharedMemPerBlock = 48 << 10, p->regsPerBlock = 65536, p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 1024;
    for (int i = 0; i < 3; i++)
        p->maxThreadsDim[i] = i < 2 ? 1024 : 64, p->maxGridSize[i] = i ? 65535 : 2147483647;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int number) {
    struct cudaDeviceProp p;
    cudaGetDeviceProperties(&p, number);
    switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = p.maxThreadsPerBlock; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = p.maxThreadsPerMultiProcessor; break;
    case cudaDevAttrMaxBlockDimX: case cudaDevAttrMaxBlockDimY: *value = p.maxThreadsDim[0]; break;
    case cudaDevAttrMaxBlockDimZ: *value = p.maxThreadsDim[2]; break;
    case cudaDevAttrMaxGridDimX: *value = p.maxGridSize[0]; break;
    case cudaDevAttrMaxGridDimY: case cudaDevAttrMaxGridDimZ: *value = p.maxGridSize[1]; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = p.sharedMemPerBlock; break;
    case cudaDevAttrMaxRegistersPerBlock: *value = p.regsPerBlock; break;
    case cudaDevAttrMultiProcessorCount: *value = p.multiProcessorCount; break;
    case cudaDevAttrWarpSize: *value = p.warpSize; break;
    case cudaDevAttrComputeCapabilityMajor: *value = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = p.minor; break;
    default: *value = 1;
    }
    return cudaSuccess;
}
cudaError_t cudaDeviceGetP2PAttribute(int *value, enum cudaDeviceP2PAttr a, int from, int to) { *value = 1; return cudaSuccess; }
cudaError_t cudaDeviceCanAccessPeer(int *can, int from, int to) { *can = 1; return cudaSuccess; }
cudaError_t cudaDriverGetVersion(int *version) { *version = 11080; return cudaSuccess; }
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *function) {
    memset(a, 0, sizeof *a);
    a->maxThreadsPerBlock = 1024, a->binaryVersion = a->ptxVersion = capability();
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *f, int size, size_t shared, unsigned flags) {
    *blocks = 1024 / size;
    return cudaSuccess;
}

/* ---- errors, streams, graphs ---- */
cudaError_t cudaPeekAtLastError(void) { return last_error; }
cudaError_t cudaGetLastError(void) { cudaError_t error = last_error; last_error = cudaSuccess; return error; }
const char *cudaGetErrorString(cudaError_t error) { return error == cudaErrorMemoryAllocation ? "out of memory" : "invalid device"; }
const char *cudaGetErrorName(cudaError_t error) { return cudaGetErrorString(error); }

cudaError_t cudaStreamSynchronize(cudaStream_t s) { pretend_count("sync", "cudaStreamSynchronize"); return cudaSuccess; }
cudaError_t cudaDeviceSynchronize(void) { pretend_count("sync", "cudaDeviceSynchronize"); return cudaSuccess; }
cudaError_t cudaStreamBeginCapture(cudaStream_t s, enum cudaStreamCaptureMode mode) { capturing = 1; return cudaSuccess; }
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *graph) {
    capturing = 0;
    *graph = malloc(16);
    return cudaSuccess;
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *number) { *number = 0; return cudaSuccess; }
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, cudaGraphNode_t *bad, char *log, size_t size) {
    *exec = malloc(16);
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) { pretend_count("graph", "cudaGraphLaunch"); return cudaSuccess; }

/* What `kernel<<<grid, block, shared, stream>>>` leaves for the launch. */
static __thread struct { dim3 grid, block; size_t shared; void *stream; } configuration[8];
static __thread int configurations;
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream) {
    configuration[configurations].grid = grid, configuration[configurations].block = block;
    configuration[configurations].shared = shared, configuration[configurations++].stream = stream;
    return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream) {
    *grid = configuration[--configurations].grid, *block = configuration[configurations].block;
    *shared = configuration[configurations].shared, *(void **)stream = configuration[configurations].stream;
    return cudaSuccess;
}
void **__cudaRegisterFatBinary(void *binary) { return malloc(16); }
